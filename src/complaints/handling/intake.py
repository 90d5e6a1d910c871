"""Intake: complaints are registered in batches of one or many, by the same code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from complaints.domain.classification import Category, classify
from complaints.domain.complainants import Identity, identify, same_complainant
from complaints.domain.complaint import Complaint, Party
from complaints.domain.draft import Draft
from complaints.domain.errors import ComplaintError, Forbidden, InvalidContent
from complaints.domain.intake import Intake, plan_intake
from complaints.domain.policies import Policy
from complaints.domain.vocabulary import EventType, Severity
from complaints.handling.access import Caller, Right
from complaints.handling.commands import CreateComplaint, Person
from complaints.handling.engine import Engine
from complaints.storage import aggregate, party
from complaints.storage.apply import Planned, apply
from complaints.storage.catalogue import Catalogue
from complaints.storage.party import COMPLAINANT, REPORTER, Parties
from complaints.storage.unit_of_work import Transaction

_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ImportMark:
    """What tells an imported row from a posted complaint."""

    import_id: UUID
    digest: str | None


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of one command. `created` is False where it had been posted before."""

    complaint: Complaint
    parties: Parties
    created: bool


@dataclass(frozen=True, slots=True)
class _Checked:
    """A command that can be registered."""

    command: CreateComplaint
    source: str
    received_at: datetime
    category: Category | None
    policy: Policy
    identity: Identity
    mark: ImportMark | None


def register(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    commands: Sequence[CreateComplaint],
    marks: Sequence[ImportMark] | None = None,
) -> list[Registered | ComplaintError]:
    """Register complaints; one that cannot be is answered with its refusal and hinders no other."""
    caller.require(Right.CREATE)
    catalogue = engine.catalogue(tx)
    found: dict[int, Registered | ComplaintError] = {}
    checked: dict[int, _Checked] = {}
    for n, command in enumerate(commands):
        try:
            checked[n] = _check(command, tx, caller, catalogue, marks[n] if marks else None)
        except ComplaintError as refusal:
            found[n] = refusal
    posted = _posted_before(tx, checked)
    fresh, again = _split(checked, posted)
    found.update(_create(engine, tx, caller, catalogue, fresh))
    for n, first in again.items():
        found[n] = _again(engine, tx, caller, checked[n], first, found)
    return [found[n] for n in range(len(commands))]


def register_one(engine: Engine, tx: Transaction, caller: Caller, command: CreateComplaint) -> Registered:
    """Register one complaint. Raises the refusal."""
    [outcome] = register(engine, tx, caller, [command])
    if isinstance(outcome, ComplaintError):
        raise outcome
    return outcome


def _check(
    command: CreateComplaint, tx: Transaction, caller: Caller, catalogue: Catalogue, mark: ImportMark | None
) -> _Checked:
    source = command.source or caller.source
    if caller.only_source not in (None, source):
        raise Forbidden(f"This key posts complaints of source {caller.source!r} only.")
    received_at = command.received_at or tx.now
    if received_at > tx.now + _AHEAD:
        raise InvalidContent.at("/received_at", "received_at lies in the future.")
    if command.first_owner is not None:
        check_user(catalogue, command.first_owner, "/first_owner")
    policy = catalogue.policy_at(received_at)
    return _Checked(
        command=command,
        source=source,
        received_at=received_at,
        category=classify(command.category, catalogue.categories),
        policy=policy,
        identity=identity_of(command.complainant, policy),
        mark=mark,
    )


def check_user(catalogue: Catalogue, login: str, pointer: str) -> None:
    """Raises InvalidContent unless `login` is an active user."""
    user = catalogue.directory.users.get(login)
    if user is None or not user.active:
        raise InvalidContent.at(pointer, f"There is no active user {login!r}.")


def identity_of(person: Person | Party | None, policy: Policy) -> Identity:
    """What a person is known by, in comparable form."""
    if person is None:
        return Identity(None, None, None)
    return identify(
        account_no=person.account_no, phone=person.phone, email=person.email, region=policy.phone_region
    )


def party_of(person: Person) -> Party:
    """The person as kept."""
    values = person.model_dump()
    return Party(**values | {"vulnerable": bool(person.vulnerable)})


# Posted before -----------------------------------------------------------------------------------------------------


def _key(item: _Checked) -> tuple[str, str] | None:
    return (item.source, item.command.external_id) if item.command.external_id else None


def _digest(item: _Checked) -> str | None:
    return item.mark.digest if item.mark and not item.command.external_id else None


