"""What a client itself knows for certain: an entry is on disk before the request is sent, another after its answer."""

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Entry:
    """One request: its idempotency key and body, and what is known of its outcome."""

    number: int
    key: str
    body: dict[str, Any]
    status: int | None = None
    complaint_id: str | None = None
    breaks: int = 0

    @property
    def acknowledged(self) -> bool:
        """Whether the complaint was said to be registered."""
        return self.status in (200, 201)


class Journal:
    """An append-only file of JSON lines, each flushed to the disk before anything else is done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def sending(self, number: int, key: str, body: dict[str, Any]) -> None:
        """Put on record what is about to be sent for the first time."""
        self._write({"number": number, "key": key, "body": body})

    def answered(self, number: int, status: int, complaint_id: str | None) -> None:
        """Put an answer on record."""
        self._write({"number": number, "status": status, "id": complaint_id})

    def broke(self, number: int, error: Exception) -> None:
        """Put on record that no answer came."""
        self._write({"number": number, "broke": type(error).__name__})

    def _write(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
            os.fdatasync(self._file.fileno())

    def read(self) -> list[Entry]:
        """The requests on record, as read back from the disk, in the order they were first sent."""
        found: dict[int, Entry] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            note = json.loads(line)
            if "key" in note:
                found[note["number"]] = Entry(note["number"], note["key"], note["body"])
                continue
            entry = found[note["number"]]
            if "broke" in note:
                entry.breaks += 1
            elif not entry.acknowledged:
                entry.status, entry.complaint_id = note["status"], note["id"]
        return list(found.values())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
