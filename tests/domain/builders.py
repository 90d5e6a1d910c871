"""The life of one complaint without a database: the rules alone, with a clock to move."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from complaints.domain.complaint.change import ENGINE, Change, Event
from complaints.domain.complaint.facts import Complaint, Deadline, Escalation, Promise
from complaints.domain.json_text import to_json
from complaints.domain.policy.policy import DeadlineRule, Policy, Step
from complaints.domain.rules import actions, deadlines, own_deadlines
from complaints.domain.rules.contacts import Contact, plan_contact
from complaints.domain.rules.intake import NewComplaint, plan_intake
from complaints.domain.rules.merging import MergeRecord
from complaints.domain.rules.passing_time import catch_up
from complaints.domain.staff import Department, Directory, Team, User
from complaints.domain.vocabulary import (
    AccessRole,
    Action,
    Cause,
    Channel,
    ContactChannel,
    ContactOutcome,
    DeadlineKind,
    EventType,
    HoldReason,
    Outcome,
    RecipientRole,
    Severity,
    Status,
)
from complaints.use_cases.policy_document.document import read_policy

SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)  # a Monday, 09:00 in Shanghai
MOMENT = timedelta(microseconds=1)
OTHER_ID = UUID(int=0xFFFF)
AGENT = frozenset({AccessRole.AGENT})
SUPERVISOR = frozenset({AccessRole.SUPERVISOR})


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)


def days(amount: float) -> timedelta:
    return timedelta(days=amount)


def local(text: str) -> datetime:
    """An instant from its local time in Shanghai, such as "2026-01-05 09:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


# Policies ---------------------------------------------------------------------------------------------------


def shipped(name: str) -> Policy:
    """A policy that comes with the program."""
    text = files("complaints").joinpath("policies", f"{name}.yaml").read_text(encoding="utf-8")
    return read_policy(text).policy


HANDBOOK = shipped("telecom-handbook")
WORKING = shipped("working-hours")


def with_rule(policy: Policy, kind: DeadlineKind, **changes: Any) -> Policy:
    """The policy with one kind of deadline changed."""
    rules: Mapping[DeadlineKind, DeadlineRule] = policy.rules
    return replace(policy, rules={**rules, kind: replace(rules[kind], **changes)})


def without_step_actions(policy: Policy) -> Policy:
    """The policy with ladders that change no complaint."""

    def still(ladder: Iterable[Step]) -> tuple[Step, ...]:
        return tuple(replace(step, raise_priority=False, move_to_team=None) for step in ladder)

    return replace(policy, rules={k: replace(r, ladder=still(r.ladder)) for k, r in policy.rules.items()})


# People -----------------------------------------------------------------------------------------------------

DIRECTORY = Directory(
    users={login: User(login, login.title()) for login in ("an", "fei", "zhao", "li", "sun", "wu", "chen")},
    teams={
        "customer_service": Team("customer_service", {}, "service", lead="zhao"),
        "operations": Team("operations", {}, "network", lead="li"),
        "dissolved": Team("dissolved", {}, "network", lead="li", active=False),
    },
    departments={
        "head_office": Department("head_office", {}, head="chen"),
        "service": Department("service", {}, head="sun", parent="head_office"),
        "network": Department("network", {}, head="wu", parent="head_office"),
    },
)


def with_user(directory: Directory, login: str, **changes: Any) -> Directory:
    """The directory with one person changed."""
    known = directory.users.get(login, User(login, login.title()))
    return replace(directory, users={**directory.users, login: replace(known, **changes)})


def with_team(directory: Directory, code: str, **changes: Any) -> Directory:
    """The directory with one team changed."""
    return replace(directory, teams={**directory.teams, code: replace(directory.teams[code], **changes)})


def with_department(directory: Directory, code: str, **changes: Any) -> Directory:
    """The directory with one department changed."""
    changed = replace(directory.departments[code], **changes)
    return replace(directory, departments={**directory.departments, code: changed})


# Lives ------------------------------------------------------------------------------------------------------

