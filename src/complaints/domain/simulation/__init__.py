"""Simulation: the history of complaints, rerun by the rules under another policy. Nothing is stored."""
