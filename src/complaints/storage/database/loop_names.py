"""Loops that a commit can hasten (`Transaction.hasten`), and how long they sleep without that."""

SWEEP_LOOP = "sweep"
IMPORT_LOOP = "imports"
LONGEST_SLEEP_SECONDS = 1.0
"""The sweep looks at least this often, so a complaint due later needs no hastening."""
