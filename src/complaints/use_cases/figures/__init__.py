"""Figures over the history: their facts are kept by a follower, and answered from read-optimised rows."""
