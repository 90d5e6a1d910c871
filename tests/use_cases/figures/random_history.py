"""Random histories on a sandbox, made by the use cases of the product: equal seeds give equal histories."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError
from complaints.domain.instants import write_instant
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.complaints import MakePromise, PatchComplaint, PolicyVersion, Replan
from complaints.use_cases.commands.configuration import CreateTeam, CreateUser, Names, PatchUser
from complaints.use_cases.complaints import actions, edit, leaving, promises
from complaints.use_cases.configuration import policies, staff
from complaints.use_cases.importing.uploads import ImportRequest, check_file, start_import
from complaints.use_cases.upkeep.seeding import shipped_policy
from complaints.wiring import open_import_worker
from tests.support import Scenario

HANDBOOK = shipped_policy("telecom-handbook")
LOGINS = ("an", "fei", "li", "wu")
TEAMS = ("operations", "customer_service", "management", "field")
CHANNELS = ("phone", "phone", "web", "regulator", "email")
CATEGORIES = ("network.outage", "network.slow", "billing.refund", "billing", "service.attitude", None)
REGIONS = ("north", "south", None)
PRIORITIES = ("urgent", "normal", "low", None, None, None)
CAUSES = ("technical", "service", "management")
OUTCOMES = ("upheld", "partly_upheld", "not_upheld")
TOLD = {"message": "A message.", "contact_channel": "phone"}
OFFICE = """\
  office:
    hours: {mon: [["09:00", "18:00"]], tue: [["09:00", "18:00"]], wed: [["09:00", "18:00"]],
            thu: [["09:00", "18:00"]], fri: [["09:00", "18:00"]], sun: [["01:00", "03:30"]]}
