"""Layouts of regulators: documents that say which figures stand in which cells, and the tables that follow from them."""
