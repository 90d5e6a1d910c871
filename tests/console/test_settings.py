"""The pages of settings: who sees what, and what each form does."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID, uuid4

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.model import Audience, NewDelivery
from complaints.use_cases.importing.worker import ImportWorker
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.seeding import shipped_policy
from complaints.wiring import wall_now
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.support import START, Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
SignIn = Callable[..., Reader]
_SAME_PAGE = 2
"""Pages of one kind that a walk opens: one category looks like another."""


def attempt_of(text: str) -> str:
    """The attempt of the form on a page."""
    return re.findall(r'name="attempt" value="([^"]+)"', text)[-1]


def follow(reader: Reader, address: str, **options: Any) -> Any:
    """Open the page at an address with its query."""
    path, _, query = address.removeprefix("/console").partition("?")
    asked: dict[str, Any] = dict(parse_qsl(query))
    return reader.get(path, **options, **asked)


def send(reader: Reader, path: str, fields: Any, **options: Any) -> Any:
    """Open a form, and send it with these fields."""
    page = reader.get(path)
    assert page.status_code == 200, page.text
    return reader.post(path, {"attempt": attempt_of(page.text), **fields}, **options)


def faults_of(text: str) -> list[str]:
    """The faults on a page, in order."""
    return [unescape(one) for one in re.findall(r'<p class="fault"[^>]*>(.*?)</p>', text, re.S)]


def test_every_page_opens_and_every_link_on_it_leads_somewhere(sign_in: SignIn, client: ApiClient) -> None:
    """A walk of an administrator, over all links of the settings, in both languages."""
    reader = sign_in()
    _fill(client)
    seen, kinds, waiting = {"/settings"}, dict[str, int](), ["/settings"]
    while waiting:
        path = waiting.pop()
        answers = [follow(reader, path, language=language) for language in ("en", "zh")]
        assert [answer.status_code for answer in answers] == [200, 200], path
        assert all("<h1>" in answer.text for answer in answers)
        links, others = (re.findall(r'href="(/console/settings[^"#]*|\?[^"]*)"', one.text) for one in answers)
        assert links == others, path
        for link in links:
            found = unescape(link).removeprefix("/console")
            target = path.partition("?")[0] + found if found.startswith("?") else found
            kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|=[^&]*", "#", target)
            kind = re.sub(r"(/(?:teams|people|departments|categories|robots)/)(?!new)[^/]+", r"\1#", kind)
            if target not in seen and kinds.get(kind, 0) < _SAME_PAGE:
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(target)
                waiting.append(target)
    parts = {path.partition("?")[0].split("/")[2] for path in seen if path.count("/") >= 2}
    assert len(parts) == 13
    assert any(path.endswith("/leave") for path in seen)


def _fill(client: ApiClient) -> None:
    """A webhook, a key, a robot, a calendar, and two versions of a policy."""
    for path, body in (
        ("webhooks", {"url": "https://crm.example.com/hook"}),
        ("keys", {"name": "crm", "roles": ["intake"]}),
    ):
        client.post(f"/v1/{path}", json=body).raise_for_status()
    week = {"mon": [["09:00", "18:00"]]}
    calendar = {"timezone": "Asia/Shanghai", "hours": week, "holidays": {"2026-01-01": "New Year"}}
    client.put("/v1/calendars/office", json=calendar).raise_for_status()
    robot = {"kind": "wecom", "url": "https://robot.example.com/send", "teams": []}
    client.put("/v1/robots/night", json=robot).raise_for_status()
    for text in (_document(), _document().replace("48 elapsed", "36 elapsed")):
        answer = client.post("/v1/policies", content=text, headers={"Content-Type": "application/yaml"})
        assert answer.status_code == 201, answer.text


def _document() -> str:
    return shipped_policy("telecom-handbook").replace("code: telecom-handbook", "code: own-rules")


PARTS = [
    (AccessRole.AUDITOR, ["audit", "people", "notifications"], ["keys", "webhooks", "robots"], "new"),
    (AccessRole.SUPERVISOR, ["policies", "webhooks", "imports"], ["audit", "keys"], "new"),
    (AccessRole.MANAGER, ["audit", "deliveries", "calendars"], ["keys", "robots"], ""),
    (AccessRole.INTAKE, [], ["policies", "people", "webhooks", ""], ""),
]


def test_a_reader_sees_the_parts_of_its_rights_and_greyed_buttons_with_the_reason(
    sign_in: SignIn, subtests: pytest.Subtests
) -> None:
    for role, opened, refused, greyed in PARTS:
        with subtests.test(role.value):
            reader = sign_in(f"li.{role}", role)
            for part in opened:
                assert reader.get(f"/settings/{part}").status_code == 200
                assert f'href="/console/settings/{part}"' in reader.get("/settings").text
            for part in refused:
                assert reader.get(f"/settings/{part}".rstrip("/")).status_code == 403
            if opened:
                people = reader.get("/settings/people").text
                assert ("Needs the role Manager, Administrator." in people) == bool(greyed)
                assert ('href="/console/settings/people/new"' in people) != bool(greyed)
                assert reader.get("/settings/people/new").status_code == (403 if greyed else 200)
            sent = reader.post("/settings/people/new", {"login": "he.li", "name": "He Li"})
            assert sent.status_code == (303 if role is AccessRole.MANAGER else 403)


FORMS = [
    (
        "/settings/departments/new",
        {"code": "east", "names.en": "East", "names.zh": "东区", "head": "", "parent": ""},
        "/v1/departments/east",
        {"names": {"en": "East", "zh": "东区"}, "head": None},
        {"code": "no spaces!"},
    ),
    (
        "/settings/teams/new",
        {"code": "night", "names.en": "Night", "names.zh": "夜班", "department": "service", "active": "on"},
        "/v1/teams/night",
        {"active": True, "lead": None},
        {"names.zh": ""},
    ),
    (
        "/settings/categories/new",
        {"code": "network.sea", "names.en": "At sea", "names.zh": "海上", "cause": "technical",
         "nature": "environment", "team": "", "active": "on"},
        "/v1/categories/network.sea",
        {"parent": "network", "cause": "technical", "team": None},
        {"cause": ""},
    ),
    (
        "/settings/people/new",
        {"login": "wu.di", "name": "Wu Di", "roles": ["agent", "intake"], "email": "wu.di@example.com",
         "scope": "sources", "scope_names": "crm, web"},
        "/v1/users/wu.di",
        {"roles": ["agent", "intake"], "scope": "sources", "scope_names": ["crm", "web"], "deputy": None},
        {"email": "nowhere"},
    ),
    (
        "/settings/calendars/new",
        {"code": "shop", "timezone": "Asia/Shanghai", "hours.mon": "09:00-12:00, 13:00-18:00",
         "holidays": "2026-10-01 国庆节\n2026-10-02", "overrides": "2026-10-10 09:00-18:00\n2026-12-31"},
        "/v1/calendars/shop",
        {"holidays": {"2026-10-01": "国庆节", "2026-10-02": ""},
         "overrides": {"2026-10-10": [["09:00", "18:00"]], "2026-12-31": []}},
        {"hours.mon": "09:00-25:00"},
    ),
    (
        "/settings/robots/new",
        {"code": "late", "kind": "dingtalk", "url": "https://robot.example.com/x", "language": "zh", "active": "on"},
        "/v1/robots",
        {},
        {"url": "http://localhost/x"},
    ),
]  # fmt: skip


def test_a_form_creates_once_and_keeps_what_was_typed_beside_its_fault(
    sign_in: SignIn, client: ApiClient, subtests: pytest.Subtests
) -> None:
    reader = sign_in()
    for path, fields, api, expected, faulty in FORMS:
        with subtests.test(path):
            refused = send(reader, path, fields | faulty, partial=True)
            assert refused.status_code == 422
            assert "<html" not in refused.text
            name, typed = next(iter(faulty.items()))
            assert f'aria-describedby="note-{name}' in refused.text
            assert len(faults_of(refused.text)) == 1
            if typed:
                assert typed in refused.text
            sent = {"attempt": attempt_of(refused.text), **fields}
            first, again = (reader.post(path, sent, partial=partial) for partial in (False, True))
            assert (first.status_code, again.status_code) == (303, 204)
            assert first.headers["location"] == again.headers["hx-redirect"]
            page = follow(reader, first.headers["location"])
            assert "Saved." in page.text
            shown = client.get(api).json()
            assert {name: shown[name] for name in expected} == expected
            if path.endswith(("/people/new", "/teams/new", "/categories/new", "/departments/new")):
                other, plain = (send(reader, path, fields, partial=partial) for partial in (True, False))
                assert (other.status_code, other.headers["hx-retarget"]) == (409, "#flash")
                assert (plain.status_code, len(faults_of(plain.text))) == (
                    409,
                    1,
                )  # without scripts the form comes again


def test_a_person_changes_is_absent_and_leaves(
    sign_in: SignIn, client: ApiClient, service: Service, scenario: Scenario
) -> None:
    reader = sign_in()
    for login in ("wu.di", "he.li"):
        body = {"login": login, "name": login.title(), "roles": ["agent"], "email": f"{login}@example.com"}
        client.post("/v1/users", json=body).raise_for_status()
    assert reader.get("/settings/people/wu.di/leaving", partial=True).status_code == 404
    until = (START + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    change = {"name": "Wu Di", "email": "", "roles": "agent", "deputy": "he.li"}
    absent = {"absent_from": START.strftime("%Y-%m-%dT%H:%M"), "absent_until": until}
    assert send(reader, "/settings/people/wu.di/change", change | absent).status_code == 303
    shown = client.get("/v1/users/wu.di").json()
    assert (shown["email"], shown["deputy"], shown["absent_until"]) == (None, "he.li", "2026-01-08T01:00:00Z")
    assert "absent till Thu 8 Jan 2026 01:00" in reader.get("/settings/people", q="WU.d").text
    assert send(reader, "/settings/people/wu.di/change", change).status_code == 303  # both fields are empty
    assert client.get("/v1/users/wu.di").json()["absent_from"] is None
    complaint = scenario.post(subject="No signal")
    scenario.act(complaint, "assign", assignee="wu.di")
    own = send(reader, "/settings/people/wu.di/leave", {"successor": "wu.di"})
    assert own.status_code == 422
    assert faults_of(own.text) == ["A successor is somebody else."]
    assert send(reader, "/settings/people/wu.di/leave", {"successor": "he.li"}).status_code == 303
    page = reader.get("/settings/people/wu.di").text
    assert "1 of 1 complaints handed over" in page
    assert "has left" in page
    assert client.get(f"/v1/complaints/{complaint.id}").json()["assignee"] == "he.li"
    assert "hx-trigger" not in reader.get("/settings/people/wu.di/leaving", partial=True).text
    assert send(reader, "/settings/people/wu.di/return", {}).status_code == 303
    assert client.get("/v1/users/wu.di").json()["active"] is True


def test_a_secret_is_shown_once_and_not_kept(sign_in: SignIn, client: ApiClient, service: Service) -> None:
    reader = sign_in()
    fields = {"name": "crm", "roles": ["intake"], "expires_at": "2026-03-01T00:00"}
    assert "at least one role" in faults_of(send(reader, "/settings/keys/new", {"name": "crm"}).text)[0]
    page = reader.get("/settings/keys/new")
    sent = {"attempt": attempt_of(page.text), **fields}
    first, again = (reader.post("/settings/keys/new", sent, partial=partial) for partial in (True, False))
    (secret,) = re.findall(r"<code>(cmp_[^<]+)</code>", first.text)
    assert secret not in again.text
    assert "shown then, and is not kept" in again.text
    answer = client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json()["key"]["name"] == "crm" if "key" in answer.json() else answer.is_success
    (key,) = [one for one in client.get("/v1/keys").json()["items"] if one["name"] == "crm"]
    assert key["expires_at"] == "2026-03-01T00:00:00Z"
    rotated = send(reader, f"/settings/keys/{key['id']}/rotate", {"overlap": "PT0S"})
    assert "cmp_" in rotated.text
    assert client.get("/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert faults_of(send(reader, f"/settings/keys/{key['id']}/rotate", {"overlap": "soon"}).text)
    assert send(reader, f"/settings/keys/{key['id']}/revoke", {}).status_code == 303
    assert "revoked" in reader.get("/settings/keys").text


def test_a_hub_of_tmf621_is_shown_and_changed_without_its_form(sign_in: SignIn, client: ApiClient) -> None:
    reader = sign_in()
    callback, query = "https://crm.example.com/listener", "fields=status&eventType=TroubleTicketCreateEvent"
    hub = {"@type": "Hub", "callback": callback, "query": query}
    made = client.post("/tmf-api/troubleTicket/v5/hub", json=hub).json()
    path = f"/settings/webhooks/{made['id']}"
    page = reader.get(path).text
    assert "TMF621 version 5 (hub)" in page
    assert "fields=status&amp;eventType=TroubleTicketCreateEvent" in page
    form = reader.get(f"{path}/change").text
    assert 'name="format"' not in form
    assert 'name="url"' in form
    assert "TMF621" not in reader.get("/settings/webhooks/new").text
    moved = {"url": f"{callback}/2", "event_types": "complaint.created"}
    assert send(reader, f"{path}/change", moved).status_code == 303
    shown = client.get(f"/v1/webhooks/{made['id']}").json()
    assert (shown["url"], shown["format"], shown["payload"]) == (moved["url"], "tmf621.v5", "full")


def test_a_webhook_is_made_changed_stopped_and_deleted(sign_in: SignIn, client: ApiClient) -> None:
    reader = sign_in()
    usual = {
        "url": "https://crm.example.com/hook",
        "event_types": "*",
        "payload": "thin",
        "format": "standard",
    }
    unsafe = send(reader, "/settings/webhooks/new", usual | {"url": "http://127.0.0.1/x"})
    assert (unsafe.status_code, len(faults_of(unsafe.text))) == (422, 1)
    assert "whsec_" in send(reader, "/settings/webhooks/new", usual | {"filter.team": "operations"}).text
    (made,) = client.get("/v1/webhooks").json()["items"]
    assert (made["filter"]["team"], made["exclude_actors"]) == ("operations", ["user:chen.jie"])
    path = f"/settings/webhooks/{made['id']}"
    changed = usual | {"event_types": "complaint.created, complaint.closed"}
    assert send(reader, f"{path}/change", changed).status_code == 303
    made = client.get(f"/v1/webhooks/{made['id']}").json()
    assert made["event_types"] == ["complaint.created", "complaint.closed"]
    assert (made["filter"]["team"], made["exclude_actors"]) == (None, [])
    unknown = send(reader, f"{path}/change", usual | {"event_types": "complaint.create"})
    assert "did you mean 'complaint.created'?" in faults_of(unknown.text)[0]
    backwards = send(reader, f"{path}/replay", {"from_sequence": "5", "to_sequence": "4"})
    assert faults_of(backwards.text) == ["to_sequence must not be less than from_sequence."]
    again = send(reader, f"{path}/replay", {"from_sequence": "1", "to_sequence": "9"})
    assert "sent again, in order" in follow(reader, again.headers["location"]).text
    assert send(reader, f"{path}/disable", {}).status_code == 303
    assert "by a person" in reader.get(path).text
    assert send(reader, f"{path}/enable", {}).status_code == 303
    assert send(reader, f"{path}/delete", {}).status_code == 303
    assert reader.get(path).status_code == 404
    assert reader.get(f"/settings/webhooks/{made['id']}/else").status_code == 404


def test_a_policy_document_is_checked_by_line_and_applied_with_its_date(
    sign_in: SignIn, client: ApiClient
) -> None:
    reader = sign_in()
    path = "/settings/policies/document"
    faulty = (
        _document().replace("24 elapsed hours", "24 hours").replace("notify: [executive]", "notify: [boss]")
    )
    for language, word in (("en", "line 26: "), ("zh", "第 26 行")):
        answer = send(reader, path, {"document": faulty, "do": "check"}, language=language)
        assert answer.status_code == 422
        assert any(word in fault for fault in faults_of(answer.text)), faults_of(answer.text)
        assert len(faults_of(answer.text)) > 2
        assert "notify: [boss]" in answer.text
    checked = send(reader, path, {"document": _document(), "do": "check"}, partial=True)
    assert "no faults" in checked.text
    assert client.get("/v1/policies/own-rules").status_code == 404
    moved = {"document": _document(), "effective_at": "2026-02-01T00:00", "do": "apply"}
    applied = send(reader, path, moved)
    assert applied.headers["location"] == "/console/settings/policies/own-rules/1?done=saved"
    shown = client.get("/v1/policies/own-rules/1").json()
    assert shown["effective_at"] == "2026-02-01T00:00:00Z"
    assert "comes into force" in reader.get("/settings/policies").text
    second = {
        "document": _document().replace("48 elapsed", "36 elapsed"),
        "effective_at": "1969-12-31T00:00",
        "do": "apply",
    }
    warned = send(reader, path, second)
    assert (warned.status_code, "Warning: " in warned.text) == (200, True)
    differences = reader.get("/settings/policies/own-rules/2/differences").text
    assert '<span class="removed">-      - target: 48 elapsed hours</span>' in differences
    assert '<span class="added">+      - target: 36 elapsed hours</span>' in differences
    assert "36 elapsed hours" in reader.get(path, code="own-rules", version=2).text


def test_the_calculator_agrees_with_the_api_and_says_why(sign_in: SignIn, client: ApiClient) -> None:
    reader = sign_in("li.wei", AccessRole.AGENT)
    assert "From the receipt" not in reader.get("/settings/policies/what-if").text
    asked: dict[str, Any] = {
        "received_at": "2026-01-05T09:00",
        "priority": "urgent",
        "category": "network.outage",
    }
    hold: dict[str, Any] = {
        "holds.0.reason": "awaiting_complainant",
        "holds.0.started_at": "2026-01-05T10:00",
        "holds.0.ended_at": "2026-01-06T10:00",
    }
    page = reader.get("/settings/policies/what-if", **asked, **hold).text
    body = {"start": "2026-01-05T09:00:00Z", "kind": "resolution", "policy": "telecom-handbook"}
    pauses = [["2026-01-05T10:00:00Z", "2026-01-06T10:00:00Z"]]
    due = client.post("/v1/deadlines/preview", json=body | {"pauses": pauses}).json()["due_at"]
    assert due == "2026-01-08T09:00:00Z"
    assert "due Thu 8 Jan 2026 09:00" in page
    assert "counted 2 d · on hold 1 d" in page
    assert "It fits every complaint." in page
    for fields, fault in (
        ({"received_at": "yesterday"}, "RFC 3339"),
        ({"category": "network.outrage"}, "did you mean"),
        ({"holds.0.ended_at": "2026-01-05T09:00"}, "ends after it starts"),
        ({"policy": "none"}, "There is no policy"),
    ):
        answer = reader.get("/settings/policies/what-if", **{**asked, **hold, **fields})
        assert answer.status_code == 422
        assert fault in faults_of(answer.text)[0]


def test_rotas_wishes_and_failed_messages(sign_in: SignIn, client: ApiClient) -> None:
    reader = sign_in()
    path = "/settings/teams/operations/rota"
    shifts = "chen.jie 2026-01-05T08:00 2026-01-05T20:00\n\nchen.jie 2026-01-06T08:00 2026-01-06T20:00"
    assert send(reader, path, {"shifts": shifts}).status_code == 303
    rota = client.get("/v1/teams/operations/duty").json()
    assert [one["on_duty_from"] for one in rota["shifts"]] == ["2026-01-05T08:00:00Z", "2026-01-06T08:00:00Z"]
    assert "On duty now and next" in reader.get("/settings/teams/operations").text
    overlapping = send(reader, path, {"shifts": shifts.replace("01-06", "01-05")})
    assert "line 2: Two shifts of user 'chen.jie' overlap." in faults_of(overlapping.text)[0]
    assert "line 1: " in faults_of(send(reader, path, {"shifts": "chen.jie tomorrow"}).text)[0]
    wishes = {
        "channels.0.channel": "sms",
        "channels.0.address": "13912345678",
        "channels.1.channel": "mail",
        "language": "en",
        "immediate_level": "2",
        "digest_times": "09:00, 15:30",
        "quiet_hours.from_time": "22:00",
        "quiet_hours.until_time": "07:00",
        "remind_every": "4h",
    }
    own = sign_in("li.wei", AccessRole.AUDITOR)
    assert send(own, "/settings/notifications/change", wishes).status_code == 303
    shown = client.get("/v1/users/li.wei/notifications").json()
    assert [one["channel"] for one in shown["channels"]] == ["sms", "mail"]
    assert (shown["digest_times"], shown["remind_every"]) == (["09:00", "15:30"], "4h")
    assert shown["quiet_hours"] == {"from_time": "22:00", "until_time": "07:00"}
    assert "22:00 – 07:00" in own.get("/settings/notifications").text
    refused = send(own, "/settings/notifications/change", wishes | {"channels.0.address": "no number"})
    assert (refused.status_code, len(faults_of(refused.text))) == (422, 1)
    half = send(own, "/settings/notifications/change", wishes | {"quiet_hours.until_time": ""})
    assert 'aria-describedby="note-quiet_hours.until_time"' in half.text
    always = send(own, "/settings/notifications/change", wishes | {"quiet_hours.until_time": "22:00"})
    assert 'aria-describedby="note-quiet_hours.until_time"' in always.text
    assert "must be another time than the begin of the quiet hours" in faults_of(always.text)[0]


def test_a_link_sets_a_password_once(sign_in: SignIn) -> None:
    reader = sign_in()
    shown = send(reader, "/settings/people/chen.jie/password-link", {}, partial=True)
    (token,) = re.findall(r"<code>https?://[^/]+/console/password#([\w-]{20,})</code>", shown.text)
    stranger = Reader(reader.client, "nobody", "no-session")
    assert "12 to 200 characters" in stranger.get("/password").text
    short = stranger.post("/password", {"token": token, "password": "short"})
    assert (short.status_code, len(faults_of(short.text))) == (422, 1)
    assert token in short.text
    sent = {"token": token, "password": "four words are long"}
    elsewhere: dict[str, Any] = {"Sec-Fetch-Site": "cross-site"}
    assert stranger.post("/password", sent, **elsewhere).status_code == 403
    assert stranger.post("/password", sent).headers["location"] == "/console/sign-in"
    assert stranger.post("/password", sent).status_code == 401
    assert reader.get("/settings").status_code == 303  # the sessions of before have ended


def _enqueue(service: Service, lost: NewDelivery, tx: Transaction) -> bool:
    return enqueue(service, tx, lost)


def test_messages_that_failed_are_listed_page_by_page(sign_in: SignIn, service: Service) -> None:
    reader = sign_in("li.wei", AccessRole.SUPERVISOR)
    for number in range(51):
        lost = NewDelivery(
            event_id=uuid4(),
            audience=Audience.STAFF,
            recipient="li.wei",
            template=f"kind-{number}",
            language="en",
            channels=(),
            due_at=START,
        )
        on_wall = replace(service, wall=lambda: START)
        service.write(partial(_enqueue, on_wall, lost))
    first = reader.get("/settings/deliveries").text
    more = unescape(re.findall(r'href="(\?status=[^"]*at=[^"]*)"', first)[0])
    second = follow(reader, f"/settings/deliveries{more}").text
    found = [re.findall(r">kind-(\d+)|kind-(\d+)", text) for text in (first, second)]
    assert [len({one for pair in page for one in pair if one}) for page in found] == [50, 1]
    assert "The recipient has no channel." in first
    assert (
        "There is no message with this status." in reader.get("/settings/deliveries", status="accepted").text
    )


def test_imports_are_listed_by_scope_with_the_rows_that_failed(
    sign_in: SignIn, client: ApiClient, service: Service
) -> None:
    # rule 7.8
    rows = "channel,subject\nphone,No signal\npigeon,Lost\n"
    job = client.post("/v1/imports", content=rows, headers={"Content-Type": "text/csv"}).json()
    assert ImportWorker(service, "one", wall_now, lambda: False).work_on(UUID(job["id"]))
    own, other = (
        sign_in("li.wei", AccessRole.MANAGER),
        sign_in("he.li", AccessRole.AGENT, scope="sources", scope_names=["elsewhere"]),
    )
    path = f"/settings/imports/{job['id']}"
    assert f'href="/console{path}"' in own.get("/settings/imports").text
    page = own.get(path).text
    assert "/channel" in page
    assert 'data-head="Row"' in page
    assert path not in other.get("/settings/imports").text
    assert other.get(path).status_code == 404


def test_the_built_in_policy_is_in_force_from_the_beginning(sign_in: Callable[..., Reader]) -> None:
    admin = sign_in("admin")
    for path in ("/settings/policies", "/settings/policies/telecom-handbook/1"):
        assert "Jan 1970" not in admin.get(path).text
        assert "always" in admin.get(path).text
        assert "一直" in admin.get(path, language="zh").text
