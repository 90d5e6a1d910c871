"""Who of the staff hears of an event, by which template (rule 10.1). Pure functions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.api.feature import Notice
from complaints.domain.rules.contacts import CONTACT_STEP
from complaints.domain.rules.recipients import find_recipients
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import EventType
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.complaints.undelivered import UNDELIVERED_STEP

STEP, ASSIGNED, IMPORT_ENDED = "step", "assigned", "import_ended"
_OF_STEPS = {CONTACT_STEP: "contact", UNDELIVERED_STEP: "undelivered"}
_SHOWN_OF_STEP = ("kind", "step")


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns a complaint or another subject now."""

    team: str
    assignee: str | None
    first_owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """A user who hears of an event. `facts` has what the text needs, without personal data."""

    event: EventRecord
    login: str
    template: str
    level: int = 0
    escalation_id: UUID | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def list_hearings(
    event: EventRecord,
    notices: Iterable[Notice],
    owners: Owners | None,
    directory: Directory,
    now: datetime,
) -> Sequence[Hearing]:
    """The users who hear of an event. `owners` are those of its complaint or other subject."""
    found = [*_of_step(event), *_of_assignment(event)]
    if owners is not None:
        found += _of_notices(event, notices, owners, directory, now)
    return found


def is_step(event: EventRecord) -> bool:
    """True if an escalation was taken that notifies somebody: a superseded one does not (rule 3.3)."""
    data = event.data
    is_taken = "escalation_id" in data and event.type != EventType.ESCALATION_ACKNOWLEDGED
    return is_taken and not data.get("superseded")


def template_of(event: EventRecord) -> str:
    """The template for an escalation."""
    return _OF_STEPS.get(event.data["step"], STEP)


def facts_of(event: EventRecord) -> dict[str, Any]:
    """What the text about an escalation needs."""
    return {name: event.data[name] for name in _SHOWN_OF_STEP if event.data.get(name) is not None}


def _of_step(event: EventRecord) -> Iterator[Hearing]:
    if not is_step(event):
        return
    for login in event.data["recipients"]:
        yield Hearing(
            event=event,
            login=login,
            template=template_of(event),
            level=event.data["level"],
            escalation_id=UUID(event.data["escalation_id"]),
            facts=facts_of(event),
        )


def _of_assignment(event: EventRecord) -> Iterator[Hearing]:
    """The new assignee, unless the assignee has taken the complaint."""
    if event.type != EventType.ASSIGNED:
        return
    changes = event.data.get("changes", {})
    login = changes.get("assignee") or changes.get("owner")
    if login and event.actor != f"user:{login}":
        yield Hearing(event=event, login=login, template=ASSIGNED)


def _of_notices(
    event: EventRecord, notices: Iterable[Notice], owners: Owners, directory: Directory, now: datetime
) -> Iterator[Hearing]:
    for notice in notices:
        for login in find_recipients(notice.roles, owners, directory, now):
            yield Hearing(event=event, login=login, template=notice.template, facts={"link": notice.link})
