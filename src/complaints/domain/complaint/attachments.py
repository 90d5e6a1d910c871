"""Attachments of complaints: their facts, their limits, and which names and media types they may have (domain §11)."""

import re
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from uuid import UUID

from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import AttachmentStatus, Visibility

LONGEST_NAME = 255
LONGEST_MEDIA_TYPE = 127
_MEBIBYTE = 1024 * 1024
_TOKEN = r"[A-Za-z0-9!#$&^_.+-]+"  # noqa: S105 - RFC 6838, section 4.2
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}", re.ASCII)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """The most bytes of one attachment, and the most attachments and bytes of one complaint.

    `media_types` are the types that are taken, as `image/*`; empty: all of them.
    """

    most_bytes: int = 25 * _MEBIBYTE
    most_of_complaint: int = 100
    most_bytes_of_complaint: int = 500 * _MEBIBYTE
    media_types: tuple[str, ...] = ()

    def takes(self, media_type: str) -> bool:
        """True if attachments may have this media type, which is in lower case."""
        return not self.media_types or any(fnmatchcase(media_type, one) for one in self.media_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One attachment. `size` is in bytes, `digest` the SHA-256 of its bytes. Instants are in UTC.

    `name` is as it was sent; None after an erasure, at `erased_at`. `emptied_at` is when its bytes were deleted then.
    `finding` is what the scanner found in it at `scanned_at`; None for a clean one.
    """

    id: UUID
    complaint_id: UUID
    name: str | None
    media_type: str
    size: int
    digest: bytes
    status: AttachmentStatus
    visibility: Visibility
    created_at: datetime
    added_by: str
    scanned_at: datetime | None = None
    finding: str | None = None
    erased_at: datetime | None = None
    emptied_at: datetime | None = None


def find_name_fault(name: str) -> str | None:
    """What is wrong with the name of an attachment; None: nothing. Paths are names like others (rule 11.2)."""
    if len(name) > LONGEST_NAME:
        return f"must have at most {LONGEST_NAME} characters"
    if _CONTROLS.search(name):
        return "must not hold control characters, such as NUL or a line break"
    if not has_visible_character(name):
        return "must have a visible character"
    return None


def tidy_name(name: str) -> str | None:
    """The name without control characters, cut to its limit. None if no visible character is left.

    For files that nobody can send again, such as those of a mail.
    """
    tidied = _CONTROLS.sub("", name)[:LONGEST_NAME]
    return tidied if has_visible_character(tidied) else None


def is_media_type(text: str) -> bool:
    """True for a media type without parameters, such as `image/png`."""
    return len(text) <= LONGEST_MEDIA_TYPE and _MEDIA_TYPE.fullmatch(text) is not None
