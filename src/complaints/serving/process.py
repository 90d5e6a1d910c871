"""The rights and limits that a process takes for itself when it starts."""

import os
import sys


def keep_files_private() -> None:
    """Files that this process makes are for its user only."""
    os.umask(0o077)


def raise_open_files_limit() -> None:
    """Raise the limit of open files to the most that the system allows. Each connection is an open file."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
