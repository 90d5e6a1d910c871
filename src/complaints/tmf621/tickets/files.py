"""Files that a ticket brings with it, in Base64. They become attachments of the complaint."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from complaints.domain.complaint.attachments import find_name_fault
from complaints.domain.errors import InvalidContent
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.kept_members import to_members
from complaints.tmf621.tickets.schemas import GivenAttachment, GivenAttachmentReference
from complaints.use_cases.access import Caller
from complaints.use_cases.attachments.adding import (
    MediaTypeRefused,
    NewAttachment,
    Upload,
    begin_upload_of_new,
)
from complaints.use_cases.service import Service

_UNNAMED = "attachment"
MOST_FILES = 100
"""The most files that one request brings."""
_OF_FILE = ("content", "size", "name", "mimeType", "href", "url")
"""The members of a file that the attachment of the complaint has."""
_Given = Sequence[GivenAttachment | GivenAttachmentReference]


@dataclass(frozen=True, slots=True)
class TicketFile:
    """A file of a new ticket. `place` is its index among the attachments."""

    place: int
    name: str
    media_type: str
    content: bytes

    def begin(self, service: Service, caller: Caller) -> Upload:
        """Begin to store the file. Raises InvalidContent for a media type that is not taken, and Unavailable."""
        try:
            return begin_upload_of_new(service, caller, NewAttachment(self.name, self.media_type))
        except MediaTypeRefused as refusal:
            raise InvalidContent.at(f"/attachment/{self.place}/mimeType", refusal.detail) from refusal


def read_files(given: _Given) -> list[TicketFile]:
    """The attachments with content. Raises InvalidContent for content that is no Base64, a bad name, or too many."""
    if sum(bool(getattr(one, "content", None)) for one in given) > MOST_FILES:
        raise InvalidContent.at("/attachment", f"A request may bring {MOST_FILES} files at most.")
    files = []
    for place, one in enumerate(given):
        if not isinstance(one, GivenAttachment) or not one.content:
            continue
        name = _UNNAMED if one.name is None else one.name
        if fault := find_name_fault(name):
            raise InvalidContent.at(f"/attachment/{place}/name", f"The file name {fault}.")
        files.append(TicketFile(place, name, one.mime_type, _decode(place, one.content)))
    return files


def _decode(place: int, content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidContent.at(f"/attachment/{place}/content", "The content is not Base64.") from error


def kept_attachments(given: _Given, file_ids: Sequence[UUID] = ()) -> list[Members]:
    """The attachments to keep with a complaint. A file keeps what its attachment of the complaint does not have.

    `file_ids` are the ids of the attachments of the complaint, for each file in order.
    """
    ids = iter(file_ids)
    kept = []
    for one in given:
        members = to_members(one)
        if members.get("content"):
            members = {name: value for name, value in members.items() if name not in _OF_FILE}
            members["id"] = str(next(ids))
        members.pop("content", None)
        kept.append(members)
    return kept
