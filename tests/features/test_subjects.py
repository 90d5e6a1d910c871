"""A kind of subjects that an annex declares has history, feed, deadline, ladder, explanation, sweep and `check`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from complaints.api.complaints.history_schemas import ChangesPage
from complaints.api.deadlines.schemas import EscalationPage, InboxPage
from complaints.api.feature import Annexes, Feature
from complaints.domain.complaint.change import SubjectChange
from complaints.domain.complaint.subject import Subject, name_of
from complaints.domain.errors import Conflict, Forbidden, NotFound, StaleVersion
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.subject_kinds import SubjectKind
from complaints.domain.rules.subjects import start_deadline
from complaints.domain.scope import OWN_KINDS, Scope, ScopeKind
from complaints.domain.vocabulary import AccessRole, DeadlineStatus, LinkType
from complaints.storage import subjects as stored_subjects
from complaints.storage.database.transactions import Database, Transaction
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service, keep_configuration
from complaints.use_cases.subjects import (
    change_subject,
    explain,
    link_subject,
    list_links,
    load_subject,
    timeline,
    unlink_subject,
)
from complaints.use_cases.upkeep import checks, subject_checks
from complaints.use_cases.upkeep.invariants import Case, SubjectCase
from complaints.use_cases.upkeep.loops import Sweeper
from complaints.use_cases.upkeep.subject_checks import check_subjects
from complaints.use_cases.upkeep.sweep import sweep_once
from tests.api_client import ApiClient
from tests.features.reviews.feature import FEATURE, KIND, answer, ask
from tests.planting import planted
from tests.support import Scenario, api_client, check_all, opened_service


@pytest.fixture
def service(database_url: str) -> Iterator[Service]:
    """The engine on a fresh database, with the kinds of the annex."""
    with opened_service(database_url, stays_connected=database_url.startswith("postgresql")) as opened:
        yield replace(opened, cache=keep_configuration(Annexes((FEATURE,)).subject_kinds))


def asked(scenario: Scenario, **options: Any) -> Subject:
    service = scenario.service
    return service.write(lambda tx: ask(service, tx, scenario.caller, since=tx.now, **options))


def loaded(scenario: Scenario, review: Subject) -> Subject:
    return scenario.service.read(lambda tx: load_subject(tx, scenario.caller, KIND, review.number))


def answered(scenario: Scenario, review: Subject) -> Subject:
    service = scenario.service
    return service.write(lambda tx: answer(service, tx, scenario.caller, review.id))


def types_of(scenario: Scenario, review: Subject) -> list[str]:
    events = scenario.service.read(
        lambda tx: timeline(tx, scenario.caller, KIND, review.id, after=0, limit=50)
    )
    return [event.type for event in events]


def texts_of(scenario: Scenario, review: Subject) -> list[Any]:
    events = scenario.service.read(
        lambda tx: timeline(tx, scenario.caller, KIND, review.id, after=0, limit=50)
    )
    return [event.data.get("text") for event in events]


def sweep_all(scenario: Scenario) -> None:
    while sweep_once(scenario.service).claimed:
        pass


def faults(service: Service) -> set[str]:
    return {f"{one.number} {one.invariant}" for one in [*check_all(service), *check_subjects(service)]}


def test_no_transaction_is_open_while_subjects_are_judged(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends a transaction that asks nothing for five seconds, and a busy machine judges for so long."""
    asked(scenario)
    scenario.post()
    whole, reading, judged = Database.read, False, list[tuple[type[SubjectCase], bool]]()

    @contextmanager
    def read(database: Database) -> Iterator[Transaction]:
        nonlocal reading
        with whole(database) as tx:
            reading = True
            yield tx
        reading = False

    def judge(case: SubjectCase) -> list[str]:
        judged.append((type(case), reading))
        return []

    monkeypatch.setattr(Database, "read", read)
    monkeypatch.setattr(checks, "INVARIANTS", (("judged", judge),))
    monkeypatch.setattr(subject_checks, "OF_ALL_SUBJECTS", (("judged", judge),))
    assert faults(scenario.service) == set()
    assert judged == [(Case, False), (SubjectCase, False)]


