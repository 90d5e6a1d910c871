"""Drafts: kept for one user and one form, found again in the form, and gone when they are no longer needed."""

from collections.abc import Callable

import pytest

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.complaints.erasing import erase_texts
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.loops import do_chores
from complaints.use_cases.work.drafts import MOST_CHARACTERS, MOST_DRAFTS, FormName, find_draft
from complaints.wiring import wall_now
from tests.api_client import ApiClient
from tests.console.conftest import Reader
from tests.console.sent_forms import read_fields

pytestmark = pytest.mark.usefixtures("everything_holds")
TEXT = "第一行\n第二行"


@pytest.fixture
def reader(sign_in: Callable[..., Reader]) -> Reader:
    return sign_in("li.wei", AccessRole.AGENT, scope="all")


@pytest.fixture
def complaint(client: ApiClient) -> dict[str, str]:
    posted = {"channel": "phone", "subject": "No signal"}
    found: dict[str, str] = client.post("/v1/complaints", json=posted).raise_for_status().json()
    return found


def _save(reader: Reader, complaint: dict[str, str], **fields: str) -> None:
    sent = {"message": TEXT.replace("\n", "\r\n"), "zone": "UTC", **fields}
    answer = reader.post(f"/drafts/{complaint['id']}:respond", sent, partial=True)
    assert answer.status_code == 200
    assert answer.json()["kept"] == "Draft kept 01:00"


def _typed(reader: Reader, complaint: dict[str, str]) -> str:
    return read_fields(reader.get(f"/complaints/{complaint['number']}/actions/respond").text)["message"]


def test_a_draft_comes_back_to_its_user_alone_until_the_form_is_sent(
    reader: Reader, complaint: dict[str, str], sign_in: Callable[..., Reader]
) -> None:
    path = f"/complaints/{complaint['number']}/actions/respond"
    _save(reader, complaint, message="An older draft")
    _save(reader, complaint, contact_channel="phone", strange="is left out")
    page = sign_in("li.wei").get(path).text  # in another session, at another machine
    assert "Draft of 01:00" in page
    fields = read_fields(page)
    assert (fields["message"], fields["contact_channel"]) == (TEXT, "phone")
    assert 'data-typed="message contact_channel' in page
    assert _typed(sign_in("wang.min", AccessRole.AGENT, scope="all"), complaint) == ""
    refused = reader.post(path, fields | {"contact_channel": ""}, partial=True)
    assert refused.status_code == 422
    assert _typed(reader, complaint) == TEXT
    assert reader.post(path, fields, partial=True).status_code == 200
    assert _typed(reader, complaint) == ""


def test_a_draft_can_be_discarded(reader: Reader, complaint: dict[str, str]) -> None:
    _save(reader, complaint)
    back = f"/console/complaints/{complaint['number']}/actions/respond"
    for asked, leads_to in ((back, back), ("//evil.example", "/console/")):
        answer = reader.post(f"/drafts/{complaint['id']}:respond/discard", {"back": asked})
        assert (answer.status_code, answer.headers["location"]) == (303, leads_to)
    _save(reader, complaint)
    assert reader.post(f"/drafts/{complaint['id']}:respond/discard", partial=True).status_code == 204
    assert _typed(reader, complaint) == ""


def test_a_draft_ends_after_seven_days_and_with_an_erasure(
    reader: Reader, complaint: dict[str, str], client: ApiClient, service: Service
) -> None:
    """Rule 11.5."""
    _save(reader, complaint)
    reader.post("/drafts/new", {"subject": "Not of a complaint"}).raise_for_status()
    service.write(lambda tx: erase_texts(service, tx, SYSTEM, complaint["id"], reason="asked for"))
    page = reader.get(f"/complaints/{complaint['number']}/actions/respond").text
    assert read_fields(page)["message"] == ""
    assert 'data-erased="0"' not in page  # the copies of browsers are older than this
    _save(reader, complaint)

    def find(form: str) -> object:
        return service.read(lambda tx: find_draft(tx, caller, FormName.parse(form)))

    caller = _caller_of("li.wei")
    for days, kept in ((6.9, True), (0.2, False)):
        client.post("/v1/sandbox/clock/advance", json={"by": f"PT{int(days * 86400)}S"}).raise_for_status()
        do_chores(service, wall_now)
        assert (find("new") is not None) is kept
        assert (find(f"{complaint['id']}:respond") is not None) is kept


def _caller_of(login: str) -> Caller:
    return Caller(f"user:{login}", frozenset({AccessRole.AGENT}), "console", login=login)


REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("other", {}, 404),
    ("{id}:Respond!", {}, 404),
    ("{id}:", {}, 404),
    ("{id}:" + "a" * 41, {}, 404),
    ("00000000-0000-4000-8000-000000000000:respond", {}, 404),
    ("{id}:respond", {"message": "x" * (MOST_CHARACTERS + 1)}, 422),
    ("{id}:respond", {f"f{n}": "x" for n in range(101)}, 422),
    ("{id}:respond", {"f" * 101: "x"}, 422),
    ("{id}:respond", {"message": "\0"}, 400),
]


def test_a_draft_that_cannot_be_kept_is_refused(reader: Reader, complaint: dict[str, str]) -> None:
    for form, fields, status in REFUSED:
        answer = reader.post(f"/drafts/{form.format(id=complaint['id'])}", fields, partial=True)
        assert answer.status_code == status, form
    assert _typed(reader, complaint) == ""


def test_who_may_not_act_or_does_not_know_the_complaint_keeps_no_draft(
    complaint: dict[str, str], sign_in: Callable[..., Reader]
) -> None:
    path = f"/drafts/{complaint['id']}:respond"
    assert sign_in("lei.jing", AccessRole.AUDITOR).post(path, {"message": "x"}).status_code == 403
    assert sign_in("an.li", AccessRole.AGENT, scope="own").post(path, {"message": "x"}).status_code == 404


def test_a_page_of_another_user_sends_nothing(reader: Reader, complaint: dict[str, str]) -> None:
    """Two users may sign in in one browser: a page that is still open belongs to the first."""
    path = f"/drafts/{complaint['id']}:respond"
    answer = reader.post(
        path, {"message": TEXT}, partial=True, language="zh", **{"Console-Login": "wang.min"}
    )
    assert answer.status_code == 401
    assert "此浏览器中已有其他用户登录" in answer.text
    assert _typed(reader, complaint) == ""
    assert reader.post(path, {"message": TEXT}, partial=True, **{"Console-Login": "li%2Ewei"}).is_success


def test_a_user_keeps_the_latest_drafts_only(
    reader: Reader, complaint: dict[str, str], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_DRAFTS == 200
    monkeypatch.setattr("complaints.use_cases.work.drafts.MOST_DRAFTS", 2)
    caller = _caller_of("li.wei")
    names = [f"{complaint['id']}:{name}" for name in ("a", "b", "c")]
    for name in names:
        reader.post(f"/drafts/{name}", {"text": "x"}).raise_for_status()
    kept = service.read(
        lambda tx: [find_draft(tx, caller, FormName.parse(name)) is not None for name in names]
    )
    assert kept.count(True) == 2
