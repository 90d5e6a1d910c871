"""`python -m complaints` is the command `complaints`."""

from complaints.cli import main

main()