@pytest.mark.parametrize("way", ["sandbox clock", "sweep"])
def test_its_deadline_breaches_and_escalates(scenario: Scenario, way: str) -> None:
    """Rules 2.1, 2.11, 2.15 and 3.1: as for a complaint, and a complaint beside it changes nothing."""
    first, second, complaint = asked(scenario), asked(scenario), scenario.post()
    assert (first.number, second.number, first.status) == ("R000001", "R000002", "asked")
    assert answered(scenario, second).deadlines[0].status is DeadlineStatus.MET
    if way == "sweep":
        scenario.jump(hours=49)
        sweep_all(scenario)
    else:
        scenario.advance(hours=49)
    late = loaded(scenario, first)
    assert (late.deadlines[0].status, late.deadlines[0].level) == (DeadlineStatus.BREACHED, 2)
    taken = ["review.escalated", "review.escalated"]
    if way == "sweep":  # all at once: the breach comes first, and only the highest step notifies
        expected = ["deadline.breached", "deadline.warning", *taken]
    else:
        expected = ["deadline.warning", "deadline.breached", *taken]
    assert types_of(scenario, first) == ["review.created", *expected]
    assert types_of(scenario, second) == ["review.created", "deadline.met", "review.answered"]
    assert scenario.load(complaint).deadlines[0].level == 3
    ended = answered(scenario, first)
    assert (ended.deadlines[0].status, ended.wake_at, ended.open) == (DeadlineStatus.MET_LATE, None, False)
    assert faults(scenario.service) == set()


def test_the_sandbox_clock_merges_all_subjects_by_time(scenario: Scenario) -> None:
    asked(scenario)
    scenario.post()
    scenario.advance(hours=30)
    with scenario.service.database.read() as tx:
        times = list(tx.connection.execute(text("SELECT at FROM event ORDER BY sequence")).scalars())
    assert times == sorted(times)


def test_a_worker_waits_for_its_deadline(scenario: Scenario) -> None:
    asked(scenario)
    swept: list[Any] = []
    sweeper = Sweeper(scenario.service, "node", scenario.now, swept.append)
    scenario.jump(hours=12)
    assert sweeper.sweep_due() > 0
    assert [(one.complaints, one.subjects, one.reminders) for one in swept] == [(0, 1, 1)]


def test_its_due_time_is_explained(scenario: Scenario) -> None:
    """Rule 2.13."""
    review, service = asked(scenario), scenario.service
    found = service.read(
        lambda tx: explain(service, tx, scenario.caller, KIND, review.number, review.deadlines[0].id)
    )
    assert found.due_at == review.created_at + timedelta(hours=24)
    assert [(s.counted, s.end - s.start) for s in found.segments] == [(True, timedelta(hours=24))]
    assert [step.step for step in found.steps] == ["50%", "100%", "+12h"]
    with pytest.raises(NotFound):
        service.read(lambda tx: explain(service, tx, scenario.caller, KIND, review.id, review.id))


def test_a_change_of_an_outdated_version_and_of_an_ended_one_is_refused(scenario: Scenario) -> None:
    review, service = asked(scenario), scenario.service
    assert answered(scenario, review).version == 2
    with pytest.raises(StaleVersion):
        service.write(
            lambda tx: change_subject(
                service, tx, scenario.caller, KIND, review.id, lambda *_: None, versions=frozenset({1})
            )
        )
    with pytest.raises(Conflict, match="has ended"):
        service.write(
            lambda tx: change_subject(
                service, tx, scenario.caller, KIND, review.id,
                lambda change, policy: start_deadline(change, policy, KIND, "answer", tx.now) and None,
            )
        )  # fmt: skip


@pytest.fixture
def client(service: Service) -> Iterator[ApiClient]:
    with api_client(service) as opened:
        yield opened


