"""Errors: the catalogue of problems, and the answer to each error."""
