"""Posts and rows under known external ids: retries, contacts, recurrences, and the known words."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.texts import join_texts
from complaints.domain.errors import ComplaintError, Conflict
from complaints.domain.vocabulary import AccessRole, Status
from complaints.storage import load
from complaints.storage.rows.event_text import read_texts
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.complaints import CreateComplaint, PatchComplaint
from complaints.use_cases.complaints import edit
from complaints.use_cases.complaints.intake import IntakeResult, register
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.importing.uploads import ImportRequest, check_file, start_import
from complaints.wiring import open_import_worker
from tests.support import Scenario, check_all

PHONE = {"complainant": {"phone": "+8613912345670"}}
SAID = {"message": "Repaired.", "contact_channel": "phone"}


def _register(scenario: Scenario, *posts: dict[str, Any], caller: Caller = SYSTEM) -> list[Any]:
    """Posts in one transaction. Refusals are returned too."""
    body = {"channel": "phone", "subject": "No signal"}
    requests = [IntakeRequest(caller, CreateComplaint.model_validate(body | post)) for post in posts]
    return scenario.service.write(lambda tx: register(scenario.service, tx, requests))


def _call(scenario: Scenario, name: str = "E1", subject: str = "It is dead again", **members: Any) -> Any:
    return _register(scenario, {"external_id": name, "subject": subject, **members})[0]


def _patch(scenario: Scenario, complaint: Complaint, **members: Any) -> Complaint:
    command = PatchComplaint.model_validate(members)
    service = scenario.service
    return service.write(lambda tx: edit.patch(service, tx, SYSTEM, str(complaint.id), command, None))


def _import(scenario: Scenario, content: str) -> None:
    request = ImportRequest(content.encode(), "text/csv", None, ())
    service = scenario.service
    checked = check_file(SYSTEM, request)
    job = service.write(lambda tx: start_import(service, tx, SYSTEM, checked))
    assert open_import_worker(service).work_on(job.id)


def _events(scenario: Scenario, kind: str = "complaint.contact_repeated") -> list[dict[str, Any]]:
    """The data of the events of a type, with their texts."""
    statement = text(
        "SELECT data, texts FROM event LEFT JOIN event_text t"
        " ON t.complaint_id = event.complaint_id AND t.ordinal = event.ordinal WHERE type = :kind ORDER BY sequence"
    )
    return scenario.service.read(
        lambda tx: [
            join_texts(kind, json.loads(data), read_texts(texts))
            for data, texts in tx.connection.execute(statement, {"kind": kind})
        ]
    )


def _subjects(scenario: Scenario) -> list[str]:
    return [data["subject"] for data in _events(scenario)]


def _end(scenario: Scenario, complaint: Complaint) -> Complaint:
    scenario.act(
        complaint, "resolve", resolution="Repaired.", outcome="upheld", cause="technical", root_cause="x"
    )
    scenario.act(complaint, "notify_result", **SAID)
    return scenario.act(complaint, "close", early=True, **SAID)


def _forget_words(scenario: Scenario) -> None:
    """The database as the migration leaves it: complaints without digests, ids in their own rows alone."""
    with scenario.service.database.begin() as tx:
        tx.connection.execute(text("UPDATE complaint SET words_digest = NULL, external_ids = NULL"))
        tx.connection.execute(text("DELETE FROM complaint_external_id"))


@pytest.fixture(autouse=True)
def _nothing_breaks(scenario: Scenario) -> Any:
    yield
    assert list(check_all(scenario.service)) == []


# Retries --------------------------------------------------------------------------------------------------


def test_words_told_before_are_a_retry_whatever_a_user_changed(scenario: Scenario) -> None:
    # rule 1.11
    first = scenario.post(external_id="E1", subject="No dailtone", description="")
    _patch(scenario, first, subject="No dial tone", description="A corrected text")
    for members in ({}, {"description": None}, {"subject": " No  dailtone\n"}, {"severity": "critical"}):
        again = _call(scenario, **{"subject": "No dailtone", **members})
        assert (again.created, again.complaint.id) == (False, first.id)
    _call(scenario, subject="No dial tone", description="A corrected text")  # the present words are no news
    assert _subjects(scenario) == []

    for _ in range(3):
        _call(scenario, subject="Second call")
    assert _subjects(scenario) == ["Second call"]


@pytest.mark.parametrize("name", [",external_id", ""], ids=["by external id", "by digest"])
def test_a_second_import_is_no_contact(scenario: Scenario, name: str) -> None:
    # rule 1.11
    file = f"channel,subject,description{name}\nphone,No dailtone,house{',E1' if name else ''}\n"
    _import(scenario, file)
    [made] = scenario.service.read(load.find_complaints)
    _patch(scenario, made.complaint, subject="No dial tone")
    for _ in range(2):
        _import(scenario, file)
    assert _subjects(scenario) == []
    if name:  # the same words by another way
        assert not _call(scenario, subject="No dailtone", description="house ").created
        assert _subjects(scenario) == []


def test_a_complaint_of_before_the_digests_is_compared_by_its_present_words(scenario: Scenario) -> None:
    # rule 1.11
    first = scenario.post(external_id="E1")
    _forget_words(scenario)
    for subject in ("No signal", "Second call", "Second call"):
        assert _call(scenario, subject=subject).complaint.id == first.id
    assert _subjects(scenario) == ["Second call"]
    _end(scenario, first)
    scenario.jump(days=91)
    assert _call(scenario, subject="Third call").created
    assert not _call(scenario, subject="Second call").created


def test_an_imported_row_may_be_a_contact_and_may_name_other_systems(scenario: Scenario) -> None:
    # rules 1.12 and 1.15
    first = scenario.post(external_id="E1")
    _import(
        scenario,
        "channel,subject,external_id,external_ids.crm\nphone,Again,E1,5\nphone,New,E2,6\nweb,x,E3,6\n",
    )
    assert _subjects(scenario) == ["Again"]
    assert scenario.load(first).external_ids == {}
    assert _call(scenario, "6", subject="New", source="crm").complaint.external_id == "E2"
    assert _call(scenario, "E3").created  # its row was refused: another complaint has the id 6


# Contacts -------------------------------------------------------------------------------------------------


def test_a_contact_is_told_and_ends_the_wait(scenario: Scenario) -> None:
    # rule 1.12
    first = scenario.post(external_id="E1")
    scenario.act(first, "respond", **SAID)
    scenario.act(
        first, "hold", reason="awaiting_complainant", until=(scenario.now() + timedelta(hours=48)).isoformat()
    )
    scenario.advance(hours=3)
    answer = _call(scenario)
    assert (answer.created, answer.complaint.status) == (False, Status.INVESTIGATING)
    assert scenario.load(first) == answer.complaint
    told = text(
        "SELECT step, level, deadline_id, taken_at >= planned_at FROM escalation WHERE step = 'contact'"
    )
    rows = scenario.service.read(lambda tx: tx.connection.execute(told).all())
    assert [tuple(row)[:3] for row in rows] == [("contact", 0, None)]


def test_a_contact_on_a_merged_complaint_goes_to_the_survivor(scenario: Scenario) -> None:
    # rule 1.12
    survivor = scenario.post(external_id="A", source="north", **PHONE)
    merged = scenario.post(external_id="B", source="south", subject="Dead", **PHONE)
    scenario.act(merged, "merge", into=str(survivor.id))
    for _ in range(2):
        assert _call(scenario, "B", source="south").complaint.id == survivor.id
    assert not _call(scenario, "B", subject="Dead", source="south").created
    assert [(e["subject"], e["merged_id"]) for e in _events(scenario)] == [
        ("It is dead again", str(merged.id))
    ]
    south = Caller("south", frozenset({AccessRole.INTAKE}), "south")
    [shown] = _register(scenario, {"external_id": "B", "subject": "Third"}, caller=south)
    assert shown.complaint.id == merged.id  # the survivor has another source
    assert _subjects(scenario) == ["It is dead again", "Third"]


# After the end --------------------------------------------------------------------------------------------


def test_a_contact_within_the_window_reopens(scenario: Scenario) -> None:
    # rule 1.14
    first = _end(scenario, scenario.post(external_id="E1"))
    answer = _call(scenario)
    assert (answer.created, answer.complaint.status, answer.complaint.cycle) == (
        False,
        Status.INVESTIGATING,
        2,
    )
    assert scenario.load(first).open
    assert not _call(scenario).created
    assert _subjects(scenario) == ["It is dead again"]


@pytest.mark.parametrize("is_merged", [False, True])
def test_a_contact_after_the_window_makes_a_new_complaint_with_the_external_id(
    scenario: Scenario, is_merged: bool
) -> None:
    # rule 1.14
    ended = holder = scenario.post(
        external_id="E1", subject="First words", external_ids={"crm": "5"}, **PHONE
    )
    if is_merged:
        ended = scenario.post(received_at="2026-01-04T00:00:00Z", **PHONE)
        scenario.act(holder, "merge", into=str(ended.id))
    _end(scenario, ended)
    scenario.jump(days=91)
    answer = _call(scenario, external_ids={"crm": "5"})

    new = answer.complaint
    assert (answer.created, new.ids_by_system) == (True, {"system": "E1", "crm": "5"})
    [link] = scenario.service.read(lambda tx: view_one(scenario.service, tx, SYSTEM, new)).links
    assert (link.type, link.complaint_id) == ("recurrence_of", ended.id)
    assert scenario.load(holder).ids_by_system == {}
    [moved] = _events(scenario, "complaint.external_id_moved")
    assert (moved["complaint_id"], moved["external_ids"]) == (str(new.id), {"system": "E1", "crm": "5"})
    assert _events(scenario, "complaint.linked")[-1]["complaint_id"] == str(ended.id)
    for subject in ("It is dead again", "First words"):  # the earlier words are still no news
        assert _call(scenario, subject=subject).complaint.id == new.id
    assert _call(scenario, subject="And again").complaint.id == new.id
    assert _subjects(scenario) == ["And again"]


def test_posts_of_one_external_id_in_one_group_are_heard_one_after_the_other(scenario: Scenario) -> None:
    # rules 1.11 and 1.14
    ended = _end(scenario, scenario.post(external_id="E1"))
    scenario.jump(days=91)
    names = [
        ("E1", "x"),
        ("E2", "x"),
        ("E1", "x"),
        ("E1", "y"),
        ("E2", "y"),
        ("E1", "x"),
        ("E1", "No signal"),
    ]
    found = _register(scenario, *({"external_id": name, "subject": subject} for name, subject in names))

    assert [one.created for one in found] == [True, True, False, False, False, False, False]
    ids = [one.complaint.id for one in found]
    assert ids == [ids[0], ids[1], ids[0], ids[0], ids[1], ids[0], ids[0]]
    assert ended.id not in ids
    assert sorted(_subjects(scenario)) == ["y", "y"]


@pytest.mark.parametrize("days", [0, 91], ids=["open", "after the window"])
def test_contacts_at_one_instant_are_one_contact(scenario: Scenario, days: int) -> None:
    # rules 1.11 and 1.14
    first = scenario.post(external_id="E1")
    if days:
        _end(scenario, first)
        scenario.jump(days=days)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: _call(scenario), range(8)))

    assert len({one.complaint.id for one in found}) == 1
    assert sum(one.created for one in found) == (1 if days else 0)
    assert len(_subjects(scenario)) == (0 if days else 1)


# External ids ---------------------------------------------------------------------------------------------


def test_an_external_id_of_a_system_names_one_complaint(scenario: Scenario) -> None:
    # rule 1.15
    first = scenario.post(external_id="E1")
    _forget_words(scenario)
    other = scenario.post(external_ids={"crm": "7"})
    for taken in ({"crm": "7"}, {"system": "E1"}):
        with pytest.raises(Conflict):
            _patch(scenario, scenario.post(), external_ids=taken)
    changed = _patch(scenario, other, external_ids={"crm": None, "erp": "9", "system": "E9"})
    assert changed.ids_by_system == {"system": "E9", "erp": "9"}
    assert _patch(scenario, other, external_ids={"erp": "9", "crm": None}).version == changed.version
    assert _call(scenario, "9", source="erp").complaint.id == other.id
    refused, taken, same, known = _register(
        scenario,
        {"external_ids": {"erp": "9"}},
        {"external_ids": {"crm": "8"}},
        {"external_ids": {"crm": "8"}},
        {"source": "crm", "external_id": "8"},
    )
    assert isinstance(refused, Conflict)
    assert isinstance(same, Conflict)
    assert (taken.created, known.created, known.complaint.id) == (True, False, taken.complaint.id)
    assert scenario.load(first).external_id == "E1"


def test_one_of_two_that_give_the_same_external_id_wins(scenario: Scenario) -> None:
    # rule 1.15
    complaint = scenario.post()

    def give(n: int) -> Any:
        try:
            if n % 2:
                return _patch(scenario, complaint, external_ids={"crm": "5"})
            return _call(scenario, "5", source="crm").complaint
        except ComplaintError as refusal:
            return refusal

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(give, range(8)))
    named = scenario.service.read(
        lambda tx: tx.connection.execute(text("SELECT complaint_id FROM complaint_external_id")).all()
    )
    assert len(named) == 1
    assert len({one.id for one in found if isinstance(one, Complaint)}) == 1


def test_a_key_of_one_source_neither_takes_nor_sees_the_ids_of_another(scenario: Scenario) -> None:
    # rules 1.15 and 1.16
    crm = Caller("crm", frozenset({AccessRole.INTAKE}), "crm")
    [refused] = _register(scenario, {"external_ids": {"erp": "9"}}, caller=crm)
    assert refused.code == "forbidden"
    scenario.post(source="phone", external_ids={"crm": "5"})
    [hidden] = _register(scenario, {"external_id": "5", "subject": "Other words"}, caller=crm)
    assert isinstance(hidden, Conflict)
    [own] = _register(scenario, {"external_ids": {"crm": "6"}}, caller=crm)
    assert isinstance(own, IntakeResult)
    assert own.complaint.external_id == "6"
