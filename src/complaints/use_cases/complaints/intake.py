"""Intake: registers complaints, one or many at once, by the same code. Posts and imports call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.identity import Identity, identify
from complaints.domain.errors import ComplaintError, Forbidden, InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.endings import Ending
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.vocabulary import EventType
from complaints.storage import load
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import COMPLAINANT, REPORTER, EarlierComplaint, Persons
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint, PersonIn, given_members, plain_values
from complaints.use_cases.complaints.repeats import find_earlier
from complaints.use_cases.configuration.changing import check_user
from complaints.use_cases.once import Attempt
from complaints.use_cases.service import Service

_LATEST_RECEIPT = timedelta(minutes=5)  # after now: the clocks of other systems are not exact


@dataclass(frozen=True, slots=True)
class IntakeRequest:
    """A request of `caller` to register a complaint, before the check. After the check it is a `NewComplaint`.

    `attempt` is None if the request has no idempotency key. An imported row has more members: `import_id` is the id
    of its import, and `row_digest` is the digest of its content. `team` and `ending` are the team and the end in the
    other system, if it tells them. They are None for a posted complaint.
    """

    caller: Caller
    command: CreateComplaint
    attempt: Attempt | None = None
    import_id: UUID | None = None
    row_digest: str | None = None
    team: str | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """The complaint of a request. `created` is False if it was registered before; then `persons` is empty.

    `related` are earlier complaints of the complainant of a new one, as far as the caller may know of them.
    """

    complaint: Complaint
    persons: Persons
    created: bool
    related: Sequence[EarlierComplaint | Complaint] = ()


def register(
    service: Service, tx: Transaction, requests: Sequence[IntakeRequest]
) -> list[IntakeResult | ComplaintError]:
    """Register complaints. A request that is refused gets its refusal and does not affect the others."""
    configuration = service.configuration(tx)
    found: dict[int, IntakeResult | ComplaintError] = {}
    checked: dict[int, NewComplaint] = {}
    for n, request in enumerate(requests):
        try:
            checked[n] = _check(request, tx, configuration)
        except ComplaintError as refusal:
            found[n] = refusal
    received = dict(zip(checked, load.find_or_number(tx, [*checked.values()]), strict=True))
    numbered, known, refused = _split(checked, received, configuration)
    created = _create(service, tx, configuration, numbered, requests)
    known_ids = {n: created[i].complaint.id if isinstance(i, int) else i for n, i in known.items()}
    found |= created
    found |= refused
    found |= _contact_again(service, tx, checked, known_ids)
    return [found[n] for n in range(len(requests))]


def register_one(service: Service, tx: Transaction, caller: Caller, command: CreateComplaint) -> IntakeResult:
    """Register one complaint. Raises ComplaintError if it is refused."""
    [outcome] = register(service, tx, [IntakeRequest(caller, command)])
    if isinstance(outcome, ComplaintError):
        raise outcome
    return outcome


def _check(request: IntakeRequest, tx: Transaction, configuration: Configuration) -> NewComplaint:
    caller, command = request.caller, request.command
    caller.require(Right.CREATE)
    source = command.source or caller.source
    if not caller.scope_for(Right.CREATE).admits_source(source):
        raise Forbidden(f"This key posts complaints of source {caller.source!r} only.")
    received_at = command.received_at or tx.now
    if received_at > tx.now + _LATEST_RECEIPT:
        raise InvalidContent.at("/received_at", "received_at lies in the future.")
    if request.ending is not None:
        request.ending.check(received_at, tx.now)
    _check_team(request, configuration)
    policy = configuration.policy_at(received_at)
    return NewComplaint(
        **plain_values(command),
        source=source,
        received_at=received_at,
        policy=policy,
        actor=caller.actor,
        created_by=caller.login,
        category=configuration.classify(command.category, retired_too=True),
        priority=command.priority,
        first_owner=command.first_owner,
        complainant=_person_of(command.complainant),
        reporter=_person_of(command.reporter),
        identity=identity_of(command.complainant, policy),
        import_id=request.import_id,
        import_digest=None if command.external_id else request.row_digest,
        team=request.team,
        ending=request.ending,
    )


def _check_team(request: IntakeRequest, configuration: Configuration) -> None:
    """Raise InvalidContent for an unknown team. A complaint that has ended may belong to a retired team."""
    if request.team is None:
        return
    team = configuration.directory.teams.get(request.team)
    if team is None or not (team.active or request.ending):
        raise InvalidContent.at("/team", f"There is no active team {request.team!r}.")


def identity_of(person: PersonIn | Person | None, policy: Policy) -> Identity:
    """The identity of a person, in comparable form; empty for None."""
    if person is None:
        return Identity()
    return identify(
        account_no=person.account_no, phone=person.phone, email=person.email, region=policy.phone_region
    )


def _person_of(given: PersonIn | None) -> Person | None:
    return None if given is None else Person(**given_members(given))


def _split(
    checked: dict[int, NewComplaint], received: dict[int, UUID | int], configuration: Configuration
) -> tuple[dict[int, tuple[int, NewComplaint]], dict[int, UUID | int], dict[int, ComplaintError]]:
    """New complaints with their numbers, the others with the complaint that they repeat, and refusals.

    A repeated complaint is in the database (its id), or earlier in this batch (its place).
    """
    refused: dict[int, ComplaintError] = {}
    numbered: dict[int, tuple[int, NewComplaint]] = {}
    known: dict[int, UUID | int] = {}
    places: dict[object, int] = {}
    for n, new in checked.items():
        number = received[n]
        key = (new.source, new.external_id) if new.external_id else new.import_digest
        if isinstance(number, UUID):
            known[n] = number
        elif key is not None and key in places:
            known[n] = places[key]
        elif refusal := _find_retired_choice(new, configuration):
            refused[n] = refusal
        else:
            numbered[n] = (number, new)
            places[key] = n
    return numbered, known, refused


def _find_retired_choice(new: NewComplaint, configuration: Configuration) -> InvalidContent | None:
    """The refusal of a retired category, or of a user who left. A repeated post chooses nothing (rule 1.7)."""
    try:
        configuration.classify(new.category.code if new.category else None)
        if new.first_owner is not None:
            check_user(configuration, new.first_owner, "/first_owner")
    except InvalidContent as refusal:
        return refusal
    return None


# Complaints that were registered before ----------------------------------------------------------------------------


def _contact_again(
    service: Service, tx: Transaction, checked: dict[int, NewComplaint], known_ids: dict[int, UUID]
) -> dict[int, IntakeResult]:
    """The complaints that requests repeat. A request with another text is recorded as a repeated contact.

    History of another system is no contact: nobody called (rule 2.14).
    """
    if not known_ids:
        return {}
    known = {
        loaded.complaint.id: loaded.complaint for loaded in load.load_complaints(tx, set(known_ids.values()))
    }
    contacts = [
        (i, checked[n])
        for n, i in known_ids.items()
        if checked[n].ending is None and _texts(checked[n]) != _texts(known[i])
    ]
    if contacts:
        _record_contacts(service, tx, contacts)
    return {n: IntakeResult(known[i], {}, created=False) for n, i in known_ids.items()}


def _texts(complaint: NewComplaint | Complaint) -> tuple[str, str | None]:
    return complaint.subject, complaint.description


def _record_contacts(
    service: Service, tx: Transaction, contacts: Sequence[tuple[UUID, NewComplaint]]
) -> None:
    changes = {
        loaded.complaint.id: ChangeToSave(
            Change(loaded.complaint, actor=ENGINE, new_id=service.new_id), loaded.history_end
        )
        for loaded in load.load_complaints(tx, {i for i, _ in contacts}, lock=True)
    }
    for i, new in contacts:
        changes[i].change.record(
            EventType.CONTACT_REPEATED,
            tx.now,
            actor=new.actor,
            subject=new.subject,
            description=new.description,
        )
    save(tx, list(changes.values()), service.new_id)


# New complaints ----------------------------------------------------------------------------------------------------


def _create(
    service: Service,
    tx: Transaction,
    configuration: Configuration,
    numbered: dict[int, tuple[int, NewComplaint]],
    requests: Sequence[IntakeRequest],
) -> dict[int, IntakeResult]:
    if not numbered:
        return {}
    earlier = find_earlier(tx, (new for _, new in numbered.values()))
    created: dict[int, IntakeResult] = {}
    changes: dict[int, ChangeToSave] = {}
    for n, (number, new) in sorted(numbered.items(), key=lambda one: one[1][1].received_at):
        related = earlier.list_related(new, requests[n].caller.scope) if new.import_id is None else ()
        change = plan_intake(
            new,
            repeat=earlier.is_repeat(new),
            directory=configuration.directory,
            now=tx.now,
            sequence=number,
            new_id=service.new_id,
        )
        persons = _persons(new)
        changes[n] = _change_to_save(change, new, persons)
        tx.count("registered", new.channel)
        created[n] = IntakeResult(change.complaint, persons, created=True, related=related)
        earlier.add(new.identity, change.complaint)
    save(tx, [changes[n] for n in numbered], service.new_id)
    return created


def _persons(new: NewComplaint) -> Persons:
    persons = {COMPLAINANT: new.complainant, REPORTER: new.reporter}
    return {role: person for role, person in persons.items() if person is not None}


def _change_to_save(change: Change, new: NewComplaint, persons: Persons) -> ChangeToSave:
    rows = tuple(
        person_rows.row_of(
            change.complaint.id,
            role,
            person,
            new.identity if role == COMPLAINANT else identity_of(person, new.policy),
        )
        for role, person in persons.items()
    )
    extra = {"import_id": new.import_id, "import_digest": new.import_digest}
    return ChangeToSave(change, persons=rows, extra=extra)
