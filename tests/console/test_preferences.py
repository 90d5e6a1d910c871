"""Preferences, switches of language and theme, own sessions and password; the palette and help as pages."""

import re
from collections.abc import Callable

import pytest

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import AccessRole
from tests.api.cheap_hashes import cheap_hashes
from tests.api_client import ApiClient
from tests.console.conftest import FORM, Reader
from tests.console.test_sign_in import PASSWORD
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds", "hashes")
hashes = cheap_hashes
CHOSEN = {"language": "zh", "zone": "America/New_York", "theme": "dark"}


@pytest.fixture
def an(sign_in: Callable[..., Reader]) -> Reader:
    """An agent."""
    return sign_in("an", AccessRole.AGENT, teams=["customer_service"])


def test_an_id_is_for_one_element(sign_in: Callable[..., Reader]) -> None:
    ids = re.findall(r'\sid="([^"]+)"', sign_in().get("/preferences").text)
    assert sorted(ids) == sorted(set(ids))


def test_what_a_user_chose_holds_on_every_page_until_the_browser_decides_again(an: Reader) -> None:
    assert 'data-single-keys="on"' in an.get("/work").text
    saved = an.post("/preferences", CHOSEN)
    assert (saved.status_code, saved.headers["location"]) == (303, "/console/preferences?done=saved")
    assert "console-language=zh" in saved.headers["set-cookie"]
    page = an.get("/work").text
    assert '<html lang="zh-CN" data-theme="dark">' in page
    assert 'data-single-keys="off"' in page
    shown = an.get("/preferences", done="saved").text
    assert 'value="America/New_York"' in shown
    assert "偏好设置已保存" in shown
    an.post("/preferences", {"language": "", "zone": "", "theme": "", "single_keys": "on"})
    page = an.get("/work").text
    assert '<html lang="en">' in page
    assert 'data-single-keys="on"' in page


@pytest.mark.parametrize(
    ("name", "value"), [("zone", "Moon/Base"), ("zone", "right/UTC"), ("language", "fr"), ("theme", "pink")]
)
def test_a_choice_that_does_not_exist_is_told_at_its_field(an: Reader, name: str, value: str) -> None:
    answer = an.post("/preferences", {**CHOSEN, name: value})
    assert answer.status_code == 422
    assert 'class="fault"' in answer.text
    assert "America/New_York" in answer.text or value in answer.text
    assert 'lang="en"' in an.get("/work").text


def test_the_switches_go_back_to_the_page_and_need_no_session(an: Reader) -> None:
    there = "/console/teams/customer_service/queue?after=x"
    assert an.post("/look", {"language": "zh", "next": there}).headers["location"] == there
    assert 'lang="zh-CN"' in an.get("/work").text
    assert (
        an.post("/look", {"theme": "dark", "next": "https://evil.example"}).headers["location"] == "/console/"
    )
    assert 'lang="zh-CN" data-theme="dark"' in an.get("/work").text  # one switch leaves the other choice

    visitor = an.client
    del visitor.headers["Authorization"]
    switched = visitor.post(
        "/console/look", content="language=zh&next=/console/sign-in", headers=FORM, follow_redirects=False
    )
    assert switched.status_code == 303
    page = visitor.get("/console/sign-in").text
    assert 'lang="zh-CN"' in page
    visitor.post("/console/look", content="theme=dark", headers=FORM, follow_redirects=False)
    assert 'data-theme="dark"' in visitor.get("/console/sign-in").text
    other_site = {**FORM, "Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/console/look", content="theme=dark", headers=other_site).status_code == 403


def test_own_sessions_are_listed_and_ended(an: Reader, sign_in: Callable[..., Reader]) -> None:
    elsewhere, other = sign_in("an"), sign_in("bo", AccessRole.AGENT)
    page = an.get("/preferences").text
    [ended] = re.findall(r'action="/console/sessions/([0-9a-f-]+)/end"', page)
    assert other.post(f"/sessions/{ended}/end").status_code == 404
    assert elsewhere.get("/work").status_code == 200
    answer = an.post(f"/sessions/{ended}/end")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/preferences?done=ended#sessions",
    )
    assert elsewhere.get("/work").status_code == 303
    assert an.get("/work").status_code == 200


def test_the_own_password_is_changed_and_the_other_sessions_end(
    an: Reader, sign_in: Callable[..., Reader], client: ApiClient
) -> None:
    link = client.post("/v1/users/an/password-link").raise_for_status().json()
    sent = {"token": link["token"], "password": PASSWORD}
    client.post("/v1/password-links", json=sent, headers={"Sec-Fetch-Site": "same-origin"}).raise_for_status()
    here, elsewhere = sign_in("an"), sign_in("an")
    new = "other words are long"
    for old, password, again, fault in (
        ("wrong words are long", new, new, "note-old_password"),
        (PASSWORD, "short", "short", "note-password"),
        (PASSWORD, new, "another word or two", "note-again"),
        ("", new, new, "note-old_password"),
    ):
        form = {"old_password": old, "password": password, "again": again}
        answer = here.post("/preferences/password", form)
        assert answer.status_code == 422
        assert f'class="fault" id="{fault}"' in answer.text
        assert new not in answer.text
    changed = here.post("/preferences/password", {"old_password": PASSWORD, "password": new, "again": new})
    assert changed.headers["location"] == "/console/preferences?done=password"
    assert (here.get("/work").status_code, elsewhere.get("/work").status_code) == (200, 303)


def test_the_palette_leads_to_complaints_pages_people_teams_and_categories(
    an: Reader, sign_in: Callable[..., Reader], scenario: Scenario
) -> None:
    sign_in("li.wei", AccessRole.AGENT, name="李伟")
    number = number_of(scenario.post().sequence)
    for written in (number, f" {number[:4].lower()} {number[4:]}"):
        answer = an.get("/palette", q=written)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/console/complaints/{number}")
        assert f'href="/console/complaints/{number}"' in an.get("/palette", q=written, partial=True).text
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert "check digit" in an.get("/palette", q=wrong).text
    for query, address in (
        ("lw", "/console/overdue?assignee=li.wei"),
        ("customer", "/console/teams/customer_service/queue"),
        ("network.out", "/console/overdue?category=network.outage"),
        ("my w", "/console/work"),
        ("keys", "/console/help"),
    ):
        found = an.get("/palette", q=query, partial=True).text
        assert f'href="{address}"' in found
        assert "<html" not in found
    assert "Nothing fits" in an.get("/palette", q="<nothing>").text
    intake = sign_in("jo", AccessRole.INTAKE)
    assert "li.wei" not in intake.get("/palette", q="lw").text  # who may not read users finds none


def test_help_is_a_page_and_a_part(an: Reader) -> None:
    assert "<kbd>j</kbd>" in an.get("/help").text
    part = an.get("/help", partial=True, language="zh").text
    assert "下一行" in part
    assert "<html" not in part
