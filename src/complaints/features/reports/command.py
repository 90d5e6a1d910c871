"""The work of the command `complaints figures rebuild`."""

import os
from collections.abc import Callable

from complaints.use_cases.figures.rebuilding import rebuild_all
from complaints.use_cases.service import Service


def rebuild(service: Service, progress: Callable[[int], None]) -> None:
    """Write the facts of all complaints again. `progress` is called with the number of events read so far.

    A rebuild that was cut off goes on where it was. Raises RebuildTaken if another process rebuilds.
    """
    done = 0
    for read in rebuild_all(service, processes=os.cpu_count() or 1):
        progress(done := done + read)
