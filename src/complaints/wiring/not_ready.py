"""The refusal to run with the given settings."""


class NotReady(Exception):
    """The program cannot run with these settings. The message says how to correct them."""
