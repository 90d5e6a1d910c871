"""Simulation: the history of complaints, replayed by the rules under another policy. Nothing is stored."""
