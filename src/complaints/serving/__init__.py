"""Processes and threads that serve the API and run the loops."""
