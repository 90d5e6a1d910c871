"""Trouble tickets: complaints in the words of TMF621."""
