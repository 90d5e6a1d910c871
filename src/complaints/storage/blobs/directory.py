"""Blobs as files in a directory. All nodes share the directory, so it may be on a network file system.

A blob is written under `incoming`, forced to the disk, and moved to its place in one step. Its path is its id below
two levels of directories: `<root>/<last two hex digits>/<two before them>/<id>`.
"""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from complaints.storage.blobs.store import CHUNK, BlobMissing, BlobStore, StoredBlob, StoreUnavailable

_INCOMING = "incoming"
_FULL = (errno.ENOSPC, errno.EDQUOT)
log = logging.getLogger(__name__)


class BlobDirectory:
    """Blobs below the directory `root`, which is made when the first blob is written."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def create(self, blob_id: UUID) -> "_FileWriter":
        """Begin to write a blob. Raises StoreUnavailable if the disk takes no file."""
        with _told():
            _make_directory(self._root / _INCOMING)
            return _FileWriter(self._root / _INCOMING / str(blob_id), self._path(blob_id))

    def read(self, blob_id: UUID) -> "_FileReader":
        """Open a blob. Raises BlobMissing at once if it is not there."""
        with _told():
            return _FileReader(os.open(self._path(blob_id), os.O_RDONLY))

    def delete(self, blob_id: UUID) -> None:
        """Delete a blob. Does nothing if it is not there."""
        with _told():
            self._path(blob_id).unlink(missing_ok=True)

    def list_blobs(self) -> Iterator[StoredBlob]:
        """All blobs that are there. Files with other names are left out."""
        with _told():
            for first in _named_by_digits(self._root):
                for second in _named_by_digits(first):
                    yield from _list_files(second)

    def discard_unfinished(self, before: datetime) -> int:
        """Delete files under `incoming` that were last written before `before` (UTC)."""
        with _told():
            incoming = self._root / _INCOMING
            old = [one for one in _list_files(incoming) if one.written_at < before]
            for one in old:
                (incoming / str(one.id)).unlink(missing_ok=True)
            return len(old)

    def _path(self, blob_id: UUID) -> Path:
        return self._root / blob_id.hex[-2:] / blob_id.hex[-4:-2] / str(blob_id)


class _FileWriter:
    """Writes one file under `incoming` and moves it to its place."""

    def __init__(self, unfinished: Path, place: Path) -> None:
        self._unfinished, self._place = unfinished, place
        self._descriptor: int | None = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def write(self, part: bytes) -> None:
        """Add bytes at the end. Raises StoreUnavailable, for example for a full disk."""
        assert self._descriptor is not None  # not finished
        rest = memoryview(part)
        with _told():
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def finish(self) -> None:
        """Force the bytes to the disk, and move the file to its place. Raises StoreUnavailable."""
        assert self._descriptor is not None  # not finished
        with _told():
            os.fsync(self._descriptor)
            self._close()
            _make_directory(self._place.parent)
            self._unfinished.replace(self._place)
            _force(self._place.parent)

    def discard(self) -> None:
        """Delete the file, unless it is at its place. A file that stays is deleted by a later sweep."""
        with suppress(OSError):
            self._close()
            self._unfinished.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


class _FileReader(Iterator[bytes]):
    """Reads one file in parts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def __next__(self) -> bytes:
        if self._descriptor is None:
            raise StopIteration
        with _told():
            part = os.read(self._descriptor, CHUNK)
        if not part:
            self.close()
            raise StopIteration
        return part

    def close(self) -> None:
        """Close the file."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def _told() -> Iterator[None]:
    """Raise StoreUnavailable for a failure of the file system. The log has the reason and the path."""
    try:
        yield
    except OSError as error:
        log.warning("the directory of attachments failed", exc_info=error)
        if error.errno in _FULL:
            raise StoreUnavailable("The store of attachments is full: try again later.") from error
        if error.errno == errno.ENOENT:
            raise BlobMissing from error
        raise StoreUnavailable(
            "The store of attachments cannot be used just now: try again shortly."
        ) from error


def _make_directory(path: Path) -> None:
    """Make a directory with its parents. Each new one is forced to the disk."""
    missing = [one for one in (path, *path.parents) if not one.is_dir()]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
        _force(one.parent)


def _force(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _named_by_digits(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return [one for one in directory.iterdir() if len(one.name) == 2 and one.is_dir()]


def _list_files(directory: Path) -> Iterator[StoredBlob]:
    """The files of a directory whose names are ids. A file that another node deletes meanwhile is left out."""
    if not directory.is_dir():
        return
    for entry in os.scandir(directory):
        with suppress(ValueError, FileNotFoundError):
            facts = entry.stat()
            yield StoredBlob(UUID(entry.name), facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


_: type[BlobStore] = BlobDirectory