"""


@dataclass
class RandomHistory:
    """A history that grows by random turns. `posted` has its complaints, those of imports too."""

    scenario: Scenario
    zone: str
    random: Random
    posted: list[Complaint] = field(default_factory=list)
    complainants: dict[Any, int] = field(default_factory=dict)
    imported: int = 0
    refused: int = 0

    def begin(self, at: datetime) -> None:
        """Four users, four teams in three departments, and the policy in the zone, all at `at`."""
        service = self.scenario.service
        self.scenario.jump(seconds=(at - self.scenario.now()).total_seconds())
        for login in LOGINS:
            self._configure(lambda tx, user=login: staff.USERS.create(
                service, tx, SYSTEM, CreateUser(login=user, name=user.title(), teams=("operations",))
            ))  # fmt: skip
        team = CreateTeam(code="field", names=Names(en="Field", zh="外线"), department="network", lead="li")
        self._configure(lambda tx: staff.TEAMS.create(service, tx, SYSTEM, team))
        self.apply_policy(HANDBOOK)

    def live(self, turns: int, *, most_hours: int = 10) -> None:
        """Let so many turns happen, with random pauses between them."""
        for _ in range(turns):
            pause = self.random.choice(
                [0, 0, self.random.randint(1, 60), self.random.randint(1, most_hours * 60)]
            )
            self.scenario.advance(minutes=pause, seconds=self.random.choice([0, 0, 7]))
            turn = self.random.choices(list(TURNS), weights=list(TURNS.values()))[0]
            turn(self)

    def try_to(self, what: Callable[[], Any]) -> Any:
        """Do something. A refusal changes nothing, so the history goes on."""
        try:
            return what()
        except ComplaintError:
            self.refused += 1
            return None

    def act(self, complaint: Complaint, action: str, *, by: str | None = None, **members: Any) -> None:
        """Take an action as this user or a random one, if it is allowed now."""
        who = replace(self.scenario, caller=replace(SYSTEM, acts_as=f"user:{by}") if by else self.caller())
        self.try_to(lambda: who.act(complaint, action, **members))

    def caller(self) -> Caller:
        """A caller with all rights who is one of the users in the history."""
        return replace(SYSTEM, acts_as=f"user:{self.random.choice(LOGINS)}")

    def pick(self, *choices: Any) -> Any:
        """One of these values."""
        return self.random.choice(choices)

    def apply_policy(self, text: str) -> None:
        """Apply a version of the policy in the zone of this history, in force from now on."""
        text = text.replace("Asia/Shanghai", self.zone)
        self._configure(lambda tx: policies.apply_policy(self.scenario.service, tx, SYSTEM, text))

    def _configure(self, work: Callable[[Any], Any]) -> None:
        self.scenario.service.configure(work)


# Turns ---------------------------------------------------------------------------------------------------------------


def post(history: RandomHistory) -> None:
    """A complaint, often of a complainant who complained before, and sometimes told late."""
    hours = history.pick(0, 0, 0, 1, 20, 60)
    number = history.random.randint(1, 6)
    members = {
        "channel": history.pick(*CHANNELS),
        "category": history.pick(*CATEGORIES),
        "priority": history.pick(*PRIORITIES),
        "region": history.pick(*REGIONS),
        "first_owner": history.pick(*LOGINS),
        "complainant": {"account_no": f"A-10{number}"} if number % 2 else {"phone": f"+861380013800{number}"},
        "received_at": write_instant(history.scenario.now() - timedelta(hours=hours)),
        "source": history.pick("crm", "hotline"),
        "external_id": history.pick(None, f"E{len(history.posted)}"),
    }
    given = {name: value for name, value in members.items() if value is not None}
    who = replace(history.scenario, caller=history.caller())
    if (made := history.try_to(lambda: who.post(**given))) is not None:
        history.posted.append(made)
        history.complainants[made.id] = number
        if history.random.random() < 0.5:
            history.act(made, "assign", assignee=history.pick(*LOGINS))
        if history.random.random() < 0.4:
            history.scenario.advance(minutes=history.random.randint(1, 300))
            history.act(made, "respond", **TOLD)


def work(history: RandomHistory) -> None:
    """An action that the state of a complaint makes likely."""
    if (complaint := _any(history)) is None:
        return
    match complaint.status:
        case "received" | "investigating" | "on_hold":
            _investigate(history, complaint)
        case "resolved":
            action = history.pick("notify_result", "notify_result", "notify_result", "reopen")
            history.act(complaint, action, **(TOLD if action == "notify_result" else {"reason": "Not yet."}))
        case "following_up":
            _follow_up(history, complaint)
        case "merged":
            history.act(complaint, "unmerge")
        case _:
            if history.random.random() < 0.3:
                history.act(complaint, "reopen", reason="It is back.")


def _investigate(history: RandomHistory, complaint: Complaint) -> None:
    now, roll = history.scenario.now(), history.random.random()
    if roll < 0.25:
        history.act(complaint, "respond", **TOLD)
    elif roll < 0.4:
        until = write_instant(now + timedelta(hours=history.random.randint(1, 90)))
        reason = history.pick("awaiting_complainant", "awaiting_third_party", "outage")
        history.act(complaint, "hold", reason=reason, until=until)
    elif roll < 0.47:
        history.act(complaint, "resume")
    elif roll < 0.85:
        _resolve(history, complaint)
    elif roll < 0.9:
        history.act(complaint, "reject", reason="not_ours", **TOLD)
    elif roll < 0.93:
        history.act(complaint, "withdraw", reason="Settled.")
    else:
        history.act(complaint, "record_contact", outcome="unreachable")


def _resolve(history: RandomHistory, complaint: Complaint) -> None:
    granted = {"amount": str(history.random.randint(1, 500)), "currency": history.pick("CNY", "CNY", "GBP")}
    members = {
        "resolution": "Repaired.",
        "outcome": history.pick(*OUTCOMES),
        "cause": history.pick(*CAUSES),
        "root_cause": history.pick(None, "Old fibre", "Wrong tariff"),
        "compensation": history.pick(None, granted),
    }
    given = {name: value for name, value in members.items() if value is not None}
    if history.random.random() < 0.2:
        history.try_to(lambda: history.scenario.resolve_assumed(complaint))
    else:
        history.act(complaint, "resolve", **given)
    if history.random.random() < 0.7:
        history.act(complaint, "notify_result", by=history.pick(None, complaint.first_owner), **TOLD)


def _follow_up(history: RandomHistory, complaint: Complaint) -> None:
    roll = history.random.random()
    if roll < 0.6:
        outcome = history.pick("solved", "solved", "solved", "not_solved", "unreachable")
        scores = (
            {}
            if outcome == "unreachable"
            else {"csat": history.random.randint(1, 5), "nps": history.random.randint(0, 10)}
        )
        history.act(complaint, "record_contact", outcome=outcome, **history.pick(scores, scores, {}))
    elif roll < 0.95:
        early = {"early": True, **TOLD}
        history.act(
            complaint,
            "close",
            **history.pick({}, {"root_cause": "Old fibre"}, early, early | {"root_cause": "Frost"}),
        )
    else:
        history.act(complaint, "reopen", reason="It is back.")


def assign(history: RandomHistory) -> None:
    """The complaint goes to another team, another user, or back into the queue."""
    if (complaint := _any(history)) is None:
        return
    team, login = history.pick(*TEAMS), history.pick(*LOGINS)
    history.act(
        complaint,
        "assign",
        **history.pick(
            {"team": team}, {"assignee": login}, {"team": team, "assignee": login}, {"assignee": None}
        ),
    )


def edit_members(history: RandomHistory) -> None:
    """Category, priority, region or first owner change."""
    if (complaint := _any(history)) is None:
        return
    change = history.pick(
        {"category": history.pick(*CATEGORIES)},
        {"priority": history.pick("urgent", "low", None)},
        {"region": history.pick(*REGIONS)},
        {"first_owner": history.pick(*LOGINS)},
    )
    service, caller, command = (
        history.scenario.service,
        history.caller(),
        PatchComplaint.model_validate(change),
    )
    history.try_to(
        lambda: service.write(lambda tx: edit.patch(service, tx, caller, str(complaint.id), command, None))
    )


def merge(history: RandomHistory) -> None:
    """A complaint is merged into another one, and the merge is undone now and then."""
    if (complaint := _any(history)) is None:
        return
    number = history.complainants[complaint.id]
    same = [one for one in history.posted if history.complainants[one.id] == number]
    history.act(complaint, "merge", into=str(history.pick(*same).id))
    if history.random.random() < 0.5:
        history.scenario.advance(minutes=20)
        history.act(complaint, "unmerge")


def promise(history: RandomHistory) -> None:
    """Something is promised to the complainant."""
    if (complaint := _any(history)) is None:
        return
    due_at = history.scenario.now() + timedelta(hours=history.random.randint(1, 50))
    command = MakePromise.model_validate({"text": "A visit", "due_at": write_instant(due_at)})
    service, caller = history.scenario.service, history.caller()
    history.try_to(
        lambda: service.write(
            lambda tx: promises.make_promise(service, tx, caller, str(complaint.id), command)
        )
    )


def escalate(history: RandomHistory) -> None:
    """A user asks for help."""
    if (complaint := _any(history)) is not None:
        role = history.pick("team_lead", "department_head", "executive")
        history.act(complaint, "escalate", reason="They called again.", role=role)


def contact_again(history: RandomHistory) -> None:
    """The complainant calls again under a known external id."""
    known = [one for one in history.posted if one.external_id]
    if known:
        one = history.pick(*known)
        words = f"Still no signal, {history.random.random()}"
        history.try_to(
            lambda: history.scenario.post(source=one.source, external_id=one.external_id, subject=words)
        )


def change_policy(history: RandomHistory) -> None:
    """Another version of the policy, with other targets; some complaints move to it."""
    text = HANDBOOK.replace("24 elapsed hours", history.pick("6 elapsed hours", "30 elapsed hours"))
    text = text.replace("48 elapsed hours", history.pick("20 elapsed hours", "3 calendar days"))
    text = text.replace("contact_after_end: reopen", f"contact_after_end: {history.pick('reopen', 'new')}")
    if history.random.random() < 0.5:
        text = text.replace("    hours: null\n", "    hours: null\n" + OFFICE)
        text = text.replace(
            "  resolution: # 处理结果反馈\n    calendar: always", "  resolution:\n    calendar: office"
        )
        text = text.replace("20 elapsed hours", "9 working hours")
    history.apply_policy(text)
    service, caller = history.scenario.service, history.caller()
    latest = service.read(lambda tx: service.configuration(tx).policy_at(tx.now))
    command = Replan(policy=PolicyVersion(code=latest.code, version=latest.version))
    for complaint in history.random.sample(history.posted, k=min(3, len(history.posted))):
        history.try_to(
            lambda one=complaint: service.write(
                lambda tx: actions.replan(service, tx, caller, str(one.id), command, None)
            )
        )


def import_file(history: RandomHistory) -> None:
    """A file with complaints that ended elsewhere long ago, and one that is still open."""
    now, rows = history.scenario.now(), []
    for _ in range(3):
        history.imported += 1
        received = now - timedelta(hours=history.random.randint(200, 1500))
        told = received + timedelta(hours=history.random.randint(1, 90))
        times = (write_instant(received), write_instant(told), write_instant(told + timedelta(hours=5)))
        rows.append([f"H{history.imported}", times[0], "closed", *times[1:], history.pick(*OUTCOMES)])
    history.imported += 1
    received_at = write_instant(now - timedelta(hours=history.random.randint(1, 90)))
    rows.append([f"H{history.imported}", received_at, "received", "", "", ""])
    lines = [
        [
            *row,
            history.pick("network.outage", "billing.refund"),
            history.pick("north", "south"),
            history.pick("13800138002", "13800138004"),
        ]
        for row in rows
    ]
    header = "external_id,received_at,State,Told,Done,Result,category,region,phone"
    content = "\n".join([header, *map(",".join, lines)]).encode()
    options = (
        ("set.channel", "phone"), ("set.subject", "No signal"), ("map.status", "State"),
        ("map.result_told_at", "Told"), ("map.closed_at", "Done"), ("map.outcome", "Result"),
    )  # fmt: skip
    service = history.scenario.service
    checked = check_file(SYSTEM, ImportRequest(content, "text/csv", None, options))
    job = service.write(lambda tx: start_import(service, tx, SYSTEM, checked))
    assert open_import_worker(service).work_on(job.id)


def leave(history: RandomHistory) -> None:
    """A user leaves, with a successor or without one, and comes back some time."""
    service, login = history.scenario.service, history.pick("an", "fei", "wu")
    is_active = service.read(lambda tx: service.configuration(tx).directory.users[login].active)
    command = PatchUser(active=not is_active, successor=history.pick("li", None) if is_active else None)
    history.try_to(
        lambda: service.configure(lambda tx: leaving.change_user(service, tx, SYSTEM, login, command))
    )
    if is_active:
        leaving.hand_over_all(service, login)


def wait(history: RandomHistory) -> None:
    """Nothing happens for a few days."""
    history.scenario.advance(days=history.random.randint(1, 6))


TURNS: dict[Callable[[RandomHistory], None], int] = {
    post: 28, work: 60, assign: 10, edit_members: 7, merge: 5, promise: 3, escalate: 3, contact_again: 4,
    change_policy: 2, import_file: 2, leave: 1, wait: 2,
}  # fmt: skip


def _any(history: RandomHistory) -> Complaint | None:
    """A complaint as it is now, most often one of the latest."""
    if not history.posted:
        return None
    latest = history.posted[-8:] if history.random.random() < 0.7 else history.posted
    return history.scenario.load(history.random.choice(latest))
