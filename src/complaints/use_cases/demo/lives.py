"""The lives of complaints: who does what after how long, drawn at random, and asked of the rules step by step."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from math import log
from typing import Any, NamedTuple

from complaints.domain.complaint.change import Change
from complaints.domain.complaint.facts import Deadline
from complaints.domain.policy.policy import Policy
from complaints.domain.rules import actions
from complaints.domain.rules.actions import ActionContext
from complaints.domain.vocabulary import (
    Action,
    Cause,
    ContactChannel,
    ContactOutcome,
    DeadlineKind,
    HoldReason,
    Outcome,
    RecipientRole,
    Status,
)
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import right_for
from complaints.use_cases.commands.complaints import (
    TRANSITIONS,
    AddNote,
    MakePromise,
)
from complaints.use_cases.complaints.notes_and_links import plan_note
from complaints.use_cases.complaints.promises import plan_keeping, plan_promise
from complaints.use_cases.demo.arrivals import Arrival, ArrivalKind
from complaints.use_cases.demo.course import LiveComplaint, Work
from complaints.use_cases.demo.scene import Scene

_SLOW_RESPONSE = 0.05
_SLOW_RESULT = 0.07
_WEAK_POINTS = {"billing.refund": 0.2, "provisioning.install_delay": 0.12, "network.coverage": 0.1}
_WEAK_REGION, _WEAK_IN_REGION, _WEAK_IN_OUTAGE = "CN-AH", 0.07, 0.12
_HANDED_ON = {"operations": "field_service", "customer_service": "vip_care", "management": "billing"}
_OWNER_SPEAKS = 0.6
_TOLD_BY = {
    ContactChannel.PHONE: 62, ContactChannel.SMS: 16, ContactChannel.APP: 12, ContactChannel.EMAIL: 6,
    ContactChannel.ON_SITE: 4,
}  # fmt: skip
_HOLDS = {HoldReason.AWAITING_COMPLAINANT: 5, HoldReason.AWAITING_THIRD_PARTY: 4, HoldReason.OUTAGE: 1}
_OUTCOMES = {Outcome.UPHELD: 58, Outcome.PARTLY_UPHELD: 22, Outcome.NOT_UPHELD: 20}
_CSAT = {5: 46, 4: 31, 3: 14, 2: 6, 1: 3}
_NPS = {10: 22, 9: 20, 8: 20, 7: 15, 6: 8, 5: 7, 3: 4, 0: 4}
_MOST_CYCLES = 3
_WAY_BACK = timedelta(minutes=1)
Turns = Iterator["Turn"]


class Turn(NamedTuple):
    """What happens next in a life. It is left out if the complaint has ended, unless `after_end`."""

    at: datetime
    work: Work
    after_end: bool = False


class Life:
    """The life of one complaint, as a run of turns."""

    def __init__(self, scene: Scene, live: LiveComplaint, arrival: Arrival) -> None:
        self._scene, self._live, self._arrival = scene, live, arrival
        self._random = scene.random
        self._now = arrival.at

    def go_on(self, turns: Turns) -> None:
        """Let the next turn of a life happen at its time, and then the turns after it."""
        turn = next(turns, None)
        if turn is None:
            return

        def work(tx: Transaction) -> None:
            if self._live.complaint.open or turn.after_end:
                self._now = tx.now
                turn.work(tx)
                self.go_on(turns)

        self._scene.course.schedule(max(turn.at, self._now), work)

    # The story -------------------------------------------------------------------------------------------------------

    def turns(self) -> Turns:
        """Everything from the receipt on."""
        received = self._arrival.at
        yield from self._assign(received)
        if self._scene.chance(0.025):
            yield self._act(
                self._scene.at_work(received + self._scene.hours(1, 20)),
                Action.WITHDRAW,
                reason=self._say("withdrawals"),
            )
        yield from self._respond(received)
        if self._scene.chance(0.03):
            yield self._act(
                self._scene.at_work(self._now + self._scene.hours(0.5, 8)),
                Action.REJECT,
                reason="not_ours",
                message=self._say("rejections"),
                contact_channel=ContactChannel.PHONE,
            )
        yield from self._work_on_it(received)
        yield from self._until_closed()

    def turns_to(self, stage: Status) -> Turns:
        """The first hours, up to a state in which the complaint then stays."""
        at = self._arrival.at + timedelta(minutes=20)
        told: dict[str, Any] = {
            "message": self._say("responses", agent=self._name_of_worker()),
            "contact_channel": "phone",
        }
        if stage is Status.WITHDRAWN:
            yield self._act(at, Action.WITHDRAW, reason=self._say("withdrawals"))
        elif stage is Status.REJECTED:
            yield self._act(at, Action.REJECT, reason="not_ours", **told)
        elif stage is not Status.RECEIVED:
            yield self._act(at, Action.RESPOND, **told)
        at += timedelta(minutes=30)
        if stage is Status.ON_HOLD:
            until = at + timedelta(days=2)
            yield self._act(at, Action.HOLD, reason=HoldReason.AWAITING_COMPLAINANT, until=until)
        elif stage is Status.RESOLVED:
            yield self._act(at, Action.RESOLVE, **self._decision())

    def _until_closed(self) -> Turns:
        """Tell the result, follow up, and begin again where it is not solved."""
        while self._live.complaint.cycle <= _MOST_CYCLES:
            yield from self._follow_up()
            if self._live.complaint.status is Status.CLOSED and self._scene.chance(0.025):
                yield self._act(
                    self._scene.at_work(self._now + self._scene.hours(20, 480)),
                    Action.REOPEN,
                    by=self._scene.staff.choose_member("customer_service", self._now, self._random),
                    after_end=True,
                    reason=self._say("reopenings"),
                )
            if self._live.complaint.status is not Status.INVESTIGATING:
                return
            yield from self._work_on_it(self._now, again=True)

    def _assign(self, received: datetime) -> Turns:
        if self._scene.chance(0.07):
            return  # it waits in the queue until somebody responds
        at = self._scene.at_work(received + self._scene.hours(0.03, 0.9))
        team = self._live.complaint.team
        own = self._live.complaint.first_owner
        keeps = own in self._scene.staff.members(team) and self._scene.chance(0.7)
        worker = own if keeps else self._scene.staff.choose_member(team, at, self._random)
        yield self._act(at, Action.ASSIGN, by=worker, assignee=worker)

    def _respond(self, received: datetime) -> Turns:
        at = self._scene.at_work(received + self._delay(median=2.2, most=21))
        if self._scene.chance(_SLOW_RESPONSE + self._weakness() / 3):
            at = self._scene.at_work(received + self._scene.hours(24.2, 62))
        elif at - received > timedelta(hours=23):
            at = received + self._scene.hours(18, 23.5)
        owner = self._choose_owner_to_speak(at)
        yield self._act(
            at,
            Action.RESPOND,
            by=owner,
            message=self._say("responses", agent=self._name_of_worker(owner)),
            contact_channel=self._scene.choose(_TOLD_BY),
        )
        if self._scene.chance(0.09):
            yield self._promise()
            if self._scene.chance(0.35):
                yield self._keep_promise()
        if self._scene.chance(0.25):
            yield self._note()

    def _work_on_it(self, since: datetime, *, again: bool = False) -> Turns:
        """From the response to the result. The clock of the result runs from `since`."""
        if not again and self._scene.chance(0.1):
            yield from self._hand_on()
        told_at = self._scene.at_work(since + self._scene.hours(7, 44))
        if told_at - since > timedelta(hours=47):
            told_at = since + self._scene.hours(36, 47)
        if self._scene.chance(_SLOW_RESULT + self._weakness()):
            told_at = self._scene.at_work(since + self._scene.hours(48.5, 130))
        if self._scene.chance(0.012):
            yield self._call_for_help()
        if self._scene.chance(0.1):
            yield from self._hold()
            told_at = max(told_at, self._now + self._scene.hours(1, 12))
        elif self._scene.chance(0.12):
            yield self._report(self._scene.at_work(self._between(told_at)))
        yield from self._resolve(max(self._now + _WAY_BACK, told_at - self._scene.hours(0.1, 2.5)))
        yield self._act(
            max(self._now + _WAY_BACK, told_at),
            Action.NOTIFY_RESULT,
            message=self._say("results"),
            contact_channel=self._scene.choose(_TOLD_BY),
        )

    def _resolve(self, at: datetime) -> Turns:
        yield self._act(at, Action.RESOLVE, **self._decision())
        if self._scene.chance(
            0.008
        ):  # a colleague finds that it is not solved before the complainant was told
            yield self._act(
                self._now + self._scene.hours(0.2, 1), Action.REOPEN, reason=self._say("reopenings")
            )
            yield self._act(self._now + self._scene.hours(1, 6), Action.RESOLVE, **self._decision())

    def _follow_up(self) -> Turns:
        """Contacts until the complaint closes or begins again."""
        if self._scene.chance(0.2):
            yield from self._close_early()
        while self._live.complaint.status is Status.FOLLOWING_UP:
            follow_up = self._next_follow_up()
            if follow_up is None:
                yield from self._close()
                return
            yield self._contact(self._contact_time(follow_up))
            if self._promise_is_open() and self._scene.chance(0.5):
                yield self._keep_promise()

    # Turns -----------------------------------------------------------------------------------------------------------

    def _act(
        self, at: datetime, action: Action, *, by: str | None = None, after_end: bool = False, **members: Any
    ) -> Turn:
        """An action by a user, by default by whoever works on the complaint. It is left out if it is not allowed."""
        command: Any = TRANSITIONS[action].model_validate({"action": action, **members})

        def work(tx: Transaction) -> None:
            caller = self._scene.staff.caller(by or self._worker(tx.now))
            caller.require(right_for(action))
            context = self._scene.service.context(tx, self._live.complaint, caller)
            if action in actions.allowed_actions(self._live.complaint, context):
                self._scene.course.change(tx, self._live, caller, partial(step, context))

        def step(context: ActionContext, tx: Transaction, change: Change, policy: Policy) -> None:
            actions.plan(change, context, action, command.arguments())

        return Turn(at, work, after_end)

    def _plan(self, at: datetime, step: Callable[[Transaction, Change, Policy, Any], None]) -> Turn:
        """A turn of whoever works on the complaint that is no action."""

        def work(tx: Transaction) -> None:
            caller = self._scene.staff.caller(self._worker(tx.now))
            self._scene.course.change(
                tx, self._live, caller, lambda tx, change, policy: step(tx, change, policy, caller)
            )

        return Turn(at, work)

    def _promise(self) -> Turn:
        at = self._now + self._scene.hours(0.05, 0.5)
        command = MakePromise(
            text=self._say("promises"), due_at=self._scene.at_work(at + self._scene.hours(20, 80))
        )
        return self._plan(at, lambda tx, change, policy, caller: _make(tx, caller, change, policy, command))

    def _keep_promise(self) -> Turn:
        def step(tx: Transaction, change: Change, policy: Policy, caller: Any) -> None:
            for deadline in change.unmet(DeadlineKind.PROMISE):
                plan_keeping(tx, change, deadline.id)

        return self._plan(self._now + self._scene.hours(0.1, 5), step)

    def _note(self) -> Turn:
        command = AddNote(text=self._say("notes"))
        return self._plan(
            self._now + self._scene.hours(0.1, 3),
            lambda tx, change, policy, caller: plan_note(tx, change, command),
        )

    def _report(self, at: datetime) -> Turn:
        return self._act(
            at, Action.RESPOND, message=self._say("progress"), contact_channel=self._scene.choose(_TOLD_BY)
        )

    def _call_for_help(self) -> Turn:
        return self._act(
            self._now + self._scene.hours(0.3, 6),
            Action.ESCALATE,
            reason=self._say("calls_for_help"),
            role=self._scene.choose({RecipientRole.TEAM_LEAD: 3, RecipientRole.DEPARTMENT_HEAD: 1}),
        )

    def _hand_on(self) -> Turns:
        """Another team takes over, and one of its members a little later."""
        team = _HANDED_ON.get(self._live.complaint.team)
        if team is None:
            return
        yield self._act(self._scene.at_work(self._now + self._scene.hours(0.2, 3)), Action.ASSIGN, team=team)
        at = self._scene.at_work(self._now + self._scene.hours(0.1, 4))
        worker = self._scene.staff.choose_member(team, at, self._random)
        yield self._act(at, Action.ASSIGN, by=worker, assignee=worker)

    def _hold(self) -> Turns:
        """Some holds are ended by a person, the others by time."""
        at = self._scene.at_work(self._now + self._scene.hours(0.3, 4))
        until = self._scene.at_work(at + self._scene.hours(20, 90))
        yield self._act(at, Action.HOLD, reason=self._scene.choose(_HOLDS), until=until)
        if self._scene.chance(0.6):
            yield self._act(self._scene.at_work(self._between(until)), Action.RESUME)
        else:
            self._now = until

    def _contact(self, at: datetime) -> Turn:
        outcome = self._scene.choose(
            {ContactOutcome.SOLVED: 83, ContactOutcome.UNREACHABLE: 12, ContactOutcome.NOT_SOLVED: 5}
        )
        return self._act(
            at,
            Action.RECORD_CONTACT,
            outcome=outcome,
            note=self._say("contacts", outcome.value),
            **self._scores(outcome),
        )

    def _scores(self, outcome: ContactOutcome) -> dict[str, Any]:
        if outcome is ContactOutcome.UNREACHABLE or not self._scene.chance(0.68):
            return {}
        if outcome is ContactOutcome.NOT_SOLVED:
            return {"csat": self._random.randint(1, 2), "nps": self._random.randint(0, 5)}
        return {"csat": self._scene.choose(_CSAT), "nps": self._scene.choose(_NPS)}

    def _close_early(self) -> Turns:
        """The complainant confirms the solution, and a supervisor closes."""
        yield self._act(
            self._scene.at_work(self._now + self._scene.hours(20, 150)),
            Action.RECORD_CONTACT,
            outcome=ContactOutcome.SOLVED,
            note=self._say("contacts", "solved"),
            **self._scores(ContactOutcome.SOLVED),
        )
        at = self._scene.at_work(self._now + self._scene.hours(0.5, 8))
        yield self._act(
            at,
            Action.CLOSE,
            by=self._scene.staff.find_supervisor(self._live.complaint.team),
            early=True,
            message=self._say("contacts", "solved"),
            contact_channel=ContactChannel.PHONE,
            **self._root_cause(),
        )

    def _close(self) -> Turns:
        complaint = self._live.complaint
        due = max(d.due_at for d in complaint.deadlines if d.kind is DeadlineKind.FOLLOW_UP)
        late = self._scene.chance(0.06)
        at = max(due, self._now) + (self._scene.hours(180, 260) if late else self._scene.hours(0.5, 110))
        if self._promise_is_open():
            yield self._keep_promise()
        yield self._act(self._scene.at_work(at), Action.CLOSE, **self._root_cause())

    # What is said and by whom ----------------------------------------------------------------------------------------

    def _say(self, *path: str, **slots: str) -> str:
        return self._scene.wording.choose(self._arrival.language, *path, **slots)

    def _decision(self) -> dict[str, Any]:
        cause = self._live.complaint.cause or Cause.SERVICE
        outcome = self._scene.choose(_OUTCOMES)
        found = {"resolution": self._say("resolutions", cause), "outcome": outcome, "cause": cause}
        if outcome is not Outcome.NOT_UPHELD and self._scene.chance(0.8):
            found["root_cause"] = self._say("root_causes", cause)
        if outcome is Outcome.UPHELD and cause is Cause.MANAGEMENT and self._scene.chance(0.5):
            found["compensation"] = {"amount": Decimal(self._random.randint(5, 200)), "currency": "CNY"}
        return found

    def _root_cause(self) -> dict[str, Any]:
        complaint = self._live.complaint
        if complaint.root_cause is not None or complaint.outcome is Outcome.NOT_UPHELD:
            return {}
        return {"root_cause": self._say("root_causes", complaint.cause or Cause.SERVICE)}

    def _worker(self, now: datetime) -> str:
        complaint = self._live.complaint
        if complaint.assignee and self._scene.staff.directory.users[complaint.assignee].available(now):
            return complaint.assignee
        return self._scene.staff.choose_member(complaint.team, now, self._random)

    def _choose_owner_to_speak(self, at: datetime) -> str | None:
        """The first owner, who often goes on speaking. None: whoever works on the complaint speaks."""
        owner = self._live.complaint.first_owner
        is_there = self._scene.staff.directory.users[owner].available(at)
        return owner if self._scene.chance(_OWNER_SPEAKS) and is_there else None

    def _name_of_worker(self, owner: str | None = None) -> str:
        complaint = self._live.complaint
        return self._scene.staff.directory.users[owner or complaint.assignee or complaint.first_owner].name

    # Times -----------------------------------------------------------------------------------------------------------

    def _delay(self, *, median: float, most: float) -> timedelta:
        return timedelta(seconds=round(min(self._random.lognormvariate(log(median), 0.8), most) * 3600))

    def _between(self, end: datetime) -> datetime:
        """An instant between now and `end`."""
        return self._now + max((end - self._now) * self._random.uniform(0.2, 0.8), timedelta())

    def _weakness(self) -> float:
        """The share of complaints of this kind that are late beyond the usual."""
        found = _WEAK_POINTS.get(self._arrival.category, 0.0)
        found += _WEAK_IN_REGION * (self._arrival.region == _WEAK_REGION)
        return found + _WEAK_IN_OUTAGE * (self._arrival.kind is ArrivalKind.OUTAGE)

    def _contact_time(self, follow_up: Deadline) -> datetime:
        late = self._scene.chance(0.07)
        offset = self._scene.hours(12, 60) if late else -self._scene.hours(4, 100)
        return self._scene.at_work(max(follow_up.due_at + offset, self._now + self._scene.hours(4, 24)))

    def _next_follow_up(self) -> Deadline | None:
        cycle = self._live.complaint.cycle
        unmet = [
            d
            for d in self._live.complaint.deadlines
            if d.kind is DeadlineKind.FOLLOW_UP and d.cycle == cycle and d.unmet
        ]
        return min(unmet, key=lambda d: (d.due_at, d.id), default=None)

    def _promise_is_open(self) -> bool:
        return any(d.kind is DeadlineKind.PROMISE and d.unmet for d in self._live.complaint.deadlines)


def _make(tx: Transaction, caller: Any, change: Change, policy: Policy, command: MakePromise) -> None:
    if change.complaint.open and command.due_at > tx.now:
        plan_promise(tx, caller, change, policy, command)
