"""What callers may ask for: pydantic models of commands, and the types of their members."""
