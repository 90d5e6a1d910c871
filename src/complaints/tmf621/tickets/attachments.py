"""Attachments of a ticket: those that other systems keep, and those of the complaint. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from complaints.domain.complaint.attachments import Attachment
from complaints.tmf621.editions import Members

_NATIVE = "/v1/complaints"


def show_attachments(
    kept: Sequence[Mapping[str, Any]], own: Sequence[Attachment], server: str
) -> list[Members]:
    """The attachments of a ticket: sent ones in their order, then the other attachments of the complaint.

    A sent one with the id of an attachment of the complaint is that attachment. `server` is the public address of the
    server, or nothing.
    """
    left = {str(one.id): one for one in own}
    shown = []
    for one in kept:
        found = left.pop(str(one.get("id")), None)
        shown.append(dict(one) if found is None else {**one, **_show(found, server)})
    added = [{"@type": "Attachment", "attachmentType": "file", **_show(one, server)} for one in left.values()]
    return [*shown, *added]


def _show(one: Attachment, server: str) -> Members:
    address = f"{server}{_NATIVE}/{one.complaint_id}/attachments/{one.id}"
    shown: Members = {
        "id": str(one.id),
        "href": address,
        "url": address,
        "mimeType": one.media_type,
        "size": {"amount": one.size, "units": "bytes"},
    }
    return shown if one.name is None else {**shown, "name": one.name}