def test_it_is_in_the_feed_and_among_the_escalations(scenario: Scenario, client: ApiClient) -> None:
    """Rules 3.5 and 3.8: it is shown by `subject`, and its escalation is acknowledged like any other."""
    complaint, review = scenario.post(), asked(scenario)
    scenario.advance(hours=25)
    name = {"kind": "review", "id": str(review.id), "number": "R000001"}
    feed = client.get("/v1/changes?limit=200").json()
    ChangesPage.model_validate(feed)
    own = [e for e in feed["items"] if e["subject"] == name]
    assert {(e["complaint_id"], e["source"], e["number"]) for e in own} == {(None, None, "R000001")}
    assert next(e["status"] for e in own) == "asked"
    assert (next(e["data"].get("text") for e in own), texts_of(scenario, review)[0]) == ("***", "Is it so?")
    only = client.get("/v1/changes", params={"type": "review.escalated", "team": "operations"}).json()[
        "items"
    ]
    assert [e["subject"] for e in only] == [name]
    assert client.get("/v1/changes?type=review.unheard").status_code == 422

    listed = client.get("/v1/escalations?acknowledged=false&limit=200").json()
    EscalationPage.model_validate(listed)
    kinds = {(e["subject"]["kind"], e["complaint_id"]) for e in listed["items"]}
    assert kinds == {("complaint", str(complaint.id)), ("review", None)}
    taken = [datetime.fromisoformat(e["taken_at"]) for e in listed["items"]]
    assert taken == sorted(taken, reverse=True)
    pages, cursor = [], ""
    while cursor is not None:
        page = client.get(
            "/v1/escalations", params={"limit": 1, **({"cursor": cursor} if cursor else {})}
        ).json()
        pages, cursor = [*pages, *(e["id"] for e in page["items"])], page["next_cursor"]
    assert pages == [e["id"] for e in client.get("/v1/escalations?limit=200").json()["items"]]

    inbox = client.get("/v1/inbox").json()
    InboxPage.model_validate(inbox)
    assert {(i["number"], i["complaint_id"], i["waiting"]) for i in inbox["items"]} >= {("R000001", None, 2)}
    worst = next(i["worst"] for i in inbox["items"] if i["number"] == "R000001")
    assert (worst["subject"], worst["step"]) == (name, "100%")
    cursor = client.get("/v1/inbox?limit=1").json()["next_cursor"]
    assert client.get("/v1/inbox", params={"cursor": cursor}).json()["items"] == inbox["items"][1:]

    done = client.post(f"/v1/escalations/{worst['id']}/acknowledge", json={"note": "Mine."})
    assert (done.status_code, done.json()["acknowledged_note"], done.json()["subject"]) == (
        200,
        "Mine.",
        name,
    )
    assert client.post(f"/v1/escalations/{worst['id']}/acknowledge").status_code == 409
    assert types_of(scenario, review)[-1] == "escalation.acknowledged"
    answered(scenario, review)
    assert [i["number"] for i in client.get("/v1/inbox").json()["items"]] != []
    assert "R000001" not in [i["number"] for i in client.get("/v1/inbox").json()["items"]]
    assert faults(scenario.service) == set()


def test_its_rows_are_shown_by_team_owner_and_recipient(scenario: Scenario) -> None:
    review = asked(scenario)
    scenario.advance(hours=13)

    def sees(scope: Scope) -> bool:
        def work(tx: Any) -> bool:
            try:
                return (
                    stored_subjects.load_subject(tx, "review", review.id, scope=scope).subject.id == review.id
                )
            except NotFound:
                return False

        return scenario.service.read(work)

    of_admin = [Scope.own(kind, "admin") for kind in sorted(OWN_KINDS)]
    assert [sees(scope) for scope in [Scope.teams(["operations"]), *of_admin]] == [True] * 4
    others = [Scope.teams(["management"]), Scope.sources(["north"]), Scope.own(ScopeKind.ASSIGNEE, "li.wei")]
    assert [sees(scope) for scope in others] == [False] * 3


