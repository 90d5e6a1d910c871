"""Intake: complaints are registered in batches of one or many, by the same code."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.identity import Identity, identify, same_complainant
from complaints.domain.errors import ComplaintError, Forbidden, InvalidContent
from complaints.domain.policy.categories import Category
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.intake import Intake, plan_intake
from complaints.domain.vocabulary import EventType, Severity
from complaints.storage import load
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import Arrival
from complaints.storage.rows import person as person_rows
from complaints.storage.rows.person import COMPLAINANT, REPORTER, Persons
from complaints.storage.save import ChangeToSave, save
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.complaints import CreateComplaint, PersonIn
from complaints.use_cases.configuration.changing import check_user
from complaints.use_cases.service import Service

_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ImportMark:
    """What tells an imported row from a posted complaint."""

    import_id: UUID
    digest: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A complaint that `caller` posts, or imports (`mark`)."""

    caller: Caller
    command: CreateComplaint
    mark: ImportMark | None = None


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """What became of one post. `created` is False where it had been posted before."""

    complaint: Complaint
    persons: Persons
    created: bool


@dataclass(frozen=True, slots=True)
class _Checked:
    """A post that can be registered."""

    caller: Caller
    command: CreateComplaint
    source: str
    received_at: datetime
    category: Category | None
    policy: Policy
    identity: Identity
    mark: ImportMark | None


def register(service: Service, tx: Transaction, posts: Sequence[Post]) -> list[IntakeResult | ComplaintError]:
    """Register complaints; one that cannot be is answered with its refusal and hinders no other."""
    configuration = service.configuration(tx)
    found: dict[int, IntakeResult | ComplaintError] = {}
    checked: dict[int, _Checked] = {}
    for n, post in enumerate(posts):
        try:
            checked[n] = _check(post, tx, configuration)
        except ComplaintError as refusal:
            found[n] = refusal
    received = dict(zip(checked, load.receive(tx, [_arrival(i) for i in checked.values()]), strict=True))
    fresh, again = _split(checked, received)
    created = _create(service, tx, configuration, fresh, received)
    first = {
        n: created[known].complaint.id if isinstance(known, int) else known for n, known in again.items()
    }
    found |= created
    found |= _again(service, tx, checked, first)
    return [found[n] for n in range(len(posts))]


def register_one(service: Service, tx: Transaction, caller: Caller, command: CreateComplaint) -> IntakeResult:
    """Register one complaint. Raises the refusal."""
    [outcome] = register(service, tx, [Post(caller, command)])
    if isinstance(outcome, ComplaintError):
        raise outcome
    return outcome


def _check(post: Post, tx: Transaction, configuration: Configuration) -> _Checked:
    caller, command = post.caller, post.command
    caller.require(Right.CREATE)
    source = command.source or caller.source
    if not caller.scope.admits_source(source):
        raise Forbidden(f"This key posts complaints of source {caller.source!r} only.")
    received_at = command.received_at or tx.now
    if received_at > tx.now + _AHEAD:
        raise InvalidContent.at("/received_at", "received_at lies in the future.")
    if command.first_owner is not None:
        check_user(configuration, command.first_owner, "/first_owner")
    policy = configuration.policy_at(received_at)
    return _Checked(
        caller=caller,
        command=command,
        source=source,
        received_at=received_at,
        category=configuration.classify(command.category),
        policy=policy,
        identity=identity_of(command.complainant, policy),
        mark=post.mark,
    )


def identity_of(person: PersonIn | Person | None, policy: Policy) -> Identity:
    """What a person is known by, in comparable form."""
    if person is None:
        return Identity(None, None, None)
    return identify(
        account_no=person.account_no, phone=person.phone, email=person.email, region=policy.phone_region
    )


def person_of(given: PersonIn) -> Person:
    """The person as kept."""
    return Person(**dict(given) | {"vulnerable": bool(given.vulnerable)})


# Posted before -----------------------------------------------------------------------------------------------------


def _key(item: _Checked) -> tuple[str, str] | None:
    return (item.source, item.command.external_id) if item.command.external_id else None


def _digest(item: _Checked) -> str | None:
    return item.mark.digest if item.mark and not item.command.external_id else None


def _arrival(item: _Checked) -> Arrival:
    return Arrival(item.source, item.command.external_id, _digest(item))


def _split(
    checked: dict[int, _Checked], received: dict[int, UUID | int]
) -> tuple[dict[int, _Checked], dict[int, UUID | int]]:
    """New ones, and those posted before: in the database (by id) or earlier in this batch (by place)."""
    fresh: dict[int, _Checked] = {}
    again: dict[int, UUID | int] = {}
    places: dict[object, int] = {}
    for n, item in checked.items():
        known, key = received[n], _key(item) or _digest(item)
        if isinstance(known, UUID):
            again[n] = known
        elif key is not None and key in places:
            again[n] = places[key]
        else:
            fresh[n] = item
            places[key] = n
    return fresh, again


