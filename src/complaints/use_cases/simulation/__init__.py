"""Simulations of a policy over the complaints of a period."""
