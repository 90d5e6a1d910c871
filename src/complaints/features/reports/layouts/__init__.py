"""Layouts of regulators: documents that say which figures stand in which cells, and their tables."""
