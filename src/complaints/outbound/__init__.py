"""Clients that dial out. They know no table and no rule."""
