"""A change of a ticket: its members, notes, relations and status, all in one transaction."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from starlette.concurrency import run_in_threadpool

from complaints.api.complaints.file_threads import FileThreads
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.json_text import encode
from complaints.tmf621.bodies import check_shape
from complaints.tmf621.editions import Edition, Members
from complaints.tmf621.requests import TmfRequest
from complaints.tmf621.tickets.changed_members import PARTIES, PresentTicket, complaint_members
from complaints.tmf621.tickets.file_changes import ATTACHMENTS, ChangedFiles, attachments_to_keep
from complaints.tmf621.tickets.json_patches import json_patch
from complaints.tmf621.tickets.kept_members import kept_list, kept_of, to_members
from complaints.tmf621.tickets.loading import TicketParts, load_ticket
from complaints.tmf621.tickets.relation_changes import RELATIONS, change_links, read_relations
from complaints.tmf621.tickets.representation import ticket_json
from complaints.tmf621.tickets.requested_changes import (
    check_fixed_characteristics,
    find_new_notes,
    read_requested_status,
)
from complaints.tmf621.tickets.schemas import TicketChange
from complaints.tmf621.tickets.status_changes import change_status
from complaints.tmf621.tickets.ticket_patches import CHARACTERISTICS, NOTES, TicketPatch, merge_patch
from complaints.use_cases.access import LacksRight, Right
from complaints.use_cases.commands.complaints import AddNote, PatchComplaint
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints.changing import last_changed_at
from complaints.use_cases.complaints.edit import patch as patch_complaint
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.notes_and_links import add_note
from complaints.use_cases.complaints.own_notes import find_own_note_texts
from complaints.use_cases.service import Transaction

_SENT_AS = {
    "subject": "name",
    "category": "ticketType",
    "attributes": CHARACTERISTICS,
    "external_ids": "externalIdentifier",
    "complainant": "relatedParty",
    "reporter": "relatedParty",
}


def read_patch(media_type: str, content: Any, edition: Edition, source: str) -> TicketPatch:
    """The patch of a body. Raises InvalidContent for a body that does not fit its media type.

    `source` is the system of the caller.
    """
    if media_type == "application/json-patch+json":
        return json_patch(content)
    if media_type == "application/json-patch-query+json":
        return json_patch(content, with_queries=True)
    given = edition.read_change(content)
    return merge_patch(given, lambda shown: edition.fit_change(given, shown, source))


async def patch_ticket(request: TmfRequest, reference: str, patch: TicketPatch) -> None:
    """Make the changes of a patch in one transaction. Its files are stored before. Raises as `change_ticket`."""
    service = request.service

    def change() -> None:
        with ExitStack() as stack:
            uploads = [stack.enter_context(one.begin(service, request.caller)) for one in patch.files]
            for one, upload in zip(patch.files, uploads, strict=True):
                upload.write(one.content)
                upload.finish()
            files = ChangedFiles(uploads)
            service.write(lambda tx: change_ticket(request, tx, reference, patch, files))
            for upload in files.recorded:
                upload.keep(None)

    threads: FileThreads = request.http.app.state.file_threads
    await (threads.run(change) if patch.files else run_in_threadpool(change))


def change_ticket(
    request: TmfRequest, tx: Transaction, reference: str, patch: TicketPatch, files: ChangedFiles
) -> None:
    """Make the changes of a patch. The complaint stays locked, so the patch meets the ticket that it changes.

    Raises Forbidden, NotFound, InvalidContent, and Conflict, with the statuses that are possible if one was refused.
    """
    service, caller = request.service, request.caller
    caller.require(Right.CONTRIBUTE)
    complaint = load_known_complaint(tx, caller, reference, right=Right.CONTRIBUTE, lock=True).complaint
    tx = tx.not_before(last_changed_at(complaint))
    ticket = load_ticket(service, tx, caller, str(complaint.id))
    shown: Members = json.loads(encode(ticket_json(ticket, request.base)))
    result = patch.apply_to(shown)
    after = check_shape(TicketChange, result.ticket)
    present = _present(request, ticket, complaint, shown)
    names = tuple(result.changes)
    if CHARACTERISTICS in names and patch.is_strict:
        check_fixed_characteristics(after, present)
    if PARTIES in names and not ticket.complaint.in_clear:
        raise LacksRight(Right.SEE_PERSONS)
    requested = read_requested_status(patch, names, after, present)
    relations = [read_relations(request, tx, one.relationship) for one in (present.before, after)]
    kept: Members = {RELATIONS: list(relations[1].kept)} if RELATIONS in names else {}
    if ATTACHMENTS in names:
        kept[ATTACHMENTS] = _record_files(tx, ticket, after, present, files)
    if members := complaint_members(names, after, present, kept):
        complaint = _edit(request, tx, complaint, members)
    if NOTES in names:
        _add_notes(request, tx, complaint, find_new_notes(after, present))
    if RELATIONS in names:
        change_links(request, tx, complaint, *relations)
    if requested is not None:
        change_status(request, tx, complaint, requested)


def _record_files(
    tx: Transaction, ticket: TicketParts, after: TicketChange, present: PresentTicket, files: ChangedFiles
) -> list[Members]:
    """Record the files of a change. Returns the attachments to keep."""
    file_ids = files.record(tx, str(present.complaint.id), ticket.attachments, after)
    shown = [to_members(one) for one in present.before.attachment or ()]
    kept = kept_list(kept_of(present.complaint.attributes), ATTACHMENTS)
    return attachments_to_keep(after, file_ids, shown, ticket.attachments, kept)


def _present(request: TmfRequest, ticket: TicketParts, complaint: Complaint, shown: Members) -> PresentTicket:
    caller = request.caller
    return PresentTicket(
        shown=shown,
        before=check_shape(TicketChange, shown),
        complaint=complaint,
        persons=ticket.complaint.persons,
        categories=ticket.words,
        source=caller.source,
        admits=caller.scope.admits_source,
        keeps_words=Right.WORK in caller.rights,
    )


def _edit(request: TmfRequest, tx: Transaction, complaint: Complaint, members: Members) -> Complaint:
    try:
        command = read_command(PatchComplaint, members)
        return patch_complaint(request.service, tx, request.caller, str(complaint.id), command, None)
    except InvalidContent as refusal:
        raise _name_as_sent(refusal) from None


def _name_as_sent(refusal: InvalidContent) -> InvalidContent:
    """The refusal of a command with the names of the members that the caller sent."""
    faults = []
    for fault in refusal.faults:
        name = fault.pointer.removeprefix("/").partition("/")[0]
        sent = _SENT_AS.get(name, name)
        message = sent + fault.message.removeprefix(name) if fault.message.startswith(name) else fault.message
        faults.append(Fault(f"/{sent}", message))
    return InvalidContent(faults[0].message if faults else refusal.detail, faults=faults)


def _add_notes(request: TmfRequest, tx: Transaction, complaint: Complaint, texts: Sequence[str]) -> None:
    """Add the notes that are not on record. A program that sends a change again doubles no note."""
    known = find_own_note_texts(tx, request.caller, complaint.id)
    for text in texts:
        if text not in known:
            command = read_command(AddNote, {"text": text, "visibility": "internal"})
            add_note(request.service, tx, request.caller, str(complaint.id), command)