def _again(
    service: Service, tx: Transaction, checked: dict[int, _Checked], first: dict[int, UUID]
) -> dict[int, IntakeResult]:
    """The complaints posted before; a differing text is one more contact on their record."""
    if not first:
        return {}
    ids = set(first.values())
    known = {loaded.complaint.id: loaded.complaint for loaded in load.load_complaints(tx, ids)}
    told_anew = [(i, checked[n]) for n, i in first.items() if _texts(checked[n].command) != _texts(known[i])]
    if told_anew:
        _record_contacts(service, tx, told_anew)
    persons = person_rows.find_persons(tx, ids)
    return {n: IntakeResult(known[i], persons.get(i, {}), created=False) for n, i in first.items()}


def _texts(told: CreateComplaint | Complaint) -> tuple[str, str | None]:
    return told.subject, told.description


def _record_contacts(service: Service, tx: Transaction, contacts: Sequence[tuple[UUID, _Checked]]) -> None:
    locked = load.load_complaints(tx, {i for i, _ in contacts}, lock=True)
    changes = {
        loaded.complaint.id: ChangeToSave(
            Change(loaded.complaint, actor=ENGINE, new_id=service.new_id), loaded.tip
        )
        for loaded in locked
    }
    for i, item in contacts:
        command = item.command
        changes[i].change.emit(
            EventType.CONTACT_REPEATED,
            tx.now,
            actor=item.caller.actor,
            subject=command.subject,
            description=command.description,
        )
    save(tx, list(changes.values()), service.new_id)


# New ones ----------------------------------------------------------------------------------------------------------


def _create(
    service: Service,
    tx: Transaction,
    configuration: Configuration,
    fresh: dict[int, _Checked],
    received: dict[int, UUID | int],
) -> dict[int, IntakeResult]:
    if not fresh:
        return {}
    repeats = _repeats(tx, fresh)
    made: dict[int, IntakeResult] = {}
    plans: list[ChangeToSave] = []
    for n, item in fresh.items():
        sequence = received[n]
        assert isinstance(sequence, int)  # `fresh` has those that are in no database
        change = plan_intake(
            _intake(item, repeat=n in repeats),
            policy=item.policy,
            directory=configuration.directory,
            now=tx.now,
            sequence=sequence,
            actor=item.caller.actor,
            new_id=service.new_id,
        )
        persons = _persons(item.command)
        plans.append(_planned(change, item, persons))
        made[n] = IntakeResult(change.complaint, persons, created=True)
    save(tx, plans, service.new_id)
    return made


def _intake(item: _Checked, *, repeat: bool) -> Intake:
    command = item.command
    service = command.service
    return Intake(
        channel=command.channel,
        subject=command.subject,
        description=command.description,
        received_at=item.received_at,
        source=item.source,
        external_id=command.external_id,
        severity=command.severity or Severity.NORMAL,
        priority=command.priority,
        vulnerable=bool(command.complainant and command.complainant.vulnerable),
        repeat=repeat,
        imported=item.mark is not None,
        created_by=item.caller.login,
        category=item.category,
        region=command.region,
        first_owner=command.first_owner,
        service_type=service.type if service else None,
        service_id=service.id if service else None,
        tags=command.tags or (),
        attributes=command.attributes or {},
    )


def _persons(command: CreateComplaint) -> Persons:
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    return {role: person_of(person) for role, person in told.items() if person is not None}


def _planned(change: Change, item: _Checked, persons: Persons) -> ChangeToSave:
    rows = tuple(
        person_rows.row_of(
            change.complaint.id,
            role,
            fact,
            item.identity if role == COMPLAINANT else identity_of(fact, item.policy),
        )
        for role, fact in persons.items()
    )
    mark = item.mark
    extra: dict[str, Any] = {"import_id": mark.import_id, "import_digest": _digest(item)} if mark else {}
    return ChangeToSave(change, persons=rows, extra={"import_id": None, "import_digest": None} | extra)


def _repeats(tx: Transaction, fresh: dict[int, _Checked]) -> set[int]:
    """Which of these the same complainant complained of in the same category shortly before."""
    asked = {
        n: item
        for n, item in fresh.items()
        if item.command.priority is None and item.category and any(_marks(item.identity))
    }
    if not asked:
        return set()
    earliest = min(_since(item) for item in asked.values())
    earlier: dict[object, list[tuple[Identity, datetime]]] = defaultdict(list)
    for who, category, at in person_rows.find_earlier(
        tx, (item.identity for item in asked.values()), earliest
    ):
        _note(earlier, who, category, at)
    repeats = set()
    for n, item in sorted(asked.items(), key=lambda pair: pair[1].received_at):
        code = item.category.code if item.category else ""
        known = [
            found for mark in enumerate(_marks(item.identity)) for found in earlier.get((code, mark), ())
        ]
        if any(
            _since(item) <= at <= item.received_at and same_complainant(who, item.identity)
            for who, at in known
        ):
            repeats.add(n)
        _note(earlier, item.identity, code, item.received_at)
    return repeats


def _note(
    earlier: dict[object, list[tuple[Identity, datetime]]], who: Identity, category: str | None, at: datetime
) -> None:
    """Put a complaint where those who share a mark with its complainant look for it."""
    for place, mark in enumerate(_marks(who)):
        if mark is not None:
            earlier[category, (place, mark)].append((who, at))


def _marks(identity: Identity) -> tuple[str | None, ...]:
    return (identity.account_no, identity.phone_e164, identity.email)


def _since(item: _Checked) -> datetime:
    return item.received_at - timedelta(days=item.policy.priorities.repeat_window_days)
