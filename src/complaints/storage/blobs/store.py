"""What every store of blobs does. A blob is there as a whole or not at all, and never changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from complaints.domain.errors import Unavailable

CHUNK = 256 * 1024
"""The bytes that a reader gets at once."""


class StoreUnavailable(Unavailable):
    """The store cannot be reached, is full, or lacks a blob that it should have."""


class BlobMissing(StoreUnavailable):
    """The store can be used, and lacks a blob that it should have."""

    def __init__(self) -> None:
        super().__init__("The bytes of this attachment are not in the store just now.")


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as the store lists it: its size in bytes, and when it was written (UTC, by the clock of the store)."""

    id: UUID
    size: int
    written_at: datetime


class BlobWriter(Protocol):
    """One blob that is being written. Every call may raise StoreUnavailable; then only `discard` may follow."""

    def write(self, part: bytes) -> None:
        """Add bytes at the end."""

    def finish(self) -> None:
        """Put the blob at its place. After the return it outlives a loss of power."""

    def discard(self) -> None:
        """Forget what was written. Does nothing after `finish`."""


class BlobReader(Protocol):
    """The bytes of a blob in parts. Every part may raise StoreUnavailable."""

    def __iter__(self) -> Iterator[bytes]:
        """The reader itself."""

    def __next__(self) -> bytes:
        """The next part, of at least one byte."""

    def close(self) -> None:
        """Give back the file or connection. A reader is closed in any case, also if no part was read."""


class BlobStore(Protocol):
    """A place for blobs that all nodes share. Every call may raise StoreUnavailable."""

    def create(self, blob_id: UUID) -> BlobWriter:
        """Begin to write a blob. No other blob may have this id."""

    def read(self, blob_id: UUID) -> BlobReader:
        """Open a blob. Raises BlobMissing at once if it is not there."""

    def delete(self, blob_id: UUID) -> None:
        """Delete a blob. Does nothing if it is not there."""

    def list_blobs(self) -> Iterator[StoredBlob]:
        """All blobs that are there, in no order."""

    def discard_unfinished(self, before: datetime) -> int:
        """Delete what was begun and last written before `before` (UTC). Returns how many there were."""