def test_its_links_are_shown_and_recorded(scenario: Scenario) -> None:
    first, second, complaint = asked(scenario), asked(scenario), scenario.post()
    others = [name_of(complaint), name_of(second)]
    service, caller = scenario.service, scenario.caller

    def change(act: Callable[..., bool]) -> list[bool]:
        done: list[bool] = []

        def work(tx: Any) -> None:
            def step(change: SubjectChange, policy: Policy) -> None:
                done.extend(act(tx, change, LinkType.RELATED, other) for other in others)

            change_subject(service, tx, caller, KIND, first.id, step)

        service.write(work)
        return done

    def shown() -> list[Any]:
        return list(service.read(lambda tx: list_links(tx, caller, first.id)))

    assert (change(link_subject), change(link_subject)) == ([True, True], [False, False])
    assert {other for _, other in shown()} == set(others)
    assert types_of(scenario, first) == ["review.created", "review.linked", "review.linked"]
    assert faults(service) == set()
    with service.database.begin() as tx:
        tx.connection.execute(text("UPDATE link SET type = 'duplicate_of' WHERE other_id IS NOT NULL"))
    assert faults(service) == {"R000001 links recorded"}
    with service.database.begin() as tx:
        tx.connection.execute(text("UPDATE link SET type = 'related'"))
    assert (change(unlink_subject), change(unlink_subject)) == ([True, True], [False, False])
    assert (shown(), faults(service)) == ([], set())


def test_a_user_who_leaves_hands_it_over(scenario: Scenario, client: ApiClient) -> None:
    """Rule 1.7. A team with an open one is not retired."""
    for login in ("li.wei", "wang.fang"):
        assert client.post("/v1/users", json={"login": login, "name": login}).status_code == 201
    first, second = asked(scenario, owner="li.wei"), asked(scenario, owner="li.wei")
    answered(scenario, second)
    left = {"active": False, "successor": "wang.fang"}
    assert client.patch("/v1/users/li.wei", json=left).status_code == 200
    assert (loaded(scenario, first).owner, loaded(scenario, second).owner) == ("wang.fang", "li.wei")
    assert types_of(scenario, first) == ["review.created", "review.assigned"]
    assert client.patch("/v1/teams/operations", json={"active": False}).status_code == 409
    with scenario.service.database.begin() as tx:  # as if the user left at the same instant
        tx.connection.execute(text("UPDATE user_account SET active = false WHERE login = 'wang.fang'"))
        tx.connection.execute(text("UPDATE reference_version SET version = version + 1"))
    scenario.service.cache.expire()
    scenario.advance(hours=13)
    assert loaded(scenario, first).owner == "admin"


def test_rule_7_4_its_owners_of_now_and_before_open_it(scenario: Scenario, client: ApiClient) -> None:
    for login in ("li.wei", "wang.fang", "zhao"):
        assert client.post("/v1/users", json={"login": login, "name": login}).status_code == 201
    review = asked(scenario, owner="li.wei")
    client.patch("/v1/users/li.wei", json={"active": False, "successor": "wang.fang"})

    def opens(login: str) -> bool:
        def work(tx: Any) -> bool:
            reach = scenario.service.configuration(tx).reach_of(login)
            caller = Caller("key", frozenset({AccessRole.AGENT}), "test", login, reach)
            return load_subject(tx, caller, KIND, review.number).id == review.id

        try:
            return scenario.service.read(work)
        except NotFound:
            return False

    assert [opens(login) for login in ("li.wei", "wang.fang", "zhao")] == [True, True, False]


