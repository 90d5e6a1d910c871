"""Loops that a commit can hasten (`Transaction.hasten`), and how long they sleep without that."""

SWEEP_LOOP = "sweep"
IMPORT_LOOP = "imports"
SCAN_LOOP = "scanning"
ATTACHMENT_LOOP = "attachments"
ANNEX_LOOP = "annexes"
LONGEST_SLEEP_SECONDS = 1.0
"""The sweep looks at least this often."""
HASTENED_WITHIN_SECONDS = 5.0
"""A commit hastens the sweep for complaints that are due within this time of the `now` of its transaction.

It is longer than the longest sleep, because a slow transaction takes time until its commit.
"""
