"""Errors: the catalogue of problems, and how each error becomes one."""
