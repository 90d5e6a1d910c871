"""The annexes: a folder each, which lives on the history of the core and calls its use cases."""
