"""Imports of files: a file is checked and stored, and a worker imports its rows chunk by chunk."""
