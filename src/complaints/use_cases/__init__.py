"""Use cases: load, plan, save, in one transaction."""
