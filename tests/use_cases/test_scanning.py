"""Attachments in quarantine: only the answer of a scanner lets one out."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from complaints.api.feature import NO_ANNEXES
from complaints.domain.complaint.attachments import Attachment
from complaints.outbound.clamd import Clamd
from complaints.serving.scheduler import Loops
from complaints.settings import Settings
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.attachments import scanning
from complaints.use_cases.attachments.adding import NewAttachment
from complaints.use_cases.attachments.reading import Quarantined, list_attachments, load_attachment
from complaints.use_cases.attachments.scanning import LEASE, ScanFailed, ScanWorker
from complaints.use_cases.complaints.history import timeline
from complaints.use_cases.service import AttachmentStore
from complaints.wiring import build_loops, wall_now
from tests.support import Scenario, add_attachment

pytestmark = pytest.mark.usefixtures("everything_holds")


@pytest.fixture
def guarded(scenario: Scenario) -> Scenario:
    """A scenario whose service has new attachments scanned."""
    store = AttachmentStore(scenario.service.attachments.blobs, is_scanned=True)
    return replace(scenario, service=replace(scenario.service, attachment_store=store, wall=wall_now))


class _Words:
    """A scanner that knows one word, fails at another, and notes each scan. `during` is called in each scan."""

    def __init__(self, during: Callable[[], object] = lambda: None) -> None:
        self.scanned: list[bytes] = []
        self._during = during

    def scan(self, parts: Any) -> str | None:
        self._during()
        content = b"".join(parts)
        self.scanned.append(content)
        if b"fail" in content:
            raise ScanFailed("no answer")
        return "Bad\nWord" + "!" * 300 if b"bad" in content else None


def _add(scenario: Scenario, reference: str, content: bytes) -> Attachment:
    return add_attachment(
        scenario.service, SYSTEM, reference, NewAttachment("a.txt", "text/plain"), [content]
    )


def test_rule_11_7_only_a_clean_attachment_leaves_quarantine(guarded: Scenario) -> None:
    """The one that failed waits, and does not hold up the others. Others can write while a file is scanned."""
    service, scanner = guarded.service, _Words(during=guarded.post)
    complaint = str(guarded.post().id)
    added = [_add(guarded, complaint, content) for content in (b"fail", b"good", b"bad")]
    assert {one.status for one in added} == {"quarantined"}
    for _ in range(2):
        ScanWorker(service, scanner).scan_waiting()
    assert scanner.scanned == [b"fail", b"good", b"bad"]
    listed = service.read(lambda tx: list_attachments(tx, SYSTEM, complaint, limit=5))
    assert [(one.status, one.finding and one.finding[:8]) for one in listed] == [
        ("quarantined", None),
        ("clean", None),
        ("quarantined", "BadWord!"),
    ]
    for one, told in ((added[0], "not scanned yet"), (added[2], "found something harmful")):
        with pytest.raises(Quarantined, match=told):
            service.read(lambda tx: load_attachment(tx, SYSTEM, complaint, one.id))  # noqa: B023
    assert service.read(lambda tx: load_attachment(tx, SYSTEM, complaint, added[1].id)).scanned_at
    events = service.read(lambda tx: timeline(tx, SYSTEM, complaint, after=0, limit=50))
    assert (events[-1].type, events[-1].actor) == ("complaint.attachment_infected", "key:system")
    assert events[-1].data == {"attachment_id": str(added[2].id), "finding": listed[2].finding}


def test_a_scan_that_was_cut_off_is_begun_again(guarded: Scenario) -> None:
    """Until its lease ends, no other process scans the attachment. Both results together are recorded once."""
    complaint = str(guarded.post().id)
    one = _add(guarded, complaint, b"bad")
    worker = ScanWorker(guarded.service, _Words())
    assert guarded.service.write(worker._claim) == one
    worker.scan_waiting()
    assert worker.scanner.scanned == []  # type: ignore[attr-defined]
    later = replace(guarded.service, wall=lambda: wall_now() + LEASE)
    ScanWorker(later, worker.scanner).scan_waiting()
    guarded.service.write(lambda tx: worker._record(tx, one, "Other"))
    events = guarded.service.read(lambda tx: timeline(tx, SYSTEM, complaint, after=0, limit=50))
    assert [event.type for event in events].count("complaint.attachment_infected") == 1


def test_a_scanner_that_is_away_is_asked_less_and_less(guarded: Scenario) -> None:
    complaint = str(guarded.post().id)
    for _ in range(5):
        _add(guarded, complaint, b"fail")
    scanner, passed = _Words(), timedelta()
    counts = []
    for seconds in (0, 4, 7, 11, 3600):
        passed += timedelta(seconds=seconds)
        service = replace(guarded.service, wall=lambda: wall_now() + passed)  # noqa: B023
        ScanWorker(service, scanner).scan_waiting()
        counts.append(len(scanner.scanned))
    assert counts[0] == scanning._FAILURES
    assert counts == sorted(counts)
    assert counts[-1] - counts[-2] == scanning._FAILURES


def test_a_scanner_that_is_away_leaves_no_file_open(guarded: Scenario, tmp_path: Path) -> None:
    one = _add(guarded, str(guarded.post().id), b"good")
    ScanWorker(guarded.service, Clamd(f"unix://{tmp_path}/none")).scan_waiting()
    # A descriptor that was closed since the look at the directory has no link any more.
    links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert [link for link in links if link.name == str(one.id)] == []


def test_the_loop_of_a_process_scans_what_it_takes_at_once(
    guarded: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs only where the setting names a scanner."""
    scanner = _Words()
    monkeypatch.setattr(
        "complaints.wiring.loops.open_scanner", lambda settings: scanner if settings.clamd_url else None
    )
    names = [_loops(guarded, url).loops[-1].name for url in (None, "tcp://x:1")]
    assert names == ["key uses", "scanning"]
    complaint = str(guarded.post().id)
    loops = _loops(guarded, "tcp://x:1")
    loops.start()
    try:
        time.sleep(0.1)  # its first run is over, and the next one would be in five seconds
        added = _add(guarded, complaint, b"good")
        deadline = time.monotonic() + 4
        while not scanner.scanned and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        loops.stop()
    listed = guarded.service.read(lambda tx: list_attachments(tx, SYSTEM, complaint, limit=5))
    assert [(one.id, one.status) for one in listed] == [(added.id, "clean")]


def _loops(scenario: Scenario, url: str | None) -> Loops:
    return build_loops(scenario.service, CollectorRegistry(), Settings(clamd_url=url), NO_ANNEXES)
