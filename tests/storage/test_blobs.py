"""Stores of blobs: a directory, and a bucket on a server with the protocol of S3. Both keep the same promises."""

import errno
import gc
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from complaints.settings import Settings
from complaints.storage.blobs import directory
from complaints.storage.blobs.directory import BlobDirectory
from complaints.storage.blobs.s3 import PART, BlobBucket
from complaints.storage.blobs.store import BlobMissing, BlobStore, BlobWriter, StoreUnavailable
from complaints.wiring import NotReady, new_id, open_attachment_store, wall_now

LATER = timedelta(minutes=1)
_DESCRIPTORS = Path("/proc/self/fd")
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)  # the server of the test says 2010 for every upload


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "directory":
        return BlobDirectory(tmp_path / "blobs")
    request.getfixturevalue("bucket")
    return BlobBucket("complaints", "/files/")


@pytest.mark.parametrize("parts", [[b""], [b"abc", b"d"], [b"x" * (PART - 1), b"yz", b"w" * PART, b"last"]])
def test_a_blob_is_there_as_a_whole_after_finish(store: BlobStore, parts: list[bytes]) -> None:
    content, blob_id, begun = b"".join(parts), new_id(), wall_now() - LATER
    writer = store.create(blob_id)
    for part in parts:
        writer.write(part)
    assert list(store.list_blobs()) == []
    writer.finish()
    writer.discard()
    assert b"".join(store.read(blob_id)) == content
    [listed] = store.list_blobs()
    assert (listed.id, listed.size, begun < listed.written_at < wall_now() + LATER) == (
        blob_id,
        len(content),
        True,
    )
    assert store.discard_unfinished(wall_now() + LATER) == 0
    store.delete(blob_id)
    store.delete(blob_id)
    assert list(store.list_blobs()) == []
    with pytest.raises(BlobMissing, match="not in the store"):
        store.read(blob_id)


def test_a_reader_that_is_closed_before_the_first_part_gives_everything_back(store: BlobStore) -> None:
    blob_id = new_id()
    writer = store.create(blob_id)
    writer.write(b"abc")
    writer.finish()
    b"".join(store.read(blob_id))
    before = len([*_DESCRIPTORS.iterdir()])
    for _ in range(20):
        store.read(blob_id).close()
    # A connection that the bucket keeps is open or not. Its server is in this process too. It closes its ends later,
    # and some of them only when the garbage collector finds them.
    end = time.monotonic() + 10
    while len([*_DESCRIPTORS.iterdir()]) >= before + 10:
        assert time.monotonic() < end
        gc.collect()
        time.sleep(0.02)


def test_what_is_discarded_or_old_and_unfinished_is_gone(store: BlobStore) -> None:
    for _ in range(2):
        writer = store.create(new_id())
        writer.write(b"x" * PART)
    writer.discard()
    assert store.discard_unfinished(LONG_AGO) == 0
    assert store.discard_unfinished(wall_now() + LATER) == 1
    assert store.discard_unfinished(wall_now() + LATER) == 0
    assert list(store.list_blobs()) == []


def test_a_bucket_has_only_what_stands_below_its_prefix(bucket: Any) -> None:
    bucket.put_object(Bucket="complaints", Key="other/019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11", Body=b"x")
    bucket.put_object(Bucket="complaints", Key="files/readme.txt", Body=b"x")
    settings = Settings(attachments_url="s3://complaints/files")
    store = open_attachment_store(settings).blobs
    writer = store.create(blob_id := new_id())
    writer.write(b"x")
    writer.finish()
    assert [one.id for one in store.list_blobs()] == [blob_id]
    assert bucket.get_object(Bucket="complaints", Key=f"files/{blob_id}")["Body"].read() == b"x"


def test_a_store_that_does_not_answer_is_a_refusal(bucket: Any) -> None:
    store = BlobBucket("not-there", "")
    writer = store.create(new_id())
    writer.write(b"x")
    for call in (
        writer.finish,
        lambda: list(store.list_blobs()),
        lambda: store.delete(new_id()),
        lambda: store.discard_unfinished(wall_now()),
        lambda: store.create(new_id()).write(b"x" * PART),
    ):
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            call()


def _write_whole(writer: BlobWriter) -> None:
    writer.write(b"x")
    writer.finish()


@pytest.mark.parametrize(
    ("failure", "told"), [(errno.ENOSPC, "is full"), (errno.EDQUOT, "is full"), (errno.EIO, "cannot be used")]
)
def test_a_failing_disk_is_a_refusal_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: int, told: str
) -> None:
    store = BlobDirectory(tmp_path / "blobs")

    def fail(*_: object) -> None:
        raise OSError(failure, os.strerror(failure))

    for name in ("write", "fsync"):
        writer = store.create(new_id())
        with monkeypatch.context() as patch:
            patch.setattr(directory.os, name, fail)
            with pytest.raises(StoreUnavailable, match=told):
                _write_whole(writer)
        writer.discard()
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"attachments_url": "http://bucket"}, "COMPLAINTS_ATTACHMENTS_URL must be s3://bucket/prefix"),
        ({"attachments_url": "s3:///x"}, "COMPLAINTS_ATTACHMENTS_URL must be s3://bucket/prefix"),
        ({"attachments_url": "s3://b", "attachments_dir": "/tmp"}, "one of COMPLAINTS_ATTACHMENTS_DIR and"),
        ({"attachments_dir": "/not/there"}, "there is no directory /not/there"),
    ],
)  # fmt: skip
def test_settings_that_name_no_store_are_refused(settings: dict[str, str], told: str) -> None:
    with pytest.raises(NotReady, match=told):
        open_attachment_store(Settings.model_validate(settings))


def test_a_bucket_without_the_extra_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "complaints.storage.blobs.s3", None)
    with pytest.raises(NotReady, match=r"complaints\[s3\]"):
        open_attachment_store(Settings(attachments_url="s3://b"))


def test_an_environment_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ENDPOINT_URL", "nonsense"), ("AWS_PROFILE", "of-nobody")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(NotReady, match=r"COMPLAINTS_ATTACHMENTS_URL: .* begin with AWS_"):
                open_attachment_store(Settings(attachments_url="s3://complaints"))
