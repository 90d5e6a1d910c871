"""Intake: registers complaints, one or many at once, by the same code. Posts and imports call it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.texts import ERASED
from complaints.domain.errors import ComplaintError, clip
from complaints.domain.policy.side_by_side import ChoosingMembers
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import Channel, LinkType
from complaints.storage import load
from complaints.storage.configuration import Configuration
from complaints.storage.database.look_ups import Found, LookUp, look_up
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import link
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.external_id import find_holders
from complaints.storage.rows.person import COMPLAINANT, REPORTER, EarlierComplaint, Persons
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right, complainant_of
from complaints.use_cases.commands.complaints import CreateComplaint
from complaints.use_cases.complaints.assigning import assign_by_policy
from complaints.use_cases.complaints.contacts import (
    ContactIntake,
    Recurrence,
    RepeatedPost,
    words_digest,
)
from complaints.use_cases.complaints.external_ids import refuse_taken_ids
from complaints.use_cases.complaints.identities import identity_of
from complaints.use_cases.complaints.intake_checks import (
    Checked,
    IntakeRequest,
    check_request,
    check_requests,
    find_retired_choice,
)
from complaints.use_cases.complaints.intake_look_ups import FoundBefore, look_up_posts
from complaints.use_cases.complaints.repeats import EarlierComplaints, ask_for_earlier
from complaints.use_cases.complaints.waves import IntakeWaves, divide_into_waves
from complaints.use_cases.service import Service

_SUBJECT_LENGTH = 100  # of a contact on a complaint whose subject was erased


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """The complaint of a request. `created` is False if it was registered before; then `persons` is empty.

    `related` are earlier complaints of the complainant of a new one, as far as the caller may know of them.
    `recurrence_of` is the ended complaint about which the new one is a contact.
    """

    complaint: Complaint
    persons: Persons
    created: bool
    related: Sequence[EarlierComplaint | Complaint] = ()
    recurrence_of: Complaint | None = None


@dataclass(frozen=True, slots=True)
class ContactWords:
    """Words of the complainant about a complaint on record, and the channel by which they came."""

    channel: Channel
    text: str


def register(
    service: Service, tx: Transaction, requests: Sequence[IntakeRequest]
) -> list[IntakeResult | ComplaintError]:
    """Register complaints. A request that is refused gets its refusal and does not affect the others."""
    found = _register(service, tx, requests, check_requests(service, tx, requests))
    return [found[n] for n in range(len(requests))]


def look_up_checked(
    tx: Transaction, requests: Sequence[IntakeRequest], checked: Checked, other: LookUp[Found]
) -> tuple[FoundBefore, Found]:
    """Look up the first wave of checked requests, and do another look-up in the same statement."""
    waves = _divide(requests, checked).waves
    found, others = look_up_posts(tx, waves[0] if waves else {}, other)
    return found, others


def register_checked(
    service: Service, tx: Transaction, requests: Sequence[IntakeRequest], checked: Checked, known: FoundBefore
) -> list[IntakeResult | ComplaintError]:
    """As `register`, for the requests in `checked`, and in its order. `known` is from `look_up_checked`.

    If all complaints are new, they are written just before commit. The transaction may begin late.
    """
    found = _register(service, tx, requests, checked, known)
    return [found[n] for n in checked]


def _register(
    service: Service,
    tx: Transaction,
    requests: Sequence[IntakeRequest],
    checked: Checked,
    known: FoundBefore | None = None,
) -> dict[int, IntakeResult | ComplaintError]:
    found: dict[int, IntakeResult | ComplaintError]
    found = {n: one for n, one in checked.items() if isinstance(one, ComplaintError)}
    divided = _divide(requests, checked)
    at_end = known is not None and len(divided.waves) == 1
    for wave in divided.waves:
        before = known if known and wave.keys() <= known.received.keys() else look_up_posts(tx, wave)[0]
        found |= _register_wave(service, tx, wave, requests, before, at_end=at_end)
    found |= {n: _same_again(found[first]) for n, first in divided.first_of.items()}
    return found


def _divide(requests: Sequence[IntakeRequest], checked: Checked) -> IntakeWaves:
    accepted = {n: one for n, one in checked.items() if isinstance(one, NewComplaint)}
    return divide_into_waves(accepted, {n: requests[n].caller.sight for n in accepted})


def _same_again(first: IntakeResult | ComplaintError) -> IntakeResult | ComplaintError:
    return first if isinstance(first, ComplaintError) else IntakeResult(first.complaint, {}, created=False)


def register_one(service: Service, tx: Transaction, caller: Caller, command: CreateComplaint) -> IntakeResult:
    """Register one complaint. Raises ComplaintError if it is refused."""
    [outcome] = register(service, tx, [IntakeRequest(caller, command)])
    if isinstance(outcome, ComplaintError):
        raise outcome
    return outcome


def plan_first_post(
    service: Service, tx: Transaction, request: IntakeRequest, number: int, earlier: EarlierComplaints
) -> ChangeToSave:
    """Plan the complaint of a request of which nothing is on record. The caller saves it. Raises ComplaintError."""
    configuration = service.configuration(tx)
    new = check_request(request, tx, configuration)
    if refusal := find_retired_choice(new, configuration):
        raise refusal
    scopes = {0: request.caller.scope_for(Right.SEE_PERSONS)}
    _, [planned] = _plan(service, tx, {0: (number, new)}, scopes, earlier, by_plans=False)
    return planned


def _register_wave(
    service: Service,
    tx: Transaction,
    wave: dict[int, NewComplaint],
    requests: Sequence[IntakeRequest],
    before: FoundBefore,
    *,
    at_end: bool,
) -> dict[int, IntakeResult | ComplaintError]:
    """Register requests of which no two have the same external id."""
    received = {n: before.received[n] for n in wave}
    numbers = {n: number for n, number in received.items() if isinstance(number, int)}
    configuration = service.configuration(tx)
    choices = {n: find_retired_choice(wave[n], configuration) for n in numbers}
    refused: dict[int, ComplaintError] = {n: refusal for n, refusal in choices.items() if refusal}
    callers = {n: requests[n].caller for n in wave}
    unrefused = {n: wave[n] for n in numbers if n not in refused}
    refused |= refuse_taken_ids(tx, unrefused, before.holders, {}, callers)
    numbered = {n: (number, wave[n]) for n, number in numbers.items() if n not in refused}
    # Earlier complaints of a complainant reveal who complained: so does a filter by persons.
    scopes = {n: requests[n].caller.scope_for(Right.SEE_PERSONS) for n in wave}
    results, changes = _plan(service, tx, numbered, scopes, before.earlier)
    repeated = {
        n: RepeatedPost(known_id, wave[n], requests[n].caller)
        for n, known_id in received.items()
        if isinstance(known_id, UUID)
    }
    if changes:
        save(tx, changes, service.new_id, at_end=at_end and not repeated)
    again = _take_repeated(service, tx, repeated, before.earlier) if repeated else {}
    return {**refused, **results, **again}


# Complaints that were registered before ----------------------------------------------------------------------------


def _take_repeated(
    service: Service, tx: Transaction, posts: dict[int, RepeatedPost], earlier: EarlierComplaints
) -> dict[int, IntakeResult | ComplaintError]:
    """Answer posts under known external ids. Each recurrence becomes a new complaint (rule 1.14)."""
    contacts = ContactIntake(service, tx)
    found: dict[int, IntakeResult | ComplaintError] = {}
    recurrences: dict[int, Recurrence] = {}
    for n, outcome in contacts.take(posts).items():
        if isinstance(outcome, Recurrence):
            recurrences[n] = outcome
        else:
            found[n] = (
                outcome if isinstance(outcome, ComplaintError) else IntakeResult(outcome, {}, created=False)
            )
    again, changes = _begin_again(service, tx, contacts, posts, recurrences, earlier)
    if changes := [*contacts.changes(), *changes]:
        save(tx, changes, service.new_id)
    for result in again.values():
        if isinstance(result, IntakeResult) and result.recurrence_of:
            link.add_link(tx, result.complaint.id, LinkType.RECURRENCE_OF, result.recurrence_of.id)
    return {**found, **again}


def _begin_again(
    service: Service,
    tx: Transaction,
    contacts: ContactIntake,
    posts: dict[int, RepeatedPost],
    recurrences: dict[int, Recurrence],
    earlier: EarlierComplaints,
) -> tuple[dict[int, IntakeResult | ComplaintError], list[ChangeToSave]]:
    """Plan the new complaints of recurrences: each takes over the external id and the known words."""
    own = {n: {recurrence.holder_id, recurrence.ended.id} for n, recurrence in recurrences.items()}
    new = {n: posts[n].new for n in recurrences}
    holders = find_holders(tx, {pair for one in new.values() for pair in one.external_ids.items()})
    refused = refuse_taken_ids(tx, new, holders, own, {n: posts[n].caller for n in recurrences})
    accepted = {n: recurrence for n, recurrence in recurrences.items() if n not in refused}
    numbers = zip(accepted, load.take_numbers(tx, len(accepted)), strict=True)
    numbered = {n: (number, posts[n].new) for n, number in numbers}
    results, planned = _plan(
        service, tx, numbered, {n: posts[n].caller.scope_for(Right.SEE_PERSONS) for n in numbered}, earlier
    )
    changes = []
    for (n, recurrence), to_save in zip(accepted.items(), planned, strict=True):
        contacts.hand_over(recurrence, to_save.change, posts[n])
        results[n] = replace(results[n], complaint=to_save.change.complaint, recurrence_of=recurrence.ended)
        changes.append(replace(to_save, words=tuple(recurrence.known_words)))
    return {**refused, **results}, changes


def add_contact(
    service: Service,
    tx: Transaction,
    complaint_id: UUID,
    words: ContactWords,
    *,
    caller: Caller | None = None,
) -> IntakeResult:
    """Take words of the complainant about a complaint that is known by its id (rules 1.11 to 1.14).

    `caller` wrote them down; None: the complainant did. The result has the complaint to which the words went, or the
    new one after the end of the complaint. Raises NotFound, and Conflict if the caller may not see its persons.
    """
    record = load.load_complaint(tx, complaint_id, scope=ALL_COMPLAINTS)
    persons = person_rows.find_persons(tx, [complaint_id]).get(complaint_id, {})
    caller = caller or complainant_of(record.complaint.source)
    new = _contact_of(record.complaint, persons, words, service.configuration(tx), caller, tx.now)
    found = look_up(tx, ask_for_earlier([new]))
    post = RepeatedPost(complaint_id, new, caller, is_direct=True)
    outcome = _take_repeated(service, tx, {0: post}, EarlierComplaints(found))[0]
    if isinstance(outcome, ComplaintError):
        raise outcome
    return outcome


def _contact_of(
    complaint: Complaint,
    persons: Persons,
    words: ContactWords,
    configuration: Configuration,
    caller: Caller,
    now: datetime,
) -> NewComplaint:
    """The words as a complaint of their own, about the same thing. Only a contact after the end becomes one."""
    members = ChoosingMembers(complaint.region, complaint.source, words.channel, complaint.category)
    policy, chosen_by = configuration.side_by_side.choose(now, members)
    return NewComplaint(
        channel=words.channel,
        subject=clip(words.text, _SUBJECT_LENGTH) if complaint.subject == ERASED else complaint.subject,
        description=words.text,
        region=complaint.region,
        service_type=complaint.service_type,
        service_id=complaint.service_id,
        source=complaint.source,
        received_at=now,
        policy=policy,
        policy_chosen_by=dict(chosen_by),
        actor=caller.actor,
        category=configuration.classify(complaint.category, retired_too=True),
        complainant=persons.get(COMPLAINANT),
        reporter=persons.get(REPORTER),
        identity=identity_of(persons.get(COMPLAINANT), policy),
    )


# New complaints ----------------------------------------------------------------------------------------------------


def _plan(
    service: Service,
    tx: Transaction,
    numbered: dict[int, tuple[int, NewComplaint]],
    scopes: Mapping[int, Scope],
    earlier: EarlierComplaints,
    *,
    by_plans: bool = True,
) -> tuple[dict[int, IntakeResult], list[ChangeToSave]]:
    """New complaints by place, and their changes in the same order. `scopes` are those of the callers, by place.

    Without `by_plans` the rules plan each: a plan would serve too few complaints of other times.
    """
    if not numbered:
        return {}, []
    configuration = service.configuration(tx)
    results: dict[int, IntakeResult] = {}
    changes: dict[int, ChangeToSave] = {}
    for n, (number, new) in sorted(numbered.items(), key=lambda one: one[1][1].received_at):
        related = earlier.list_related(new, scopes[n]) if new.import_id is None else ()
        persons = _persons(new)
        columns = [_columns_of(tx, new, role, person) for role, person in persons.items()]
        change = plan_intake(
            new,
            repeat=earlier.is_repeat(new),
            directory=configuration.directory,
            now=tx.now,
            sequence=number,
            new_id=service.new_id,
            person_digests={person["role"]: person_rows.digest_of(person) for person in columns},
            plans=configuration.plans if by_plans else None,
        )
        words = words_digest(configuration.secret, new)
        changes[n] = _change_to_save(change, new, columns, words)
        tx.count("registered", new.channel)
        results[n] = IntakeResult(change.complaint, persons, created=True, related=related)
        earlier.add(new.identity, change.complaint)
    if assign_by_policy(service, tx, (to_save.change for to_save in changes.values())):
        results = {n: replace(one, complaint=changes[n].change.complaint) for n, one in results.items()}
    return results, [changes[n] for n in numbered]


def _persons(new: NewComplaint) -> Persons:
    persons = {COMPLAINANT: new.complainant, REPORTER: new.reporter}
    return {role: person for role, person in persons.items() if person is not None}


def _columns_of(tx: Transaction, new: NewComplaint, role: str, person: Person) -> dict[str, Any]:
    identity = new.identity if role == COMPLAINANT else identity_of(person, new.policy)
    return person_rows.columns_of(role, person, identity, tx.new_salt())


def _change_to_save(
    change: Change, new: NewComplaint, persons: Sequence[dict[str, Any]], words: bytes
) -> ChangeToSave:
    rows = tuple({"complaint_id": change.complaint.id, **columns} for columns in persons)
    extra = {"import_id": new.import_id, "import_digest": new.import_digest, "words_digest": words}
    return ChangeToSave(change, persons=rows, extra=extra)
