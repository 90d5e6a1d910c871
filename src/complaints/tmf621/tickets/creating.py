"""Creating a ticket.

A ticket without notes, files and links shares a transaction with other new ones that arrive with it.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from complaints.api.complaints.file_threads import FileThreads
from complaints.api.complaints.group_commit import GroupCommit
from complaints.api.complaints.routes import group_intake, note_posted
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import LinkType
from complaints.tmf621.editions import Edition
from complaints.tmf621.requests import TmfRequest, base_of, make_answer
from complaints.tmf621.tickets.categories import CategoryWords, words_of
from complaints.tmf621.tickets.files import TicketFile, kept_attachments, read_files
from complaints.tmf621.tickets.intake import command_of
from complaints.tmf621.tickets.loading import TicketParts, load_tickets, new_ticket
from complaints.tmf621.tickets.relationships import read_relationships
from complaints.tmf621.tickets.representation import ticket_json
from complaints.tmf621.tickets.requested_changes import check_number_of_notes
from complaints.tmf621.tickets.schemas import GivenNote, NewTicket
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.attachments.adding import Upload
from complaints.use_cases.attachments.reading import find_attachments
from complaints.use_cases.commands.complaints import AddLink, AddNote
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import notes_and_links
from complaints.use_cases.complaints.deleted_tickets import is_deleted_ticket
from complaints.use_cases.complaints.intake import IntakeResult, register_one
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.known import is_known, load_known_id
from complaints.use_cases.complaints.own_notes import find_own_note_texts
from complaints.use_cases.complaints.views import view, view_one
from complaints.use_cases.once import Answer, Outcome, answer_once
from complaints.use_cases.service import Service, Transaction

_Intakes = dict[str, tuple[Service, GroupCommit[IntakeRequest, Answer]]]


async def create_ticket(request: TmfRequest, ticket: NewTicket) -> Answer:
    """Register a new ticket, and answer with it as it is after the commit.

    Raises InvalidContent, Conflict for a status that only ends a ticket, and the refusals of a post of a complaint.
    """
    words = await _find_words(request.service)
    notes, files = read_notes(ticket.note or ()), read_files(ticket.attachment or ())
    if notes or files or (ticket.relationship and Right.WORK in request.caller.rights):
        answer = await _create_with_parts(request, ticket, words, notes, files)
    else:
        command = command_of(
            ticket,
            request.caller,
            words,
            attachments=kept_attachments(ticket.attachment or ()),
            relationships=read_relationships(ticket.relationship or (), lambda _: None).kept,
        )
        asked = IntakeRequest(request.caller, command, await request.read_attempt())
        answer = await _intake_of(request).result_of(asked)
    note_posted(request.http.scope, answer)
    return answer


async def _find_words(service: Service) -> CategoryWords:
    """The words for categories, by the configuration in memory; only an old one is read again."""
    configuration = service.cache.trusted()
    if configuration is None:
        configuration = await run_in_threadpool(service.read, service.configuration)
    return words_of(configuration.categories)


def read_notes(given: Sequence[GivenNote]) -> list[AddNote]:
    """The notes that have a text. Raises InvalidContent for one that is too long, and for too many."""
    check_number_of_notes([one.text for one in given if one.text is not None])
    notes = []
    for n, one in enumerate(given):
        if one.text is None or not has_visible_character(one.text):
            continue
        try:
            notes.append(read_command(AddNote, {"text": one.text}))
        except InvalidContent as refusal:
            raise InvalidContent.at(f"/note/{n}/text", refusal.detail) from refusal
    return notes


# Without notes and files ---------------------------------------------------------------------------------------------


def _intake_of(request: TmfRequest) -> GroupCommit[IntakeRequest, Answer]:
    """The group commit of new tickets of an edition. It is made at the first one."""
    state, edition = request.http.app.state, request.edition
    intakes: _Intakes = getattr(state, "ticket_intakes", {})
    service, intake = intakes.get(edition.name, (None, None))
    if intake is None or service is not request.service:
        intake = group_intake(request.service, partial(_show_posted, request.service, edition))
        state.ticket_intakes = {**intakes, edition.name: (request.service, intake)}
    return intake


def _show_posted(
    service: Service, edition: Edition, tx: Transaction, asked: IntakeRequest, result: IntakeResult
) -> Outcome:
    """The answer to one post. A refusal is returned: if it were raised, it would refuse the other posts too."""
    if refusal := _find_deleted(tx, result):
        return refusal
    if not result.created or result.recurrence_of is not None:
        return _show_stored(service, edition, tx, asked.caller, result.complaint)
    parts = view(service, tx, asked.caller, result.complaint, result.persons).parts
    return _answer(service, edition, asked.caller, new_ticket(service, tx, parts))


def _find_deleted(tx: Transaction, result: IntakeResult) -> Conflict | None:
    """The refusal of a ticket that is known but deleted: nobody could read the ticket of the answer."""
    complaint = result.complaint
    if result.created or not is_deleted_ticket(tx, {"status": complaint.status, "id": complaint.id}):
        return None
    return Conflict("The ticket with this external identifier and these words was deleted.")


def _show_stored(
    service: Service, edition: Edition, tx: Transaction, caller: Caller, complaint: Complaint
) -> Answer:
    tx.finish()  # writes the events, so that they can be read
    parts = view_one(service, tx, caller, complaint).parts
    [found] = load_tickets(service, tx, caller, [parts])
    return _answer(service, edition, caller, found)


def _answer(service: Service, edition: Edition, caller: Caller, found: TicketParts) -> Answer:
    shown = edition.show(ticket_json(found, base_of(service, edition)), caller.source)
    return make_answer(201, shown, {"Location": shown["href"]})


# With notes, files and links -----------------------------------------------------------------------------------------


async def _create_with_parts(
    request: TmfRequest,
    ticket: NewTicket,
    words: CategoryWords,
    notes: Sequence[AddNote],
    files: Sequence[TicketFile],
) -> Answer:
    service, caller = request.service, request.caller
    attempt = await request.read_attempt()

    def create() -> Answer:
        with ExitStack() as stack:
            uploads = [stack.enter_context(one.begin(service, caller)) for one in files]
            for one, upload in zip(files, uploads, strict=True):
                upload.write(one.content)
                upload.finish()
            parts = _Parts(request, ticket, words, notes, uploads)
            answer = answer_once(service.write, attempt, parts.register)
            for upload in parts.recorded:  # none for an answer that is given again
                upload.keep(answer)
            return answer

    threads: FileThreads = request.http.app.state.file_threads
    return await (threads.run(create) if files else run_in_threadpool(create))


@dataclass(frozen=True, slots=True)
class _Parts:
    """A ticket with its parts. `recorded` are the uploads that the transaction recorded."""

    request: TmfRequest
    ticket: NewTicket
    words: CategoryWords
    notes: Sequence[AddNote]
    uploads: Sequence[Upload]
    recorded: list[Upload] = field(default_factory=list)

    def register(self, tx: Transaction) -> Answer:
        """Register the ticket with all its parts in one transaction.

        A ticket that is known may have them already: then they are not added again.
        """
        self.recorded.clear()  # of a try that lost a race
        service, caller = self.request.service, self.request.caller
        relations = read_relationships(self.ticket.relationship or (), partial(_find_id, tx, caller))
        kept = kept_attachments(self.ticket.attachment or (), [upload.id for upload in self.uploads])
        command = command_of(self.ticket, caller, self.words, attachments=kept, relationships=relations.kept)
        result = register_one(service, tx, caller, command)
        if refusal := _find_deleted(tx, result):
            raise refusal
        complaint = self._add_parts(tx, result.complaint, relations.links)
        return _show_stored(service, self.request.edition, tx, caller, complaint)

    def _add_parts(
        self, tx: Transaction, complaint: Complaint, links: Sequence[tuple[LinkType, UUID]]
    ) -> Complaint:
        service, caller, reference = self.request.service, self.request.caller, str(complaint.id)
        texts, digests = _find_parts(service, tx, caller, complaint)
        for link_type, other_id in links:
            link = AddLink(type=link_type, complaint_id=str(other_id))
            complaint, _ = notes_and_links.add_link(service, tx, caller, reference, link)
        for note in self.notes:
            if note.text not in texts:
                complaint = notes_and_links.add_note(service, tx, caller, reference, note)
        for upload in self.uploads:
            if upload.digest not in digests:
                upload.record(tx, reference)
                self.recorded.append(upload)
        return complaint


def _find_id(tx: Transaction, caller: Caller, reference: str) -> UUID | None:
    """The complaint that the id of a relation names. A caller who may not link complaints links none."""
    if Right.WORK not in caller.rights or not is_known(tx, caller, reference, Right.WORK):
        return None
    return load_known_id(tx, caller, reference, Right.WORK)


def _find_parts(
    service: Service, tx: Transaction, caller: Caller, complaint: Complaint
) -> tuple[set[str], set[bytes]]:
    """The texts of the notes of the caller and the digests of the files that the complaint has."""
    attachments = find_attachments(tx, caller, [view_one(service, tx, caller, complaint).parts])
    texts = find_own_note_texts(tx, caller, complaint.id)
    return texts, {one.digest for one in attachments.get(complaint.id, ())}
