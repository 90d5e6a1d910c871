"""Limits the unfinished imports of a key, and the bytes of their files."""

from dataclasses import dataclass
from typing import ClassVar

from complaints.domain.errors import ComplaintError
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import import_job
from complaints.use_cases.access import Caller


@dataclass(frozen=True, slots=True)
class ImportQuota:
    """The most unfinished imports of one key, and the most bytes of their files together. 0 means no limit."""

    running: int = 0
    stored_bytes: int = 0


UNLIMITED = ImportQuota()


class QuotaUsedUp(ComplaintError):
    """The key has too many unfinished imports. `limit` is the name of the limit, `most` its value."""

    kind: ClassVar[str] = "limited"
    code: ClassVar[str] = "too-many-requests"

    def __init__(self, detail: str, *, limit: str, most: int) -> None:
        super().__init__(detail)
        self.limit = limit
        self.most = most


def check_quota(tx: Transaction, caller: Caller, most: ImportQuota, *, new_bytes: int) -> None:
    """Raise QuotaUsedUp if the key of the caller may not begin an import of `new_bytes` bytes now."""
    if not most.running and not most.stored_bytes:
        return
    running, stored_bytes = import_job.claim_unfinished(tx, caller.name, caller.login)
    if most.running and running >= most.running:
        raise QuotaUsedUp(
            f"This key has {running} unfinished imports, the most that it may have: wait until one is finished.",
            limit="imports",
            most=most.running,
        )
    if most.stored_bytes and stored_bytes + new_bytes > most.stored_bytes:
        raise QuotaUsedUp(
            f"The files of this key's unfinished imports may have {most.stored_bytes} bytes together: "
            "wait until one is finished.",
            limit="stored",
            most=most.stored_bytes,
        )
