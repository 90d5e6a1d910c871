"""Blobs as objects in a bucket of S3 or of a store that speaks its protocol. It needs the extra `complaints[s3]`.

Endpoint, region and credentials come from the usual environment of boto3 (AWS_ENDPOINT_URL, AWS_REGION, …). A large
blob is sent in parts, so it is never in memory as a whole. It is there when its last part is confirmed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from complaints.storage.blobs.store import CHUNK, BlobMissing, BlobStore, StoredBlob, StoreUnavailable

PART = 8 * 1024 * 1024
"""The bytes of a part. S3 takes no smaller parts than 5 MiB, but for the last one."""

_MISSING = ("NoSuchKey", "404")
log = logging.getLogger(__name__)


class BlobBucket:
    """Blobs in `bucket`, with keys `<prefix>/<id>`. Nothing is asked of the store before the first call.

    Raises ValueError if the environment of boto3 makes no sense.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        # Checksums of newer kinds are refused by many stores that are not Amazon's. We compare SHA-256 ourselves.
        config = Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": 3},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            self._client: Any = boto3.client("s3", config=config)
        except BotoCoreError as error:
            raise ValueError(str(error)) from error

    def create(self, blob_id: UUID) -> "_ObjectWriter":
        """Begin to write a blob. Nothing is sent before the first part is full."""
        return _ObjectWriter(self._client, self._place(blob_id))

    def read(self, blob_id: UUID) -> "_ObjectReader":
        """Open a blob. Raises BlobMissing at once if it is not there."""
        with _told():
            return _ObjectReader(self._client.get_object(**self._place(blob_id))["Body"])

    def delete(self, blob_id: UUID) -> None:
        """Delete a blob. Does nothing if it is not there."""
        with _told():
            self._client.delete_object(**self._place(blob_id))

    def list_blobs(self) -> Iterator[StoredBlob]:
        """All blobs below the prefix. Objects with other names are left out."""
        with _told():
            for page in self._pages("list_objects_v2"):
                for one in page.get("Contents", ()):
                    with suppress(ValueError):
                        blob_id = UUID(one["Key"].removeprefix(self._prefix))
                        yield StoredBlob(blob_id, one["Size"], one["LastModified"].astimezone(UTC))

    def discard_unfinished(self, before: datetime) -> int:
        """Give up uploads in parts that were begun before `before` (UTC)."""
        with _told():
            old = [
                {"Bucket": self._bucket, "Key": one["Key"], "UploadId": one["UploadId"]}
                for page in self._pages("list_multipart_uploads")
                for one in page.get("Uploads", ())
                if one["Initiated"] < before
            ]
            for upload in old:
                self._client.abort_multipart_upload(**upload)
            return len(old)

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        asked = self._client.get_paginator(operation).paginate(Bucket=self._bucket, Prefix=self._prefix)
        return iter(asked)

    def _place(self, blob_id: UUID) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{blob_id}"}


class _ObjectWriter:
    """Writes one object: at once if it is small, otherwise in parts."""

    def __init__(self, client: Any, place: dict[str, str]) -> None:
        self._client, self._place = client, place
        self._buffer = bytearray()
        self._upload: dict[str, str] | None = None
        self._parts: list[dict[str, Any]] = []

    def write(self, part: bytes) -> None:
        """Add bytes at the end, and send each full part. Raises StoreUnavailable."""
        self._buffer += part
        with _told():
            while len(self._buffer) >= PART:
                self._send(bytes(self._buffer[:PART]))
                del self._buffer[:PART]

    def finish(self) -> None:
        """Send the rest, and have the parts put together. Raises StoreUnavailable."""
        with _told():
            if self._upload is None:
                self._client.put_object(**self._place, Body=bytes(self._buffer))
                return
            if self._buffer:
                self._send(bytes(self._buffer))
            self._client.complete_multipart_upload(**self._upload, MultipartUpload={"Parts": self._parts})
            self._upload = None

    def discard(self) -> None:
        """Give up an upload in parts. One that stays is given up by a later sweep."""
        self._buffer.clear()
        upload, self._upload = self._upload, None
        if upload is not None:
            with suppress(StoreUnavailable), _told():
                self._client.abort_multipart_upload(**upload)

    def _send(self, body: bytes) -> None:
        if self._upload is None:
            begun = self._client.create_multipart_upload(**self._place)
            self._upload = {**self._place, "UploadId": begun["UploadId"]}
        number = len(self._parts) + 1
        sent = self._client.upload_part(**self._upload, PartNumber=number, Body=body)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class _ObjectReader(Iterator[bytes]):
    """Reads one object in parts."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._parts: Iterator[bytes] = body.iter_chunks(CHUNK)

    def __next__(self) -> bytes:
        with _told():
            return next(self._parts)

    def close(self) -> None:
        """Close the answer, so that its connection is free."""
        self._body.close()


@contextmanager
def _told() -> Iterator[None]:
    """Raise StoreUnavailable for a failure of the store. The log has the reason."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        log.warning("the bucket of attachments failed", exc_info=error)
        if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _MISSING:
            raise BlobMissing from error
        raise StoreUnavailable(
            "The store of attachments cannot be used just now: try again shortly."
        ) from error


_: type[BlobStore] = BlobBucket
