"""Mails to complainants: the acknowledgement, the result, and a question that waits for an answer."""
