"""Floor 2: tables and their SQL. `apply` is the only writer of plans."""