# The arguments of each action, unless a test gives others.
CARRIED: dict[Action, Callable[["Life"], dict[str, Any]]] = {
    Action.ASSIGN: lambda _: {"assignee": "an"},
    Action.RESPOND: lambda _: {"message": "We are on it.", "contact_channel": ContactChannel.PHONE},
    Action.HOLD: lambda life: {
        "reason": HoldReason.AWAITING_COMPLAINANT,
        "until": life.now + days(1),
    },
    Action.RESUME: lambda _: {},
    Action.RESOLVE: lambda _: {
        "resolution": "Cell repaired.",
        "outcome": Outcome.NOT_UPHELD,
        "cause": Cause.TECHNICAL,
    },
    Action.NOTIFY_RESULT: lambda _: {"message": "Repaired.", "contact_channel": ContactChannel.SMS},
    Action.RECORD_CONTACT: lambda _: {"outcome": ContactOutcome.SOLVED},
    Action.REOPEN: lambda _: {"reason": "It is back."},
    Action.CLOSE: lambda _: {},
    Action.ESCALATE: lambda _: {"reason": "They called again.", "role": RecipientRole.TEAM_LEAD},
    Action.REJECT: lambda _: {
        "reason": "not_ours",
        "message": "It is not ours.",
        "contact_channel": ContactChannel.LETTER,
    },
    Action.WITHDRAW: lambda _: {"reason": "They took it back."},
    Action.MERGE: lambda _: {"into": OTHER_ID},
    Action.UNMERGE: lambda life: {"undone": life.last_merge()},
}


class Life:
    """A complaint, the present instant, and the events, escalations and promises that were recorded."""

    def __init__(
        self,
        *,
        policy: Policy = HANDBOOK,
        directory: Directory = DIRECTORY,
        now: datetime = START,
        received_at: datetime | None = None,
        imported: bool = False,
        roles: frozenset[AccessRole] = AGENT,
        **given: Any,
    ) -> None:
        self.policy, self.directory, self.roles = policy, directory, roles
        self.now: datetime = now
        self.events: list[Event] = []
        self.escalations: list[Escalation] = []
        self.promises: list[Promise] = []
        self._ids = count(1)
        new = NewComplaint(
            channel=Channel.PHONE,
            subject="No signal",
            received_at=received_at or now,
            source="test",
            severity=given.pop("severity", Severity.NORMAL),
            policy=policy,
            actor="fei",
            import_id=UUID(int=0) if imported else None,
            first_owner="fei",
            **given,
        )
        change = plan_intake(new, repeat=False, directory=directory, now=now, sequence=1, new_id=self.new_id)
        self._keep(change)

    def new_id(self) -> UUID:
        return UUID(int=next(self._ids))

    def new_change(self) -> Change:
        return Change(self.complaint, actor="an", new_id=self.new_id)

    def context(self) -> actions.ActionContext:
        return actions.ActionContext(self.now, self.policy, self.directory, self.roles)

    def _keep(self, change: Change) -> None:
        change.finish()
        self.complaint: Complaint = change.complaint
        self.events += [replace(event, data=to_json(event.data)) for event in change.events]
        self.escalations += change.escalations
        self.promises += change.promises

    def _change(self, step: Callable[[Change], None]) -> None:
        """As a use case does: bring up to now, change, bring up to now."""
        change = self.new_change()
        catch_up(change, self.policy, self.directory, self.now)
        step(change)
        catch_up(change, self.policy, self.directory, self.now)
        self._keep(change)

    # Time

    def jump(self, *, to: datetime | None = None, **delta: float) -> "Life":
        """Let time pass while nobody looks."""
        self.now = to or self.now + timedelta(**delta)
        return self

    def sweep(self) -> "Life":
        """Bring the complaint up to now."""
        self._change(lambda change: None)
        return self

    def wait(self, *, to: datetime | None = None, **delta: float) -> "Life":
        """Let time pass, and everything happen at its own time."""
        target = to or self.now + timedelta(**delta)
        while (wake_at := self.complaint.wake_at) is not None and wake_at <= target:
            self.jump(to=max(wake_at, self.now)).sweep()
        return self.jump(to=target)

    # Changes

    def do(self, action: str, **members: Any) -> "Life":
        """Take an action. `members` replace its arguments in `CARRIED`."""
        name = Action(action)
        arguments = {**CARRIED[name](self), **members}
        self._change(lambda change: actions.plan(change, self.context(), name, arguments))
        return self

    def promise(self, due_at: datetime) -> "Life":
        """Promise the complainant something by a time."""

        def step(change: Change) -> None:
            change.touch(self.now)
            promise_id = deadlines.add_promise(
                change, self.policy, "A visit", made_by="an", started_at=self.now, due_at=due_at
            )
            change.record(EventType.PROMISE_MADE, self.now, deadline_id=promise_id)

        self._change(step)
        return self

    def change(self, **members: Any) -> "Life":
        """Change priority or category; the deadlines follow."""

        def step(change: Change) -> None:
            change.touch(self.now)
            change.set(**members)
            deadlines.replan(change, self.policy, self.now, retarget=True)
            change.record(EventType.UPDATED, self.now)

        self._change(step)
        return self

    def replan(self, policy: Policy) -> "Life":
        """Move to another policy version, on purpose."""

        def step(change: Change) -> None:
            change.touch(self.now)
            deadlines.move_to_policy(change, policy, self.now)
            own_deadlines.start_added(change, policy, self.now)
            change.record(EventType.REPLANNED, self.now)
            self.policy = policy

        self._change(step)
        return self

    def call(self) -> "Life":
        """The complainant makes contact about the complaint."""
        contact = Contact(Channel.PHONE, "It is dead again", None)
        self._change(lambda change: plan_contact(change, self.context(), contact))
        return self

    def assign_by_policy(self, login: str) -> "Life":
        """The policy gives the complaint to a user."""
        method = self.policy.assignment[self.complaint.team]

        def step(change: Change) -> None:
            change.touch(self.now)
            change.set(assignee=login)
            change.record(EventType.ASSIGNED, self.now, actor=ENGINE, by=method)

        self._change(step)
        return self

    def last_merge(self) -> MergeRecord:
        """The last merge, as its event recorded it."""
        merged = self.events_of(EventType.MERGED)
        return MergeRecord.recorded(merged[-1].data if merged else {"was": "received", "promises": {}})

    # Looking

    @property
    def status(self) -> Status:
        return self.complaint.status

    def deadlines(self, kind: str, **members: Any) -> list[Deadline]:
        """The deadlines of a kind in the order they were started."""
        return [
            d
            for d in self.complaint.deadlines
            if d.kind == kind and all(getattr(d, name) == value for name, value in members.items())
        ]

    def deadline(self, kind: str, **members: Any) -> Deadline:
        """The last started deadline of a kind."""
        return self.deadlines(kind, **members)[-1]

    def seen(self, kind: str, **members: Any) -> Deadline:
        """The last started deadline of a kind with its status now, swept or not."""
        return deadlines.catch_up_status(self.deadline(kind, **members), self.now)

    def steps(self, kind: str, **members: Any) -> list[Escalation]:
        """The steps taken on a deadline, in the order they were."""
        deadline = self.deadline(kind, **members)
        return [taken for taken in self.escalations if taken.deadline_id == deadline.id]

    def events_of(self, event_type: EventType) -> list[Event]:
        """The events of a type."""
        return [event for event in self.events if event.type is event_type]

    def overdue(self) -> bool:
        after_at = self.complaint.overdue_after_at
        return after_at is not None and self.now > after_at


