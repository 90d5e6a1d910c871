"""Each sentence of docs/handbook.md, shown by the call that the page names, on one running server."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from tests.journeys.running_server import Launcher
from tests.support import ADMIN_SECRET, check_all, opened_service

PAGE = Path(__file__).parents[2] / "docs" / "handbook.md"
_ROW = re.compile(r"^\| (\d[\d.]*-\d+) \| (.+?) \| ([\d.]+) \| `([A-Z]+) (/\S+)` \|$", re.MULTILINE)


@dataclass(frozen=True)
class Sentence:
    """A row of the page."""

    id: str
    text: str
    section: str
    method: str
    path: str

    def is_shown_by(self, calls: set[tuple[str, str]]) -> bool:
        """True if one of these calls is the call of this row."""
        form = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(self.path)))
        return any(method == self.method and form.fullmatch(path) for method, path in calls)


SENTENCES = {row[0]: Sentence(*row) for row in _ROW.findall(PAGE.read_text(encoding="utf-8"))}


@dataclass
class House:
    """The house behind one server. It remembers the calls that were made and answered as expected."""

    http: httpx2.Client
    calls: set[tuple[str, str]] = field(default_factory=set)
    people: Iterator[int] = field(default_factory=count)

    def call(self, method: str, path: str, status: int = 200, **given: Any) -> Any:
        """The body of the answer."""
        answer = self.http.request(method, path, **given)
        assert answer.status_code == status, answer.text
        self.calls.add((method, path))
        return answer.text if method == "GET" and path == "/v1/exports" else answer.json()

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, **members: Any) -> Any:
        """A complaint of a new complainant."""
        phone = f"+8612{next(self.people):09d}"
        body = {
            "channel": "phone", "subject": "Charged twice", "category": "billing.wrong_charge",
            "complainant": {"name": "王某甲", "phone": phone}, **members,
        }  # fmt: skip
        return self.call("POST", "/v1/complaints", 201, json=body)

    def act(self, made: Any, action: str, status: int = 200, **members: Any) -> Any:
        path = f"/v1/complaints/{made['id']}/transitions"
        return self.call("POST", path, status, json={"action": action, **members})

    def show(self, made: Any) -> Any:
        return self.get(f"/v1/complaints/{made['id']}")

    def advance(self, by: str) -> None:
        self.call("POST", "/v1/sandbox/clock/advance", json={"by": by})

    def respond(self, made: Any) -> Any:
        return self.act(made, "respond", message="We check it.", contact_channel="phone")

    def tell_result(self, made: Any, **members: Any) -> Any:
        resolve = {"resolution": "Paid back.", "outcome": "upheld", "cause": "management", **members}
        self.act(made, "resolve", **resolve)
        return self.act(made, "notify_result", message="It is paid back.", contact_channel="phone")

    def deadline(self, made: Any, kind: str, cycle: int = 1) -> Any:
        found = [d for d in self.show(made)["deadlines"] if (d["kind"], d["cycle"]) == (kind, cycle)]
        return found[0]


Scene = Callable[[House], None]
SCENES: dict[str, Scene] = {}


def shows(sentence: str) -> Callable[[Scene], Scene]:
    def keep(scene: Scene) -> Scene:
        assert SCENES.setdefault(sentence, scene) is scene
        return scene

    return keep


def test_every_sentence_is_shown_by_its_call(
    launcher: Launcher, tmp_path: Path, migrated_template: Any
) -> None:
    url = f"sqlite:///{tmp_path / 'handbook.db'}"
    Path(url.removeprefix("sqlite:///")).write_bytes(
        Path(migrated_template("sqlite").removeprefix("sqlite:///")).read_bytes()
    )
    server = launcher.serve(url, sandbox=1, public_url="https://complaints.example")
    with server.client(ADMIN_SECRET) as http:
        for sentence in SENTENCES.values():
            house = House(http, people=PEOPLE)
            SCENES[sentence.id](house)
            assert sentence.is_shown_by(house.calls), sentence
    with opened_service(url) as service:
        assert list(check_all(service)) == []


PEOPLE = count(1)


def test_every_sentence_has_a_scene_and_every_scene_a_sentence() -> None:
    assert len(SENTENCES) == PAGE.read_text(encoding="utf-8").count("\n| ") - _other_rows()
    assert SENTENCES.keys() == SCENES.keys()


def test_what_is_not_done_comes_first() -> None:
    headings = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "Not done"


def _other_rows() -> int:
    """The rows without a call: those of what is not done, and the heads of the tables."""
    text = PAGE.read_text(encoding="utf-8")
    not_done = text.split("## Not done")[1].split("\n## ")[0]
    return not_done.count("\n| ") + text.count("\n| id |")


# 2 ---------------------------------------------------------------------------------------------------------------


@shows("2-1")
def _the_first_owner_is_named(house: House) -> None:
    assert house.post(first_owner="admin")["first_owner"] == "admin"


@shows("2-2")
def _the_first_owner_stays(house: House) -> None:
    made = house.post(first_owner="admin")
    assert made["team"] == "management"
    moved = house.act(made, "assign", team="operations")
    assert (moved["team"], moved["first_owner"]) == ("operations", "admin")


@shows("2-3")
def _everything_is_on_record(house: House) -> None:
    made = house.post()
    assert re.fullmatch(r"C\d{9}", made["number"])
    house.respond(made)
    timeline = house.get(f"/v1/complaints/{made['id']}/timeline")["items"]
    assert {one["type"] for one in timeline} == {
        "complaint.created", "complaint.responded", "deadline.met",
    }  # fmt: skip


@shows("2-4")
def _what_is_overdue_is_seen(house: House) -> None:
    before = house.get("/v1/overdue/summary")["overdue"]["total"]
    house.post()
    house.advance("PT24H1S")
    assert house.get("/v1/overdue/summary")["overdue"]["total"] > before


@shows("2-5")
def _an_inbox(house: House) -> None:
    made = house.act(house.post(), "assign", assignee="admin")
    house.advance("PT24H1S")
    waiting = house.get("/v1/inbox", recipient="admin", limit=200)["items"]
    assert made["number"] in str(waiting)


@shows("2-6")
def _a_page_for_the_complainant(house: House) -> None:
    made = house.post()
    link = house.get(f"/v1/complaints/{made['id']}/page-link")
    assert "/c/" in str(link)


# 3 ---------------------------------------------------------------------------------------------------------------


@shows("3.1-1")
def _every_leaf_has_a_nature(house: House) -> None:
    categories = house.get("/v1/categories", limit=200)["items"]
    natures = {one["nature"] for one in categories if one["parent"]}
    assert natures == {"technical", "process", "personnel", "environment"}


@shows("3.1-2")
def _found_by_category(house: House) -> None:
    made = house.post(category="service.attitude")
    assert made["nature"] == "personnel"
    [found] = house.get("/v1/complaints", category="service.attitude")["items"]
    assert (found["id"], found["nature"]) == (made["id"], "personnel")


@shows("3.1-3")
def _classified_again(house: House) -> None:
    made = house.post()
    patched = house.call("PATCH", f"/v1/complaints/{made['id']}", json={"category": "network.outage"})
    assert (patched["nature"], patched["cause"]) == ("technical", "technical")


@shows("3.2-1")
def _no_close_without_root_cause(house: House) -> None:
    made = house.post()
    house.tell_result(made)
    refused = house.act(made, "close", 422, early=True, message="Fine?", contact_channel="phone")
    assert "/root_cause" in str(refused)
    cause = "a rule in billing"
    house.act(made, "close", early=True, message="Fine?", contact_channel="phone", root_cause=cause)
    assert house.show(made)["result"]["root_cause"] == cause


# 4 ---------------------------------------------------------------------------------------------------------------


@shows("4.1-1")
def _departments(house: House) -> None:
    names = {"en": "East", "zh": "东区"}
    body = {"code": "east", "names": names, "parent": "head_office", "head": "admin"}
    assert house.call("POST", "/v1/departments", 201, json=body)["head"] == "admin"


@shows("4.1-2")
def _teams(house: House) -> None:
    house.call("POST", "/v1/users", 201, json={"login": "li.wei", "name": "李某伟"})
    names = {"en": "Billing east", "zh": "东区账务"}
    body = {"code": "billing_east", "names": names, "department": "east", "lead": "admin", "deputy": "li.wei"}
    assert house.call("POST", "/v1/teams", 201, json=body)["deputy"] == "li.wei"


@shows("4.1-3")
def _duty(house: House) -> None:
    now = house.get("/v1/sandbox/clock")["now"]
    shift = {"login": "li.wei", "on_duty_from": now, "on_duty_until": "2030-01-01T00:00:00Z"}
    house.call("PUT", "/v1/teams/operations/duty", json={"shifts": [shift]})
    made = house.post(category="network.outage")
    house.advance("PT24H1S")
    steps = house.get("/v1/escalations", complaint=made["number"], level_min=1)["items"]
    assert [one["recipients"] for one in steps] == [["li.wei"]]


@shows("4.1-4")
def _it_goes_up(house: House) -> None:
    made = house.post()
    house.advance("P2DT1S")
    steps = house.get("/v1/escalations", complaint=made["number"], kind="first_response")["items"]
    assert [one["level"] for one in reversed(steps)] == [0, 0, 1, 2, 3]
    assert {role for one in steps for role in one["roles"]} >= {"team_lead", "department_head", "executive"}


@shows("4.1-5")
def _somebody_takes_care(house: House) -> None:
    made = house.post()
    house.advance("PT24H1S")
    [step] = house.get("/v1/escalations", complaint=made["number"], level_min=1)["items"]
    heard = house.call("POST", f"/v1/escalations/{step['id']}/acknowledge", json={"note": "I call today."})
    assert heard["acknowledged_at"]


@shows("4.1-6")
def _an_absence(house: House) -> None:
    house.call("PATCH", "/v1/users/li.wei", json={"deputy": "admin"})
    made = house.act(house.post(), "assign", assignee="li.wei")
    asked = {"absent_until": "2029-01-01T00:00:00Z"}
    due = house.get("/v1/users/li.wei/absence-rehearsal", **asked)["items"]
    assert made["number"] in str(due)
    assert "admin" in str(due)


@shows("4.3-1")
def _a_queue(house: House) -> None:
    later = house.post(category="service.attitude")
    queue = house.get("/v1/teams/customer_service/queue")["items"]
    key = {"name": "li.wei", "roles": ["supervisor"], "user": "li.wei"}
    secret = house.call("POST", "/v1/keys", 201, json=key)["key"]
    own = {"Authorization": f"Bearer {secret}"}
    house.call("PATCH", "/v1/users/li.wei", json={"teams": ["customer_service"]})
    taken = house.call("POST", "/v1/teams/customer_service/queue/take", headers=own)
    assert (taken["id"], taken["assignee"]) == (queue[0]["id"], "li.wei")
    assert later["id"] in str(queue)


@shows("4.3-2")
def _a_hold(house: House) -> None:
    made = house.post()
    house.respond(made)
    due = house.deadline(made, "resolution")["due_at"]
    until = _later(house, days=1)
    held = house.act(made, "hold", reason="awaiting_complainant", until=until)
    assert held["status"] == "on_hold"
    assert house.deadline(made, "resolution")["due_at"] > due
    house.act(house.post(), "hold", 409, reason="outage", until=until)
    house.advance("P1DT1S")
    assert house.show(made)["status"] == "investigating"


@shows("4.3-3")
def _computed_beforehand(house: House) -> None:
    asked = {"start": "2026-10-01T02:00:00Z", "target": "24 elapsed hours"}
    assert house.call("POST", "/v1/deadlines/preview", json=asked)["due_at"] == "2026-10-02T02:00:00Z"


@shows("4.3-4")
def _explained(house: House) -> None:
    made = house.post()
    deadline = house.deadline(made, "resolution")
    found = house.get(f"/v1/complaints/{made['id']}/deadlines/{deadline['id']}/explanation")
    assert found["due_at"] == deadline["due_at"]


@shows("4.3-5")
def _a_new_version(house: House) -> None:
    document = _policy(house) | {"effective_at": "2030-01-01T00:00:00+08:00"}
    document["deadlines"]["first_response"]["targets"] = [{"target": "4 elapsed hours"}]
    applied = house.call("POST", "/v1/policies", 201, json=document)
    assert (applied["version"], applied["in_force"]) == (2, False)


# 5 ---------------------------------------------------------------------------------------------------------------


@shows("5-1")
def _accepted_and_acknowledged(house: House) -> None:
    for channel in ("phone", "web", "app", "email", "sms", "social", "on_site", "letter", "regulator"):
        made = house.post(channel=channel)
        assert made["status"] == "received"
        assert made["number"] in made["acknowledgement"]


@shows("5.1-1")
def _three_causes(house: House) -> None:
    house.post(category="network.slow")
    found = house.get("/v1/complaints", limit=200)["items"]
    assert {one["cause"] for one in found} == {"technical", "service", "management"}


@shows("5.1-2")
def _the_cause_decides(house: House) -> None:
    teams = {
        code: house.post(category=code)["team"] for code in ("network.slow", "other.other", "terms.dispute")
    }
    assert [*teams.values()] == ["operations", "customer_service", "management"]


@shows("5.2-1")
def _a_response(house: House) -> None:
    made = house.post()
    _assert_hours(house.deadline(made, "first_response"), 24)
    house.respond(made)
    assert house.deadline(made, "first_response")["status"] == "met"


@shows("5.2-2")
def _a_result(house: House) -> None:
    made = house.post()
    _assert_hours(house.deadline(made, "resolution"), 48)
    assert house.tell_result(made)["status"] == "following_up"
    assert house.deadline(made, "resolution")["status"] == "met"


@shows("5.2-3")
def _missed_stays_missed(house: House) -> None:
    made = house.post()
    house.advance("PT24H1S")
    house.respond(made)
    late = house.deadline(made, "first_response")
    assert (late["status"], late["breached_at"]) == ("met_late", late["due_at"])


@shows("5.2-4")
def _more_urgent(house: House) -> None:
    person = {"name": "王某乙", "phone": "+8612999999999"}
    assert house.post(channel="regulator")["priority"] == "high"
    assert house.post(complainant=person | {"vulnerable": True})["priority"] == "high"
    assert house.post(complainant=person)["priority_reasons"] == ["severity", "repeat"]


@shows("5.2-5")
def _a_promise(house: House) -> None:
    made = house.post()
    body = {"text": "A call", "due_at": _later(house, hours=2)}
    house.call("POST", f"/v1/complaints/{made['id']}/promises", 201, json=body)
    house.advance("PT2H1S")
    assert house.deadline(made, "promise")["status"] == "breached"


@shows("5.2-6")
def _refused_and_told(house: House) -> None:
    made = house.post()
    house.act(made, "reject", 422, reason="not_ours")
    told = house.act(made, "reject", reason="not_ours", message="Not ours.", contact_channel="phone")
    assert told["status"] == "rejected"


@shows("5.2-7")
def _followed_up(house: House) -> None:
    usual, urgent = house.post(), house.post(severity="critical")
    house.tell_result(usual)
    house.tell_result(urgent)
    due = [one["number"] for one in house.get("/v1/followups", limit=200)["items"]]
    assert usual["number"] in due
    counts = [
        sum(d["kind"] == "follow_up" for d in house.show(made)["deadlines"]) for made in (usual, urgent)
    ]
    assert counts == [1, 3]


@shows("5.2-8")
def _asked(house: House) -> None:
    made = house.post()
    house.tell_result(made)
    house.advance("P28D")
    asked = house.act(made, "record_contact", outcome="solved", csat=5, nps=9)
    assert asked["satisfaction"] == {"outcome": "solved", "csat": 5, "nps": 9}
    assert house.deadline(made, "follow_up")["status"] == "met"


@shows("5.2-9")
def _begins_again(house: House) -> None:
    made = house.post()
    house.tell_result(made)
    house.advance("P28D")
    again = house.act(made, "record_contact", outcome="not_solved", note="It is back.")
    assert (again["status"], again["cycle"]) == ("investigating", 2)
    assert house.deadline(made, "resolution", cycle=2)["status"] == "running"


@shows("5.2-10")
def _a_closed_loop(house: House) -> None:
    made = house.post()
    house.tell_result(made, root_cause="a rule in billing")
    refused = house.act(made, "close", 409)
    assert "follow-up" in refused["detail"]
    house.advance("P31D")
    house.act(made, "record_contact", outcome="solved")
    verdicts = house.get(f"/v1/complaints/{made['id']}/transitions")["items"]
    assert {one["action"]: one["allowed"] for one in verdicts}["close"]
    assert house.act(made, "close")["status"] == "closed"


@shows("5.2-11")
def _told_twice(house: House) -> None:
    person = {"name": "王某丙", "phone": "+8612888888888"}
    first, again = house.post(complainant=person), house.post(complainant=person)
    body = {"text": "A call", "due_at": _later(house, hours=8)}
    house.call("POST", f"/v1/complaints/{again['id']}/promises", 201, json=body)
    assert house.act(again, "merge", into=first["number"])["status"] == "merged"
    assert house.deadline(first, "promise")["status"] == "running"


@shows("5.2-12")
def _heard_again(house: House) -> None:
    words = {"channel": "app", "source": "app", "external_id": "APP-1", "subject": "No signal"}
    made = house.call("POST", "/v1/complaints", 201, json=words)
    again = house.call("POST", "/v1/complaints", json=words | {"description": "Still no signal."})
    assert again["id"] == made["id"]
    steps = house.get("/v1/escalations", complaint=made["number"])["items"]
    assert [one["step"] for one in steps] == ["contact"]


@shows("5.3-1")
def _taken_out(house: House) -> None:
    made = house.post()
    assert made["number"] in house.get("/v1/exports")


# 8.1 -------------------------------------------------------------------------------------------------------------


@shows("8.1-1")
def _changes_are_on_record(house: House) -> None:
    house.call("PATCH", "/v1/teams/billing_east", json={"deputy": "admin"})
    latest = house.get("/v1/audit", subject="team", code="billing_east")["items"][0]
    assert (latest["actor"], latest["changed"]) == ("key:bootstrap", ["deputy"])


@shows("8.1-2")
def _tried_before(house: House) -> None:
    document = _policy(house)
    house.call("POST", "/v1/policies/validate", json=document)
    document["deadlines"]["resolution"]["targets"] = [{"target": "soon"}]
    refused = house.call("POST", "/v1/policies/validate", 422, json=document)
    assert "/deadlines/resolution/targets/0/target" in str(refused)


@shows("8.1-3")
def _rules_of_the_receipt(house: House) -> None:
    made = house.post()
    document = _policy(house)
    document["deadlines"]["resolution"]["targets"] = [{"target": "24 elapsed hours"}]
    document["effective_at"] = _later(house, hours=1)
    version = house.call("POST", "/v1/policies", 201, json=document)["version"]
    assert house.show(made)["policy"]["version"] == 1
    _assert_hours(house.deadline(made, "resolution"), 48)
    body = {"policy": {"code": "telecom-handbook", "version": version}}
    house.call("POST", f"/v1/complaints/{made['id']}/replan", json=body)
    _assert_hours(house.deadline(made, "resolution"), 24)


# Figures and own deadlines ---------------------------------------------------------------------------------------


def _figure(house: House, path: str, shown: Callable[[Any], bool], **query: Any) -> None:
    """Ask for a figure of the year until it shows something: its facts follow the history within seconds."""
    end = time.monotonic() + 20
    while not shown(found := house.get(path, **{"from": "2026-01-01", "to": "2027-01-01"}, **query)):
        assert time.monotonic() < end, found["total"]
        time.sleep(0.2)


def _keys(found: Any) -> set[str]:
    return {group["key"] for group in found["groups"]}


@shows("2.2-1")
def _weak_points(house: House) -> None:
    _figure(
        house,
        "/v1/reports/weak_points",
        lambda found: "billing.wrong_charge" in _keys(found),
        group_by="category",
    )


@shows("2.4-1")
def _by_team(house: House) -> None:
    def shown(found: Any) -> bool:
        total = found["total"]
        return _keys(found) >= {"operations", "management"} and total["denominator"] >= total["numerator"] > 0

    _figure(house, "/v1/reports/response_rate", shown, group_by="team")


@shows("3.2-2")
def _formulas(house: House) -> None:
    figures = house.get("/v1/reports")["items"]
    assert all(one["formula"] for one in figures)


@shows("4.3-6")
def _shares_of_time(house: House) -> None:
    made = house.post()
    house.advance("PT1H")
    house.tell_result(made)
    _figure(house, "/v1/reports/time_shares", lambda found: found["total"]["parts"].get("staff", 0) >= 3600)


@shows("4.3-7")
def _own_deadline(house: House) -> None:
    document = _policy(house)
    document["deadlines"]["evaluation"] = {
        "starts": "receipt", "met_by": ["assign"], "targets": [{"target": "4 elapsed hours"}],
        "calendar": "always", "ladder": [{"at": "100%", "level": 1, "notify": ["team_lead"]}],
    }  # fmt: skip
    house.call("POST", "/v1/policies/validate", json=document)


@shows("5.3-2")
def _satisfaction(house: House) -> None:
    _figure(house, "/v1/reports/csat", lambda found: found["total"]["denominator"] > 0)


@shows("5.4-1")
def _facts_behind(house: House) -> None:
    _figure(house, "/v1/reports/resolution_rate/rows", lambda found: bool(found["items"]), side="numerator")


def _policy(house: House) -> Any:
    found = house.get("/v1/policies/telecom-handbook/1")["document"]
    return json.loads(json.dumps(found))


def _later(house: House, **span: int) -> str:
    from datetime import datetime, timedelta

    now = datetime.fromisoformat(house.get("/v1/sandbox/clock")["now"])
    return (now + timedelta(**span)).isoformat()


def _assert_hours(deadline: Any, hours: int) -> None:
    from datetime import datetime

    started, due = (datetime.fromisoformat(deadline[name]) for name in ("started_at", "due_at"))
    assert (due - started).total_seconds() == hours * 3600