def _posted_before(tx: Transaction, checked: dict[int, _Checked]) -> dict[Any, UUID]:
    keys = [key for item in checked.values() if (key := _key(item))]
    digests = [digest for item in checked.values() if (digest := _digest(item))]
    by_key, by_digest = aggregate.find_posted(tx, keys, digests)
    return {**by_key, **by_digest}


def _split(
    checked: dict[int, _Checked], posted: dict[Any, UUID]
) -> tuple[dict[int, _Checked], dict[int, UUID | int]]:
    """New ones, and those posted before: in the database (by id) or earlier in this batch (by place)."""
    fresh: dict[int, _Checked] = {}
    again: dict[int, UUID | int] = {}
    places: dict[object, int] = {}
    for n, item in checked.items():
        key = _key(item) or _digest(item)
        if key is None:
            fresh[n] = item
        elif key in posted:
            again[n] = posted[key]
        elif key in places:
            again[n] = places[key]
        else:
            fresh[n] = item
            places[key] = n
    return fresh, again


def _again(
    engine: Engine,
    tx: Transaction,
    caller: Caller,
    item: _Checked,
    first: UUID | int,
    found: dict[int, Registered | ComplaintError],
) -> Registered:
    """The complaint posted before; a differing text is one more contact on its record."""
    if isinstance(first, int):
        original = found[first]
        assert isinstance(original, Registered)
        first = original.complaint.id
    loaded = aggregate.load_complaint(tx, first, lock=True)
    known, command = loaded.complaint, item.command
    if (command.subject, command.description) != (known.subject, known.description):
        draft = Draft(known, actor=caller.actor, new_id=engine.new_id)
        draft.emit(
            EventType.CONTACT_REPEATED, tx.now, subject=command.subject, description=command.description
        )
        apply(tx, [Planned(draft, loaded.tip)], engine.new_id)
    return Registered(known, party.find_parties(tx, [known.id]).get(known.id, {}), created=False)


# New ones ----------------------------------------------------------------------------------------------------------


def _create(
    engine: Engine, tx: Transaction, caller: Caller, catalogue: Catalogue, fresh: dict[int, _Checked]
) -> dict[int, Registered]:
    if not fresh:
        return {}
    repeats = _repeats(tx, fresh)
    made: dict[int, Registered] = {}
    plans: list[Planned] = []
    for (n, item), sequence in zip(fresh.items(), aggregate.next_sequences(tx, len(fresh)), strict=True):
        draft = plan_intake(
            _intake(item, caller, repeat=n in repeats),
            policy=item.policy,
            directory=catalogue.directory,
            now=tx.now,
            sequence=sequence,
            actor=caller.actor,
            new_id=engine.new_id,
        )
        parties = _parties(item.command)
        plans.append(_planned(draft, item, parties))
        made[n] = Registered(draft.complaint, parties, created=True)
    apply(tx, plans, engine.new_id)
    return made


def _intake(item: _Checked, caller: Caller, *, repeat: bool) -> Intake:
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
        created_by=caller.login,
        category=item.category,
        region=command.region,
        first_owner=command.first_owner,
        service_type=service.type if service else None,
        service_id=service.id if service else None,
        tags=command.tags or (),
        attributes=command.attributes or {},
    )


def _parties(command: CreateComplaint) -> Parties:
    told = {COMPLAINANT: command.complainant, REPORTER: command.reporter}
    return {role: party_of(person) for role, person in told.items() if person is not None}


def _planned(draft: Draft, item: _Checked, parties: Parties) -> Planned:
    rows = tuple(
        party.row_of(draft.complaint.id, role, fact, identity_of(fact, item.policy))
        for role, fact in parties.items()
    )
    mark = item.mark
    extra: dict[str, Any] = {"import_id": mark.import_id, "import_digest": _digest(item)} if mark else {}
    return Planned(draft, parties=rows, extra={"import_id": None, "import_digest": None} | extra)


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
    categories = {item.category.code for item in asked.values() if item.category}
    earlier = list(party.find_earlier(tx, [item.identity for item in asked.values()], categories, earliest))
    repeats = set()
    for n, item in sorted(asked.items(), key=lambda pair: pair[1].received_at):
        code = item.category.code if item.category else ""
        if any(
            category == code
            and _since(item) <= at <= item.received_at
            and same_complainant(who, item.identity)
            for who, category, at in earlier
        ):
            repeats.add(n)
        earlier.append((item.identity, code, item.received_at))
    return repeats


def _marks(identity: Identity) -> tuple[str | None, ...]:
    return (identity.account_no, identity.phone_e164, identity.email)


def _since(item: _Checked) -> datetime:
    return item.received_at - timedelta(days=item.policy.priorities.repeat_window_days)
