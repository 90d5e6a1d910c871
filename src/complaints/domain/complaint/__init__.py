"""A complaint: its facts, a planned change, its history, its number, and the identity of its complainant."""
