"""The figures again, slow and obvious: each from the events of the history, in loops, as the rule book words them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from complaints.domain.complaint.identity import Identity, same_complainant
from complaints.domain.instants import read_instant
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.event import event
from complaints.storage.rows.person import find_identity
from complaints.use_cases.service import Service

MONTH_OF_REPEATS = timedelta(days=30)
OPEN = ("received", "investigating", "on_hold", "resolved", "following_up")


@dataclass
class Happening:
    """An event, with all members of its complaint before and after it."""

    type: str
    at: datetime
    actor: str
    data: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass
class Story:
    """A complaint as its events tell it. `deadlines` are as the last event about each of them says."""

    id: UUID
    identity: Identity
    happenings: list[Happening] = field(default_factory=list)
    deadlines: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def now(self) -> dict[str, Any]:
        """The members after the last event."""
        return self.happenings[-1].after

    @property
    def received_at(self) -> datetime:
        return read_instant(self.now["received_at"])

    @property
    def is_merged(self) -> bool:
        return self.now["status"] == "merged"

    @property
    def is_imported_history(self) -> bool:
        return self.happenings[0].type == "complaint.imported_ended"

    def of_type(self, name: str) -> list[Happening]:
        return [one for one in self.happenings if one.type == f"complaint.{name}"]


@dataclass
class Histories:
    """All stories, the present instant, the zone of the days, and the department of each team.

    `hours` are the weekly open times for a kind of deadline, by policy and kind; None is always open.
    """

    stories: list[Story]
    now: datetime
    zone: ZoneInfo
    departments: dict[str, str]
    hours: dict[tuple[str, int, str], Any]


def tell(service: Service, zone: str) -> Histories:
    """Read every event of every complaint."""

    def work(tx: Transaction) -> Histories:
        stories: dict[UUID, Story] = {}
        statement = select(event).where(event.c.complaint_id.is_not(None)).order_by(event.c.sequence)
        for row in tx.connection.execute(statement).mappings():
            if row["complaint_id"] not in stories:
                stories[row["complaint_id"]] = Story(
                    row["complaint_id"], find_identity(tx, row["complaint_id"])
                )
            _add(stories[row["complaint_id"]], row)
        known = service.configuration(tx)
        hours = {
            (*name, kind): policy.rules[kind].calendar.hours
            for name, policy in known.policies.items()
            for kind in ("first_response", "resolution")
        }
        departments = {team.code: team.department for team in known.directory.teams.values()}
        return Histories(list(stories.values()), tx.now, ZoneInfo(zone), departments, hours)

    return service.read(work)


def _add(story: Story, row: Any) -> None:
    data = json.loads(row["data"])
    before = story.happenings[-1].after if story.happenings else {}
    after = {**before, **data.get("changes", {})}
    story.happenings.append(Happening(row["type"], row["at"], row["actor"], data, before, after))
    for deadline in data.get("deadlines", []):
        story.deadlines[deadline["id"]] = deadline


# Figures -------------------------------------------------------------------------------------------------------------


@dataclass
class Counted:
    """A fact of a figure: the complaint, its instant, and what it adds above the line.

    `left_out` says why it does not count. `parts` are the further numbers that it adds. `team` and `person` are
    those that have the complaint now, if the fact says nothing else. `since` stands for `at` in groups by time.
    """

    story: Story
    at: datetime
    above: Decimal = Decimal(1)
    left_out: str | None = None
    parts: dict[str, Decimal] = field(default_factory=dict)
    team: str | None = None
    person: str | None = None
    since: datetime | None = None


@dataclass
class Asked:
    """The histories, and the local days of a figure: from `from_on` up to and without `to_on`."""

    told: Histories
    from_on: date
    to_on: date

    @property
    def stories(self) -> list[Story]:
        return self.told.stories


Figure = Callable[[Asked], Iterator[Counted]]


def inflow(asked: Asked) -> Iterator[Counted]:
    """Complaints received in the period."""
    for story in asked.stories:
        yield Counted(story, story.received_at)


def appeals(asked: Asked) -> Iterator[Counted]:
    """Complaints received in the period by the channel regulator."""
    for story in asked.stories:
        if story.now["channel"] == "regulator":
            yield Counted(story, story.received_at)


def response_rate(asked: Asked) -> Iterator[Counted]:
    """First human response within its target / complaints received whose target time has passed."""
    yield from _timeliness(asked, "first_response")


def resolution_rate(asked: Asked) -> Iterator[Counted]:
    """Result told within its target / complaints received whose target time has passed."""
    yield from _timeliness(asked, "resolution")


def _timeliness(asked: Asked, kind: str) -> Iterator[Counted]:
    for story in asked.stories:
        first = None
        for deadline in story.deadlines.values():
            if deadline["kind"] == kind and deadline["cycle"] == 1:
                first = deadline
        good = first is not None and first["status"] == "met"
        yield Counted(story, story.received_at, Decimal(good), _why_not_judged(story, first, asked.told.now))


def _why_not_judged(story: Story, deadline: dict[str, Any] | None, now: datetime) -> str | None:
    """Why a figure of timeliness leaves a deadline out. None: its time has passed."""
    if story.is_imported_history:
        return "imported_history"
    if deadline is None or (deadline["status"] == "cancelled" and "breached_at" not in deadline):
        return "cancelled"
    return "not_yet_due" if now <= read_instant(deadline["due_at"]) else None


def first_contact_resolution(asked: Asked) -> Iterator[Counted]:
    """First result told by the first owner, without a transfer, without a repeat within 30 days / first results."""
    for story in asked.stories:
        if story.is_imported_history and _first_result_at(story):
            yield Counted(story, _first_result_at(story) or story.received_at, left_out="imported_history")
        elif results := story.of_type("result_notified"):
            before = story.happenings[: story.happenings.index(results[0])]
            own = results[0].actor == f"user:{results[0].after['first_owner']}"
            transferred = any(one in before for one in _transfers(story))
            repeated = any(_repeats(other, story) for other in asked.stories)
            yield Counted(story, results[0].at, Decimal(own and not transferred and not repeated))


def _first_result_at(story: Story) -> datetime | None:
    """When a result was told first, here or in the system from which the complaint was imported."""
    if "result_told_at" in story.happenings[0].after:
        return read_instant(story.happenings[0].after["result_told_at"])
    told = story.of_type("result_notified")
    return told[0].at if told else None


def _transfers(story: Story) -> list[Happening]:
    """Moves to another team, or from one assignee to another in the same team (rule 6.33)."""
    found, worker = [], story.happenings[0].after.get("assignee")
    for one in story.happenings[1:]:
        before, assignee = one.before, one.after.get("assignee")
        if one.after["team"] != before["team"]:
            found.append(one)
            worker = assignee
        elif assignee is not None:
            if worker is not None and worker != assignee:
                found.append(one)
            worker = assignee
    return found


def _repeats(later: Story, earlier: Story) -> bool:
    """True if `later` is about the same category by the same complainant, received within 30 days after `earlier`."""
    if later is earlier or later.is_merged or earlier.is_merged:
        return False
    if later.now.get("category") is None or later.now.get("category") != earlier.now.get("category"):
        return False
    between = later.received_at - earlier.received_at
    is_later = between > timedelta() or (not between and later.now["sequence"] > earlier.now["sequence"])
    return is_later and between <= MONTH_OF_REPEATS and same_complainant(later.identity, earlier.identity)


def repeat_rate(asked: Asked) -> Iterator[Counted]:
    """Same complainant and category as another one received within 30 days before / received."""
    for story in asked.stories:
        repeats = any(_repeats(story, other) for other in asked.stories)
        yield Counted(story, story.received_at, Decimal(repeats))


def reopen_rate(asked: Asked) -> Iterator[Counted]:
    """Closings after which the complaint was reopened / closings."""
    for story, at, later in _closings(asked):
        yield Counted(story, at, Decimal(any(one.type == "complaint.reopened" for one in later)))


def _closings(asked: Asked) -> Iterator[tuple[Story, datetime, list[Happening]]]:
    """Each closing with its time and what happened after it."""
    for story in asked.stories:
        if story.is_imported_history and story.happenings[0].after["status"] == "closed":
            yield story, read_instant(story.happenings[0].after["ended_at"]), story.happenings[1:]
        for n, one in enumerate(story.happenings):
            if one.type == "complaint.closed":
                yield story, one.at, story.happenings[n + 1 :]


def closed_loop_rate(asked: Asked) -> Iterator[Counted]:
    """Closings with cause, action and confirmation, without a reopening and without recurrence / closings."""
    recurred = set()
    for story in asked.stories:
        for one in story.of_type("linked"):
            if one.data["type"] == "recurrence_of":
                recurred.add(one.data["complaint_id"])
    for story, at, later in _closings(asked):
        after = story.happenings[len(story.happenings) - len(later) - 1].after
        closing = story.happenings[len(story.happenings) - len(later) - 1].data
        confirmed = closing.get("early") is True or after.get("contact_outcome") == "solved"
        good = bool(after.get("cause") and after.get("resolution") and confirmed)
        ended_well = (
            not any(one.type == "complaint.reopened" for one in later) and str(story.id) not in recurred
        )
        left_out = "imported_history" if story.is_imported_history else None
        yield Counted(story, at, Decimal(good and ended_well), left_out)


def follow_up_rate(asked: Asked) -> Iterator[Counted]:
    """Planned follow-ups made on time and answered / planned follow-ups due. The attempts of one are one."""
    for story in asked.stories:
        answered = set()
        for contact in story.of_type("contact_recorded"):
            if contact.data["outcome"] != "unreachable" and "deadline_id" in contact.data:
                answered.add(contact.data["deadline_id"])
        planned: dict[tuple[int, int], list[dict[str, Any]]] = {}
        for deadline in story.deadlines.values():
            if deadline["kind"] == "follow_up":
                planned.setdefault((deadline["cycle"], deadline["sequence"]), []).append(deadline)
        for attempts in planned.values():
            attempts.sort(key=lambda one: int(one["attempt"]))
            on_time = all(one["status"] == "met" for one in attempts)
            good = on_time and attempts[-1]["id"] in answered
            left_out = _why_not_judged(story, attempts[-1], asked.told.now)
            yield Counted(story, read_instant(attempts[0]["due_at"]), Decimal(good), left_out)


AGES = {"0-1": 1, "2-3": 3, "4-7": 7, "8-15": 15, "16-30": 30, ">30": 100_000}


def backlog(asked: Asked) -> Iterator[Counted]:
    """Complaints that are open at the end of the period, or now if it has not ended, by age in days."""
    told, zone = asked.told, asked.told.zone
    end = min(datetime.combine(asked.to_on, time(), zone), told.now + timedelta(microseconds=1))
    last_on = min(asked.to_on - timedelta(days=1), told.now.astimezone(zone).date())
    for story in asked.stories:
        if story.received_at < end and _is_open_at(story, end):
            age = (last_on - story.received_at.astimezone(zone).date()).days
            part = next(name for name, most in AGES.items() if age <= most)
            at = datetime.combine(last_on, time(12), zone)
            yield Counted(story, at, parts={part: Decimal(1)}, since=_open_since(story, end))


def omissions(asked: Asked) -> Iterator[Counted]:
    """Complaints of the backlog that are open without a deadline that runs, is paused or is breached."""
    for one in backlog(asked):
        unmet = [d for d in one.story.deadlines.values() if d["status"] in ("running", "paused", "breached")]
        above = Decimal(one.story.now["status"] in OPEN and not unmet)
        yield replace(one, above=above, parts={})


def _open_since(story: Story, at: datetime) -> datetime:
    """The receipt, or the last reopening before an instant of a complaint that had ended."""
    since = story.received_at
    for one in story.of_type("reopened"):
        if one.at < at and one.before["status"] not in OPEN:
            since = one.at
    return since


def _is_open_at(story: Story, at: datetime) -> bool:
    """True if the complaint had not ended then. Its first event may tell of an end in another system."""
    first = story.happenings[0]
    status = "received"
    if story.is_imported_history and at > read_instant(first.after["ended_at"]):
        status = first.after["status"]
    for n, one in enumerate(story.happenings[1:], start=1):
        undone = any(later.type == "complaint.unmerged" for later in story.happenings[n:])
        if one.at < at and not (one.type == "complaint.merged" and undone):
            status = one.after["status"]
    return status in OPEN


def time_to_result(asked: Asked) -> Iterator[Counted]:
    """The elapsed seconds from receipt to the first result told."""
    for story in asked.stories:
        if (at := _first_result_at(story)) is not None:
            yield Counted(story, at, Decimal(str((at - story.received_at).total_seconds())))


def csat(asked: Asked) -> Iterator[Counted]:
    """Scores of 4 or 5 / scores given in follow-up contacts."""
    for story, at, score in _scores(asked, "csat"):
        yield Counted(
            story, at, Decimal(score is not None and score >= 4), "no_score" if score is None else None
        )


def nps(asked: Asked) -> Iterator[Counted]:
    """Scores of 9 and 10 less scores of 0 to 6, of the scores given in follow-up contacts."""
    for story, at, score in _scores(asked, "nps"):
        above = 0 if score is None or score in (7, 8) else 1 if score >= 9 else -1
        yield Counted(story, at, Decimal(above), "no_score" if score is None else None)


def _scores(asked: Asked, name: str) -> Iterator[tuple[Story, datetime, int | None]]:
    for story in asked.stories:
        for one in story.of_type("contact_recorded"):
            if one.data["outcome"] != "unreachable":
                yield story, one.at, one.data.get(name)


def _results(asked: Asked) -> Iterator[tuple[Story, datetime, dict[str, Any]]]:
    """Each result told, with the members of the complaint then."""
    for story in asked.stories:
        first = story.happenings[0].after
        if story.is_imported_history and "result_told_at" in first:
            yield story, read_instant(first["result_told_at"]), first
        for one in story.of_type("result_notified"):
            yield story, one.at, one.after


def upheld_rate(asked: Asked) -> Iterator[Counted]:
    """Results that uphold the complaint, in whole or in part / results told."""
    for story, at, members in _results(asked):
        outcome = members.get("outcome")
        left_out = None if outcome else "no_outcome"
        if members.get("outcome_assumed"):
            left_out = "outcome_assumed"
        parts = {outcome: Decimal(1)} if outcome else {}
        yield Counted(story, at, Decimal(outcome in ("upheld", "partly_upheld")), left_out, parts)


def compensation(asked: Asked) -> Iterator[Counted]:
    """The sum of the compensation in results told, in the currency that most of them have."""
    granted: Counter[str] = Counter()
    for story, at, members in _results(asked):
        on = at.astimezone(asked.told.zone).date()
        if members.get("compensation_currency") and not story.is_merged and asked.from_on <= on < asked.to_on:
            granted[members["compensation_currency"]] += 1
    most = min(granted, key=lambda currency: (-granted[currency], currency), default=None)
    for story, at, members in _results(asked):
        amount = members.get("compensation_amount")
        other = "other_currency" if members.get("compensation_currency") != most else None
        left_out = "no_compensation" if amount is None else other
        yield Counted(story, at, Decimal(str(amount or 0)), left_out)


def transfers(asked: Asked) -> Iterator[Counted]:
    """Moves to another team, or from one assignee to another."""
    for story in asked.stories:
        for one in _transfers(story):
            yield Counted(story, one.at)


def escalations(asked: Asked) -> Iterator[Counted]:
    """Escalation steps taken, by level."""
    for story in asked.stories:
        for one in story.happenings:
            if "planned_at" in one.data:
                yield Counted(story, one.at, parts={f"level_{one.data['level']}": Decimal(1)})


def first_responsibility_breaches(asked: Asked) -> Iterator[Counted]:
    """Cycles with a result that were handed over, and in which the first owner made no contact until the result."""
    for story in asked.stories:
        for cycle in _cycles(story):
            handed_over, spoke = False, False
            for one in cycle.happenings:
                handed_over = handed_over or one in _handed_over(story)
                reached = one.type in CONTACTS and one.data.get("outcome") != "unreachable"
                own = one.actor == f"user:{one.after['first_owner']}"
                spoke = spoke or (handed_over and reached and own)
            left_out = None if handed_over else "not_handed_over"
            parts = {"handed_over": Decimal(1)}
            yield Counted(story, cycle.ended_at, Decimal(handed_over and not spoke), left_out, parts)


CONTACTS = (
    "complaint.responded",
    "complaint.result_notified",
    "complaint.rejected",
    "complaint.contact_recorded",
)


def _handed_over(story: Story) -> list[Happening]:
    """The events after which somebody else has it: another assignee, or a team to which it was moved (rule 6.34)."""
    found, away = [], False
    for one in story.happenings:
        assignee = one.after.get("assignee")
        moved = bool(one.before) and one.after["team"] != one.before["team"]
        away = away or moved if assignee is None else assignee != one.after["first_owner"]
        if away:
            found.append(one)
    return found


@dataclass
class Cycle:
    """A cycle with a result that was told here: its events, from its start to the result."""

    started_at: datetime
    ended_at: datetime
    happenings: list[Happening]


def _cycles(story: Story) -> list[Cycle]:
    """The cycles with a result, each from the receipt or the reopening to the result or the rejection (rule 6.31)."""
    found: list[Cycle] = []
    start, gathered, told = story.received_at, [], story.is_imported_history
    for one in story.happenings:
        if one.type == "complaint.reopened" and one.after["cycle"] != one.before["cycle"]:
            start, gathered, told = one.at, [], False
        gathered.append(one)
        if one.type in ("complaint.result_notified", "complaint.rejected") and not told:
            found.append(Cycle(start, one.at, list(gathered)))
            told = True
    return found


def time_shares(asked: Asked) -> Iterator[Counted]:
    """The time from receipt or reopening to the result of cycles with a result, by holder."""
    for story in asked.stories:
        for cycle in _cycles(story):
            held = _held(story, cycle.started_at, cycle.ended_at, asked.told, "resolution")
            for (kind, team, person), part in held.items():
                seconds = Decimal(part // timedelta(microseconds=1)) / 1_000_000
                yield Counted(story, cycle.ended_at, seconds, None, {kind: seconds}, team or "", person or "")


def breaches(asked: Asked) -> Iterator[Counted]:
    """Breached first responses and resolutions, charged by share of open time held until the breach."""
    for story in asked.stories:
        for one in story.deadlines.values():
            if one["kind"] not in ("first_response", "resolution") or "breached_at" not in one:
                continue
            start, end = read_instant(one["started_at"]), read_instant(one["breached_at"])
            held = _held(story, start, end, asked.told, one["kind"])
            staff = {holder: time for holder, time in held.items() if holder[0] == "staff"}
            staff = staff or {_staff_at(story, start): timedelta(seconds=1)}
            whole = sum(staff.values(), timedelta())
            shares = {holder: part * 1_000_000 // whole for holder, part in staff.items()}
            shares[max(staff, key=lambda holder: staff[holder])] += 1_000_000 - sum(shares.values())
            for (_, team, person), share in shares.items():
                yield Counted(story, end, Decimal(share) / 1_000_000, team=team or "", person=person or "")


Holder = tuple[str, str | None, str | None]


def _held(
    story: Story, start: datetime, end: datetime, told: Histories, kind: str
) -> dict[Holder, timedelta]:
    """The time from `start` to `end` by kind, team and person of its holder, cut at each instant that may change it."""
    cuts = {start, end, *(one.at for one in story.happenings)}
    cuts |= {read_instant(one.data["until_at"]) for one in story.of_type("held")}
    for open_time in _open_times(story, start, end, told, kind):
        cuts |= set(open_time)
    held: dict[Holder, timedelta] = {}
    for begin, finish in pairwise(sorted(at for at in cuts if start <= at <= end)):
        holder = _holder_at(story, begin, told, kind)
        held[holder] = held.get(holder, timedelta()) + (finish - begin)
    return held


def _open_times(
    story: Story, start: datetime, end: datetime, told: Histories, kind: str
) -> list[tuple[datetime, datetime]]:
    """The open times of the calendar for a kind of deadline, day by day, as a clock on the wall shows them."""
    hours = told.hours[story.now["policy_code"], story.now["policy_version"], kind]
    if hours is None:
        return [(start, end)]
    found, day = [], start.astimezone(told.zone).date() - timedelta(days=1)
    while day <= end.astimezone(told.zone).date():
        midnight = datetime.combine(day, time(), told.zone)
        for opens, closes in hours.get(day.weekday(), ()):
            walls = midnight + timedelta(seconds=opens), midnight + timedelta(seconds=closes)
            found.append((walls[0].astimezone(UTC), walls[1].astimezone(UTC)))
        day += timedelta(days=1)
    return found


def _holder_at(story: Story, at: datetime, told: Histories, kind: str) -> Holder:
    if not any(
        begin <= at < end for begin, end in _open_times(story, at, at + timedelta(days=1), told, kind)
    ):
        return "closed_hours", None, None
    for n, one in enumerate(story.happenings):
        if one.type != "complaint.held":
            continue
        end = read_instant(one.data["until_at"])
        left = next((o for o in story.happenings[n + 1 :] if _leaves_hold(story, o)), None)
        if one.at <= at < (min(end, left.at) if left else end):
            return (
                ("complainant" if one.data["reason"] == "awaiting_complainant" else "third_party"),
                None,
                None,
            )
    return _staff_at(story, at)


def _staff_at(story: Story, at: datetime) -> Holder:
    here = [one for one in story.happenings if one.at <= at] or story.happenings[:1]
    return "staff", here[-1].after["team"], here[-1].after.get("assignee")


def _leaves_hold(story: Story, one: Happening) -> bool:
    """True if the hold ends with this event. A merge that was undone ended none."""
    later = story.happenings[story.happenings.index(one) :]
    undone = one.type == "complaint.merged" and any(o.type == "complaint.unmerged" for o in later)
    return one.before["status"] == "on_hold" != one.after["status"] and not undone


FIGURES: dict[str, Figure] = {
    "inflow": inflow,
    "response_rate": response_rate,
    "resolution_rate": resolution_rate,
    "first_contact_resolution": first_contact_resolution,
    "repeat_rate": repeat_rate,
    "reopen_rate": reopen_rate,
    "backlog": backlog,
    "omissions": omissions,
    "time_to_result": time_to_result,
    "csat": csat,
    "nps": nps,
    "closed_loop_rate": closed_loop_rate,
    "follow_up_rate": follow_up_rate,
    "escalations": escalations,
    "upheld_rate": upheld_rate,
    "compensation": compensation,
    "weak_points": inflow,
    "transfers": transfers,
    "first_responsibility_breaches": first_responsibility_breaches,
    "breaches": breaches,
    "time_shares": time_shares,
    "complaints_per_10000_services": inflow,
    "appeals_per_million_users": appeals,
}


# Groups --------------------------------------------------------------------------------------------------------------


def group_of(one: Counted, group_by: str | None, told: Histories) -> str | None:
    """The group of a fact: a member of its complaint as it is now, or its local day, week or month."""
    members, local = one.story.now, (one.since or one.at).astimezone(told.zone).date()
    team = members["team"] if one.team is None else one.team
    match group_by:
        case None:
            return None
        case "team":
            return team or None
        case "department":
            return told.departments.get(team)
        case "person":
            person = members.get("assignee") if one.person is None else one.person
            return person or (f"team:{team}" if team else None)
        case "day":
            return local.isoformat()
        case "week":
            return f"{local.isocalendar().year}-W{local.isocalendar().week:02}"
        case "month":
            return f"{local:%Y-%m}"
        case _:
            return members.get(group_by)


@dataclass
class Sum:
    """What a group adds up to: `above` and `below` the line, `values` one by one, and what is left out."""

    above: Decimal = Decimal()
    below: int = 0
    values: list[Decimal] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    parts: dict[str, Decimal] = field(default_factory=dict)


def find_counted(name: str, asked: Asked) -> list[Counted]:
    """The facts of a figure on the days that are asked."""
    facts = FIGURES[name](asked)
    return [one for one in facts if asked.from_on <= one.at.astimezone(asked.told.zone).date() < asked.to_on]


def add_up(counted: Sequence[Counted], told: Histories, group_by: str | None) -> dict[str | None, Sum]:
    """The sums of a figure by group. Merged complaints are left out of every figure."""
    sums: dict[str | None, Sum] = {}
    for one in counted:
        found = sums.setdefault(group_of(one, group_by, told), Sum())
        if why := "merged" if one.story.is_merged else one.left_out:
            found.left_out[why] += 1
            continue
        found.below += 1
        found.above += one.above
        found.values.append(one.above)
        for part, amount in one.parts.items():
            found.parts[part] = found.parts.get(part, Decimal()) + amount
    return sums


def add_up_weak_points(asked: Asked, group_by: str | None) -> dict[str | None, Sum]:
    """As `add_up`, the most frequent group first, with shares and with the change against the period before."""
    days = asked.to_on - asked.from_on
    asked_before = Asked(asked.told, asked.from_on - days, asked.from_on)
    before = add_up(find_counted("weak_points", asked_before), asked.told, group_by)
    sums = add_up(find_counted("weak_points", asked), asked.told, group_by)
    sums |= {key: Sum() for key, one in before.items() if key not in sums and one.above}
    whole, so_far, ordered = sum(one.above for one in sums.values()), Decimal(), {}
    for key in sorted(sums, key=lambda key: (key is None, -sums[key].above, key or "")):
        one, was = sums[key], before[key].above if key in before else Decimal()
        so_far += one.above
        one.parts = {
            "before": was,
            "share": _quotient(one.above, whole),
            "cumulative_share": _quotient(so_far, whole),
        }
        one.parts["change"] = _quotient(one.above - was, was)
        ordered[key] = one
    return ordered


def _quotient(above: Decimal, below: Decimal | int) -> Decimal:
    return (above / below).quantize(Decimal("0.000001")) if below else Decimal()


def percentile(values: Sequence[Decimal], percent: int) -> Decimal:
    """The smallest value that this share of the values does not exceed."""
    for value in sorted(values):
        if sum(other <= value for other in values) * 100 >= percent * len(values):
            return value
    raise AssertionError("no values")