def followed_up(**members: Any) -> Life:
    """A complaint whose result has just been fed back."""
    return Life(**members).do("resolve").do("notify_result")


def closable(**members: Any) -> Life:
    """A complaint whose follow-up window is over, and which was found solved."""
    life = followed_up(**members)
    for follow_up in life.deadlines("follow_up"):
        life.wait(to=follow_up.due_at).do("record_contact")
    return life


TO_STATUS: dict[Status, Callable[[Life], Life]] = {
    Status.RECEIVED: lambda life: life,
    Status.INVESTIGATING: lambda life: life.do("respond"),
    Status.ON_HOLD: lambda life: life.do("respond").do("hold"),
    Status.RESOLVED: lambda life: life.do("resolve"),
    Status.FOLLOWING_UP: lambda life: life.do("resolve").do("notify_result"),
    Status.CLOSED: lambda life: _close(life),
    Status.REJECTED: lambda life: life.do("reject"),
    Status.WITHDRAWN: lambda life: life.do("withdraw"),
    Status.MERGED: lambda life: life.do("merge"),
}


def _close(life: Life) -> Life:
    life.do("resolve").do("notify_result")
    for follow_up in life.deadlines("follow_up"):
        life.wait(to=follow_up.due_at).do("record_contact")
    return life.do("close")


def in_status(status: Status, **members: Any) -> Life:
    """A complaint that has come to `status` by actions."""
    return TO_STATUS[status](Life(**members))
