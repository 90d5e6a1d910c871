"""Writes down when keys were used, for the loop of each process. No request writes it."""

from complaints.storage.rows.key_use import choose_uses, write_uses
from complaints.use_cases.service import Service

LEAST_SECONDS = 60.0


def save_key_uses(service: Service) -> None:
    """Write the last use of the keys that this process saw since the last call, each key at most once a minute.

    So a stored last use is at most a minute too old, and two minutes while the process runs.
    """
    if not (ages := service.key_uses.take()):
        return
    uses = service.read(lambda tx: choose_uses(tx, ages, least_seconds=LEAST_SECONDS))
    if uses:
        service.write(lambda tx: write_uses(tx, uses))
