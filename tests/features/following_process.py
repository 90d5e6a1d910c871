"""A process that follows the history until it is killed: `python -m tests.features.following_process URL BATCH`."""

import sys
import time

from complaints.domain.errors import Unavailable
from complaints.storage.database.connections import open_engine
from complaints.storage.database.transactions import Database
from complaints.use_cases.service import Service
from complaints.wiring import new_id, wall_clock
from tests.features.category_counts import use_cases


def main() -> None:
    """Count, and again at once while there is more."""
    url, batch = sys.argv[1:]
    service = Service(Database(open_engine(url), wall_clock), new_id)
    while True:
        try:
            if not use_cases.count_next(service, limit=int(batch)):
                time.sleep(0.001)
        except Unavailable:  # another process has the embedded database
            time.sleep(0.001)


if __name__ == "__main__":
    main()
