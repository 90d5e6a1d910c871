"""Tables and their SQL. `save` is the only writer of planned changes."""
