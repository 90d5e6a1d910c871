"""The facts of one complaint, from its events alone (rule 6.1)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from complaints.domain.complaint.facts import UNMET_STATUSES
from complaints.domain.figures.days import local_day
from complaints.domain.figures.facts import AMOUNT_UNIT, SHARED_MEMBERS, ComplaintFacts, FactKind, FigureFact
from complaints.domain.figures.time_shares import HistoryEvent, read_work_history
from complaints.domain.figures.work_facts import (
    PLACES_A_CYCLE,
    UndatedFact,
    draft_breaches,
    draft_work,
    in_microseconds,
)
from complaints.domain.instants import read_instant
from complaints.domain.policy.policy import Policy
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import (
    OPEN_STATUSES,
    ContactOutcome,
    DeadlineKind,
    DeadlineStatus,
    EventType,
    Status,
)

PolicyOf = Callable[[str, int], Policy]
"""Finds a policy by code and version."""
_ENDED = frozenset({Status.CLOSED, Status.REJECTED, Status.WITHDRAWN, Status.MERGED})
_SPELLS = (FactKind.RECEIVED, FactKind.REOPENED)
Data = Mapping[str, Any]


class FactEvent(HistoryEvent, Protocol):
    """An event from which facts follow."""

    @property
    def ordinal(self) -> int:
        """The place in the history of the complaint, from 1."""


def fold_facts(complaint_id: UUID, events: Sequence[FactEvent], policy_of: PolicyOf) -> ComplaintFacts:
    """The facts of a complaint with these events, oldest first. Texts may be masked.

    Their days are local ones of the policy that the complaint has at the end.
    """
    work = read_work_history(events)
    folder = _Folder(has_moved=work.was_transferred)
    for event in events:
        folder.add(event)
    policy = policy_of(*folder.policy)
    drafts = [
        *folder.finish(),
        *draft_work(work, policy.rules[DeadlineKind.RESOLUTION].calendar),
        *draft_breaches(work, folder.deadlines, policy.rules),
    ]
    zone = zone_of(policy.timezone).info
    shared = {**folder.shared(), "received_day": local_day(drafts[0]["at"], zone)[0]}
    return ComplaintFacts(complaint_id, shared, tuple(_make_fact(draft, zone) for draft in drafts))


class _Folder:
    """What the events so far tell. `has_moved`: the complaint was transferred before its first result."""

    def __init__(self, *, has_moved: bool) -> None:
        self._members: dict[str, Any] = {}
        self._deadlines: dict[str, Data] = {}
        self._answered: set[str] = set()
        self._drafts: list[UndatedFact] = []
        self._is_imported = False
        self._has_moved = has_moved
        self._is_told = False

    def add(self, event: FactEvent) -> None:
        """Take the next event of the history."""
        was = self._members.get("status")
        self._members.update(event.data.get("changes", {}))
        self._deadlines.update((one["id"], one) for one in event.data.get("deadlines", ()))
        if was is None:
            self._begin(event)
            return
        if self._members["status"] != was:
            self._change_status(event, was)
        if "planned_at" in event.data:
            self._draft(FactKind.ESCALATION, event.ordinal, event.at, level=event.data["level"])
        if event.type == EventType.RESULT_NOTIFIED:
            self._tell_result(event, event.at)
        elif event.type == EventType.CONTACT_RECORDED:
            self._hear(event)

    @property
    def policy(self) -> tuple[str, int]:
        """Code and version of the policy that the complaint has at the end."""
        return self._members["policy_code"], self._members["policy_version"]

    @property
    def deadlines(self) -> Iterable[Data]:
        """The deadlines as the last event about each of them says."""
        return self._deadlines.values()

    def finish(self) -> list[UndatedFact]:
        """The drafts; the first one is of the receipt."""
        self._drafts[0] |= self._first_deadlines()
        self._last(*_SPELLS)["is_omitted"] = self._is_omitted()
        return [*self._drafts, *self._follow_ups()]

    def shared(self) -> dict[str, Any]:
        """The members that all facts of the complaint have."""
        known = self._members
        own = {name: known.get(name) for name in SHARED_MEMBERS}
        return own | {"is_imported": self._is_imported, "is_merged": known["status"] == Status.MERGED}

    def _begin(self, event: FactEvent) -> None:
        self._is_imported = event.type == EventType.IMPORTED_ENDED
        self._draft(FactKind.RECEIVED, 0, self._instant("received_at") or event.at)
        if not self._is_imported:
            return
        if (told_at := self._instant("result_told_at")) is not None:
            self._tell_result(event, told_at)
        ended_at = self._instant("ended_at") or event.at
        if self._members["status"] == Status.CLOSED:
            self._draft(FactKind.CLOSED, event.ordinal, ended_at, is_good=False, is_reopened=False)
        self._last(*_SPELLS)["until_at"] = ended_at

    def _change_status(self, event: FactEvent, was: str) -> None:
        status = self._members["status"]
        if status == Status.CLOSED:
            is_loop = self._is_closed_loop(event)
            self._draft(FactKind.CLOSED, event.ordinal, event.at, is_good=is_loop, is_reopened=False)
        if status in _ENDED:
            self._last(*_SPELLS)["until_at"] = event.at
        elif event.type == EventType.UNMERGED:
            self._last(*_SPELLS)["until_at"] = None
        elif was in _ENDED:
            if was == Status.CLOSED:
                self._last(FactKind.CLOSED)["is_reopened"] = True
            self._draft(FactKind.REOPENED, event.ordinal, event.at)

    def _is_closed_loop(self, event: FactEvent) -> bool:
        """True if cause, action and confirmation are on record (rule 6.12)."""
        known = self._members
        is_confirmed = event.data.get("early") or known.get("contact_outcome") == ContactOutcome.SOLVED
        return bool(known.get("cause") and known.get("resolution") and is_confirmed)

    def _tell_result(self, event: FactEvent, at: datetime) -> None:
        known = self._members
        amount = known.get("compensation_amount")
        owner_told = event.actor == f"user:{known['first_owner']}"
        self._draft(
            FactKind.RESULT,
            event.ordinal,
            at,
            is_first=not self._is_told,
            is_good=owner_told and not self._has_moved,
            microseconds=in_microseconds(at - self._drafts[0]["at"]),
            outcome=known.get("outcome"),
            is_assumed=known.get("outcome_assumed"),
            amount=None if amount is None else int(Decimal(str(amount)) / AMOUNT_UNIT),
            currency=known.get("compensation_currency"),
        )
        self._is_told = True

    def _hear(self, event: FactEvent) -> None:
        if event.data["outcome"] == ContactOutcome.UNREACHABLE:
            return
        self._answered.add(event.data.get("deadline_id", ""))
        scores = {name: event.data.get(name) for name in ("csat", "nps")}
        self._draft(FactKind.CONTACT, event.ordinal, event.at, **scores)

    def _first_deadlines(self) -> dict[str, Any]:
        """The times of the first response and of the resolution in the first cycle, for the fact of the receipt."""
        response = _first(self._deadlines.values(), DeadlineKind.FIRST_RESPONSE)
        resolution = _first(self._deadlines.values(), DeadlineKind.RESOLUTION)
        response_due_at, response_in_time = _judge(response)
        due_at, in_time = _judge(resolution)
        return {
            "response_due_at": response_due_at,
            "response_in_time": response_in_time,
            "due_at": due_at,
            "in_time": in_time,
        }

    def _follow_ups(self) -> list[UndatedFact]:
        """A draft for each planned contact: its attempts are one."""
        planned: dict[tuple[int, int], list[Data]] = defaultdict(list)
        for one in self._deadlines.values():
            if one["kind"] == DeadlineKind.FOLLOW_UP:
                planned[one["cycle"], one["sequence"]].append(one)
        return [self._follow_up(*key, attempts) for key, attempts in sorted(planned.items())]

    def _follow_up(self, cycle: int, sequence: int, attempts: Sequence[Data]) -> UndatedFact:
        ordered = sorted(attempts, key=lambda one: one["attempt"])
        last = ordered[-1]
        due_at, _ = _judge(last)
        met = all(one["status"] == DeadlineStatus.MET for one in ordered)
        return {
            "kind": FactKind.FOLLOW_UP,
            "place": cycle * PLACES_A_CYCLE + sequence,
            "at": read_instant(ordered[0]["due_at"]),
            "due_at": due_at,
            "in_time": None if due_at is None else met and last["id"] in self._answered,
        }

    def _is_omitted(self) -> bool:
        """True for an open complaint that no deadline watches (rule 2.12)."""
        is_watched = any(one["status"] in UNMET_STATUSES for one in self._deadlines.values())
        return self._members["status"] in OPEN_STATUSES and not is_watched

    def _draft(self, kind: FactKind, place: int, at: datetime, **values: Any) -> None:
        self._drafts.append({"kind": kind, "place": place, "at": at, **values})

    def _last(self, *kinds: FactKind) -> UndatedFact:
        return next(draft for draft in reversed(self._drafts) if draft["kind"] in kinds)

    def _instant(self, name: str) -> datetime | None:
        text = self._members.get(name)
        return None if text is None else read_instant(text)


def _make_fact(draft: UndatedFact, zone: tzinfo) -> FigureFact:
    until_at = draft.pop("until_at", None)
    day, month = local_day(draft["at"], zone)
    until_day = None if until_at is None else local_day(until_at, zone)[0]
    return FigureFact(day=day, month=month, until_day=until_day, **draft)


def _first(deadlines: Iterable[Data], kind: DeadlineKind) -> Data | None:
    """The first deadline of a kind in the first cycle."""
    return next((one for one in deadlines if one["kind"] == kind and one["cycle"] == 1), None)


def _judge(deadline: Data | None) -> tuple[datetime | None, bool | None]:
    """When a deadline was due, and whether it was met in time. Nothing: there is none, or it ended in time."""
    if deadline is None:
        return None, None
    if deadline["status"] == DeadlineStatus.CANCELLED and "breached_at" not in deadline:
        return None, None
    return read_instant(deadline["due_at"]), deadline["status"] == DeadlineStatus.MET
