"""Floor 1: the rules, pure. No clock, no I/O, no framework but `transitions`."""
