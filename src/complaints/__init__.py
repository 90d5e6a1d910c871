"""Complaint ticketing and closed-loop workflow engine."""

__version__ = "0.1.0"
