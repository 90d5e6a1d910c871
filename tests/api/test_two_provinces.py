"""Two provinces in one database, each with its calendar: policies side by side over the API (rules 4.13 to 4.17)."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from complaints.domain.importing.import_file import CSV
from complaints.domain.vocabulary import Channel
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import intake
from complaints.use_cases.importing.uploads import ImportRequest, check_file, start_import
from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.upkeep.seeding import shipped_policy
from complaints.wiring import wall_now
from tests.api_client import ApiClient
from tests.support import Scenario

HANDBOOK = shipped_policy("telecom-handbook")
YAML = {"Content-Type": "application/yaml"}
DAYS = ", ".join(f"{day}: [[10:00, 18:00]]" for day in ("mon", "tue", "wed", "thu", "fri"))
FROM = "effective_at: 2026-01-01T00:00:00+08:00"


def scoped(document: str, code: str, applies_to: str, start: str = FROM) -> str:
    """The document with another code, for complaints of these members."""
    lines = [line for line in document.splitlines() if not line.startswith(("code:", "effective_at:"))]
    return "\n".join([f"code: {code}", start, f"applies_to: {applies_to}", *lines])


SHANGHAI = scoped(shipped_policy("working-hours"), "shanghai", "{region: CN-31}")
XINJIANG = (
    scoped(HANDBOOK, "xinjiang", "{region: [CN-65, CN-65-01]}")
    .replace("timezone: Asia/Shanghai", "timezone: Asia/Urumqi")
    .replace("hours: null", f"hours: {{{DAYS}}}\n    holidays: {{2026-01-07: a local day}}")
    .replace("24 elapsed hours", "8 working hours")
    .replace("48 elapsed hours", "3 working days")
)
BILLS = scoped(HANDBOOK, "bills", "{region: CN-31, category: billing}").replace("24 elapsed", "2 elapsed")


def apply(client: ApiClient, document: str) -> dict[str, Any]:
    applied = client.post("/v1/policies", content=document.encode(), headers=YAML)
    assert applied.status_code == 201, applied.text
    return dict(applied.json())


def post(client: ApiClient, **members: Any) -> dict[str, Any]:
    posted = client.post("/v1/complaints", json={"channel": "phone", "subject": "No signal", **members})
    assert posted.status_code == 201, posted.text
    return dict(posted.json())


def due_times(complaint: dict[str, Any]) -> dict[str, str]:
    return {one["kind"]: one["due_at"] for one in complaint["deadlines"] if one["status"] != "cancelled"}


def events_of(client: ApiClient, complaint: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    events = client.get(f"/v1/complaints/{complaint['id']}/timeline").json()["items"]
    return [event["data"] for event in events if event["type"] == f"complaint.{kind}"]


@pytest.mark.usefixtures("everything_holds")
def test_each_province_has_its_calendar_in_one_database(client: ApiClient, scenario: Scenario) -> None:
    # rules 4.14 and 4.16
    for document in (SHANGHAI, XINJIANG, BILLS):
        apply(client, document)
    east, west = post(client, region="CN-31"), post(client, region="CN-65")
    bill = post(client, region="CN-31", category="billing.refund")
    other = post(client, region="CN-11")

    shown = [(one["policy"]["code"], one["policy_chosen_by"]) for one in (east, west, bill, other)]
    assert shown == [
        ("shanghai", {"region": "CN-31"}),
        ("xinjiang", {"region": "CN-65"}),
        ("bills", {"region": "CN-31", "category": "billing"}),
        ("telecom-handbook", {}),
    ]
    [created] = events_of(client, west, "created")
    assert created["changes"]["policy_chosen_by"] == {"region": "CN-65"}
    assert "policy_chosen_by" not in events_of(client, other, "created")[0]["changes"]
    # Monday, 09:00 in Shanghai and 07:00 in Urumqi. The west has a holiday on Wednesday.
    assert due_times(east) == {"first_response": "2026-01-06T01:30:00Z", "resolution": "2026-01-12T10:00:00Z"}
    assert due_times(west) == {"first_response": "2026-01-05T12:00:00Z", "resolution": "2026-01-08T12:00:00Z"}
    assert due_times(bill)["first_response"] == "2026-01-05T03:00:00Z"

    # One kind of complaint has one plan, but each complaint its own rule.
    stamped = [post(client, region=region) for region in ("CN-65-01", "CN-65", "CN-65-01")]
    assert [one["policy_chosen_by"]["region"] for one in stamped] == ["CN-65-01", "CN-65", "CN-65-01"]
    assert [due_times(one) for one in stamped] == [due_times(west)] * 3

    scenario.advance(hours=12)
    late = client.get("/v1/complaints", params={"overdue": "true"}).json()["items"]
    assert {one["number"] for one in late} == {one["number"] for one in (west, bill, *stamped)}
    read = client.get(
        "/v1/complaints", params={"region": "CN-65", "fields": "policy,policy_chosen_by"}
    ).json()
    western = {"policy": {"code": "xinjiang", "version": 1}, "policy_chosen_by": {"region": "CN-65"}}
    assert read["items"] == [western, western]
    address = f"/v1/complaints/{west['id']}/deadlines/{west['deadlines'][0]['id']}/explanation"
    explained = client.get(address).json()
    told = {name: explained[name] for name in ("policy", "policy_chosen_by", "other_policy")}
    assert told == {
        "policy": {"code": "xinjiang", "version": 1},
        "policy_chosen_by": {"region": "CN-65"},
        "other_policy": None,
    }
    in_force = [(one["code"], one["in_force"]) for one in client.get("/v1/policies").json()["items"]]
    assert in_force == [(code, True) for code in ("bills", "shanghai", "telecom-handbook", "xinjiang")]


@pytest.mark.usefixtures("everything_holds")
def test_rule_4_17_another_region_keeps_the_policy_until_somebody_re_plans(
    client: ApiClient, scenario: Scenario
) -> None:
    # rules 2.8 and 2.9
    apply(client, SHANGHAI)
    apply(client, XINJIANG)
    posted = post(client, region="CN-31")
    address = f"/v1/complaints/{posted['id']}"
    scenario.advance(hours=2)
    client.post(
        f"{address}/transitions", json={"action": "respond", "message": "hi", "contact_channel": "phone"}
    )
    hold = {"action": "hold", "reason": "awaiting_complainant", "until": "2026-01-05T09:00:00Z"}
    assert client.post(f"{address}/transitions", json=hold).status_code == 200
    scenario.advance(
        hours=7
    )  # the hold ended at 17:00 in Shanghai and 15:00 in Urumqi: six hours, five of them open

    moved = client.patch(address, json={"region": "CN-65"}).json()
    assert (moved["policy"]["code"], moved["policy_chosen_by"]) == ("shanghai", {"region": "CN-31"})
    before = due_times(moved)
    assert events_of(client, posted, "updated")[-1]["other_policy"] == "xinjiang/1"
    client.patch(address, json={"tags": ["seen"]})
    assert "other_policy" not in events_of(client, posted, "updated")[-1]
    explanation = f"{address}/deadlines/{moved['deadlines'][0]['id']}/explanation"
    assert client.get(explanation).json()["other_policy"] == {"code": "xinjiang", "version": 1}

    replanned = client.post(f"{address}/replan", json={"policy": {"code": "xinjiang", "version": 1}})
    assert replanned.status_code == 200, replanned.text
    after = replanned.json()
    assert after["policy"] == {"code": "xinjiang", "version": 1}
    assert after["policy_chosen_by"] == {"replanned_by": "key:bootstrap"}
    [recorded] = events_of(client, posted, "replanned")
    assert (recorded["policy_before"], recorded["policy_after"]) == ("shanghai/1", "xinjiang/1")
    # Met in time it stays as it was. The other starts where it started, and its pause counts in the new calendar.
    assert due_times(after)["first_response"] == before["first_response"]
    assert due_times(after)["resolution"] == "2026-01-09T09:00:00Z"
    told = client.get(explanation).json()
    assert (told["policy"]["code"], told["policy_chosen_by"], told["other_policy"]) == (
        "shanghai",
        None,
        None,
    )


def test_rule_4_15_what_does_not_go_together_is_refused(client: ApiClient) -> None:
    apply(client, SHANGHAI)
    east = scoped(HANDBOOK, "east", "{region: [CN-32, CN-31]}")
    hole = HANDBOOK.replace("effective_at: 1970", "applies_to: {channel: web}\neffective_at: 1971")
    wrong = scoped(HANDBOOK, "east", "{category: nothing}")
    for path in ("", "/validate"):
        for document, pointer, words in (
            (east, "/applies_to", "region 'CN-31' as closely as policy 'shanghai' version 1"),
            (hole, "/applies_to", "leaves complaints without a policy"),
            (wrong, "/applies_to/category/0", "unknown category 'nothing'"),
        ):
            refused = client.post(f"/v1/policies{path}", content=document.encode(), headers=YAML)
            assert refused.status_code == 422
            [error] = refused.json()["errors"]
            assert error["pointer"] == pointer
            assert words in error["message"]
            assert error["message"].startswith("line ")
    assert len(client.get("/v1/policies").json()["items"]) == 2
    apply(client, scoped(HANDBOOK, "east", "{region: CN-32}"))
    ended = f"{FROM}\neffective_until: 2026-02-01T00:00:00Z"
    apply(client, scoped(shipped_policy("working-hours"), "shanghai", "{region: CN-31}", ended))
    apply(client, scoped(HANDBOOK, "coast", "{region: CN-31}", "effective_at: 2026-02-01T00:00:00Z"))

    def in_force(at: str) -> list[tuple[str, int]]:
        listed = client.get("/v1/policies", params={"in_force_at": at}).json()["items"]
        return [(one["code"], one["version"]) for one in listed]

    assert in_force("2026-01-31T23:59:59Z") == [("east", 1), ("shanghai", 2), ("telecom-handbook", 1)]
    assert in_force("2026-02-01T00:00:00Z") == [("coast", 1), ("east", 1), ("telecom-handbook", 1)]
    assert client.get("/v1/policies", params={"in_force_at": "soon"}).status_code == 422


@pytest.mark.usefixtures("everything_holds")
def test_a_contact_after_the_end_chooses_for_itself(client: ApiClient, scenario: Scenario) -> None:
    # rules 1.14 and 4.14
    apply(client, XINJIANG.replace("contact_after_end: reopen", "contact_after_end: new"))
    posted = post(client, region="CN-65")
    client.post(f"/v1/complaints/{posted['id']}/transitions", json={"action": "withdraw", "reason": "none"})
    old = text("UPDATE complaint SET policy_chosen_by = NULL")  # as a program from before wrote it
    service = scenario.service
    words = intake.ContactWords(Channel.WEB, "again")
    again = service.write(lambda tx: intake.add_contact(service, tx, UUID(posted["id"]), words))
    assert again.recurrence_of
    assert again.complaint.policy_chosen_by == {"region": "CN-65"}
    service.write(lambda tx: tx.connection.execute(old))
    assert client.get(f"/v1/complaints/{posted['id']}").json()["policy_chosen_by"] == {}
    restored = text('UPDATE complaint SET policy_chosen_by = \'{"region": "CN-65"}\'')
    service.write(lambda tx: tx.connection.execute(restored))


def test_imports_choose_by_row_and_the_preview_says_why(client: ApiClient, scenario: Scenario) -> None:
    # rules 4.14 and 4.18
    apply(client, SHANGHAI)
    apply(client, scoped(HANDBOOK, "letters", "{channel: letter, source: [crm, legacy]}"))
    rows = "channel,subject,region\nphone,a,CN-31\nletter,b,CN-31\nletter,c,\nweb,d,CN-11\n"
    checked = check_file(SYSTEM, ImportRequest(rows.encode(), CSV, None, (("set.source", "legacy"),), False))
    job = scenario.service.write(lambda tx: start_import(scenario.service, tx, SYSTEM, checked))
    assert ImportWorker(scenario.service, "one", wall_now, lambda: False).work_on(job.id)
    items = client.get("/v1/complaints", params={"fields": "subject,policy_chosen_by"}).json()["items"]
    letter = {"source": "legacy", "channel": "letter"}
    assert {one["subject"]: one["policy_chosen_by"] for one in items} == {
        "a": {"region": "CN-31"},
        "b": letter,
        "c": letter,
        "d": {},
    }

    def preview(**members: Any) -> tuple[str, Any]:
        body = {"kind": "first_response", "start": "2026-01-05T01:00:00Z", **members}
        shown = client.post("/v1/deadlines/preview", json=body).json()
        return shown["policy"]["code"], shown["policy_chosen_by"]

    assert preview(region="CN-31") == ("shanghai", {"region": "CN-31"})
    assert preview(region="CN-31", channel="letter", source="crm") == ("letters", letter | {"source": "crm"})
    assert preview() == ("telecom-handbook", {})
    assert preview(policy="shanghai", region="CN-11") == ("shanghai", None)
