"""Floor 3: use cases, each: load, plan, apply, in one transaction."""
