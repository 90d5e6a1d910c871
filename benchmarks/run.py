"""Run `complaints bench` against a durable PostgreSQL started for it: `python3 dev.py bench [ROW...]`.

`COMPLAINTS_BENCH_POSTGRES_URL` names an empty database on another server instead.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from tests.postgres_server import PostgresUnavailable, serving

VARIABLE = "COMPLAINTS_BENCH_POSTGRES_URL"
# As a server of this size would have them; everything that decides durability stays as PostgreSQL ships it.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB"}


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks and return their exit status."""
    named = os.environ.get(VARIABLE)
    try:
        with nullcontext(named) if named else serving(durable=True, settings=SETTINGS) as url:
            command = [sys.executable, "-m", "complaints", "bench", *arguments]
            return subprocess.run(command, env={**os.environ, VARIABLE: url}, check=False).returncode
    except PostgresUnavailable as failure:
        print(f"benchmarks/run.py: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
