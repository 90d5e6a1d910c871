"""Figures over the history: their definitions, and the shape of their answers."""