MET = """UPDATE deadline SET status = 'met_late', met_at = '2026-02-01 00:00:00.000000', wake_at = NULL
WHERE subject_id IS NOT NULL"""
PLANTED = [
    ("UPDATE event SET actor = 'user:nobody' WHERE subject_id IS NOT NULL", "history unbroken"),
    ("DELETE FROM event WHERE subject_id IS NOT NULL AND ordinal = 2", "history unbroken"),
    ("UPDATE subject SET status = 'answered'", "state is history"),
    ("UPDATE deadline SET due_at = started_at WHERE subject_id IS NOT NULL", "state is history"),
    ("UPDATE subject SET wake_at = NULL", "columns follow"),
    ("UPDATE deadline SET wake_at = NULL WHERE subject_id IS NOT NULL", "nothing forgotten"),
    (f"{MET}; UPDATE user_account SET active = false", "nothing forgotten"),
    (
        "UPDATE escalation SET step = 'other' WHERE subject_id IS NOT NULL AND step = '50%'",
        "steps taken once",
    ),
    ("UPDATE escalation SET settled_at = taken_at WHERE subject_id IS NOT NULL", "steps settled"),
    ("UPDATE escalation SET level = 3 WHERE subject_id IS NOT NULL", "steps recorded"),
    ("UPDATE escalation SET recipients = '[]' WHERE subject_id IS NOT NULL", "steps heard"),
    ("UPDATE subject SET parked_at = created_at", "deadlines in time"),
    ("UPDATE subject SET kind = 'ghost'", "kinds registered"),
    ("UPDATE subject SET status = 'lost'", "kinds registered"),
    ("UPDATE deadline SET kind = 'ghost.answer' WHERE subject_id IS NOT NULL", "kinds registered"),
    ("UPDATE event SET type = 'ghost.made' WHERE subject_id IS NOT NULL AND ordinal = 1", "types registered"),
    ("UPDATE deadline SET target = 'soon' WHERE subject_id IS NOT NULL", "readable"),
    ('UPDATE event_text SET texts = \'{"text":"No."}\' WHERE subject_id IS NOT NULL', "texts recorded"),
    ("DELETE FROM event_text WHERE subject_id IS NOT NULL", "texts recorded"),
]


def test_only_what_is_planted_is_found(scenario: Scenario, subtests: pytest.Subtests) -> None:
    """Rules 2.12, 3.1 and 3.3 hold for every kind of subjects."""
    asked(scenario)
    scenario.advance(hours=25)
    assert faults(scenario.service) == set()
    for statements, invariant in PLANTED:
        with subtests.test(statements), planted(scenario.service, statements) as spoilt:
            assert f"R000001 {invariant}" in faults(spoilt)
    assert faults(scenario.service) == set()


def test_a_complaint_with_an_unregistered_kind_is_found(scenario: Scenario) -> None:
    scenario.post()
    for statement, invariant in (
        ("UPDATE deadline SET kind = 'ghost.answer' WHERE kind = 'first_response'", "readable"),
        ("UPDATE event SET type = 'ghost.made' WHERE ordinal = 1", "types registered"),
    ):
        with planted(scenario.service, statement) as spoilt:
            assert invariant in {one.invariant for one in check_all(spoilt)}


def test_a_subject_of_an_unregistered_kind_is_set_aside(scenario: Scenario) -> None:
    asked(scenario)
    service = replace(scenario.service, cache=keep_configuration())
    scenario.jump(hours=13)
    assert (sweep_once(service).parked, sweep_once(service).claimed) == (1, 0)
    assert {"R000001 kinds registered", "R000001 deadlines in time"} <= faults(service)


def test_the_database_refuses_a_row_of_two_subjects_or_of_none(scenario: Scenario) -> None:
    asked(scenario)
    scenario.post()
    for table in ("event", "deadline"):
        for change in ("subject_id = NULL", "complaint_id = (SELECT id FROM complaint)"):
            with (
                pytest.raises(Exception, match="one_subject"),
                scenario.service.database.begin() as tx,
            ):
                tx.connection.execute(text(f"UPDATE {table} SET {change} WHERE subject_id IS NOT NULL"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "complaint"}, "cannot be the name"),
        ({"prefix": "C"}, "cannot begin with"),
        ({"states": ("asked",)}, "first state that is open"),
        ({"event_types": ("deadline.met",)}, "does not begin with"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(KIND, **changed)


def test_two_kinds_with_one_name_or_prefix_are_refused() -> None:
    other = SubjectKind("other", "R", states=("a", "b"), open_states=frozenset({"a"}))
    with pytest.raises(ValueError, match="prefixes of numbers have the same name: R"):
        Annexes((FEATURE, Feature("other", subjects=(other,))))
    with pytest.raises(ValueError, match="two kinds of subjects have the same name: review"):
        Annexes((FEATURE, Feature("other", subjects=(KIND,))))


def test_a_caller_needs_the_right_to_work(scenario: Scenario) -> None:
    reader = Caller("reader", frozenset({AccessRole.AUDITOR}), "test", None)
    with pytest.raises(Forbidden):
        scenario.service.write(lambda tx: ask(scenario.service, tx, reader, since=tx.now))
