"""Sign in and out, who may open the console, and how refusals look."""

from collections.abc import Callable

import pytest

from complaints.domain.vocabulary import AccessRole
from tests.api.cheap_hashes import cheap_hashes
from tests.api_client import ApiClient
from tests.console.conftest import FORM, Reader
from tests.support import ADMIN_SECRET

pytestmark = pytest.mark.usefixtures("everything_holds", "hashes")
hashes = cheap_hashes
PASSWORD = "four words are long"


@pytest.fixture
def stranger(client: ApiClient) -> ApiClient:
    """A browser without a session. The user li.wei has a password."""
    given = {"login": "li.wei", "name": "Li Wei", "roles": ["supervisor"]}
    client.post("/v1/users", json=given).raise_for_status()
    link = client.post("/v1/users/li.wei/password-link").raise_for_status().json()
    del client.headers["Authorization"]
    sent = {"token": link["token"], "password": PASSWORD}
    assert client.post("/v1/password-links", json=sent, headers={"Sec-Fetch-Site": "same-origin"}).is_success
    client.follow_redirects = False
    return client


def test_the_address_of_the_console_needs_no_slash_at_its_end(stranger: ApiClient) -> None:
    answer = stranger.get("/console")
    assert (answer.status_code, answer.headers["location"]) == (307, "/console/")
    assert stranger.get(answer.headers["location"]).headers["location"].startswith("/console/sign-in")


def _post(client: ApiClient, password: str, **headers: str) -> tuple[int, str, str]:
    answer = client.post(
        "/console/sign-in",
        content=f"login=li.wei&password={password.replace(' ', '+')}&next=/console/overdue%3Fteam%3Da",
        headers=FORM | headers,
    )
    return answer.status_code, answer.headers.get("location", ""), answer.text


def test_a_page_without_a_session_leads_to_the_form_and_back(stranger: ApiClient) -> None:
    answer = stranger.get("/console/overdue?team=a")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?next=%2Fconsole%2Foverdue%3Fteam%3Da"
    assert "Sign in" in stranger.get(answer.headers["location"]).text
    assert _post(stranger, PASSWORD)[:2] == (303, "/console/overdue?team=a")


OTHER_SITES = [
    "https://evil.example",
    "//evil.example",
    "/v1/me",
    "/console/\\evil",
    "/console/\nX",
    "/console/../v1/me",
]


def test_a_link_to_sign_in_leads_to_no_other_site(stranger: ApiClient, subtests: pytest.Subtests) -> None:
    for next_page in OTHER_SITES:
        with subtests.test(ascii(next_page)):
            form = stranger.get("/console/sign-in", params={"next": next_page}).text
            assert 'name="next" value="/console/"' in form


def test_a_wrong_password_keeps_the_login_and_says_why_in_the_language_of_the_reader(
    stranger: ApiClient,
) -> None:
    status, _, text = _post(stranger, "wrong words are long", **{"Accept-Language": "zh-CN"})
    assert status == 401
    assert 'value="li.wei"' in text
    assert 'lang="zh-CN"' in text
    assert "wrong words" not in text


def test_a_form_of_another_site_signs_nobody_in(stranger: ApiClient) -> None:
    status, _, _ = _post(stranger, PASSWORD, **{"Sec-Fetch-Site": "cross-site"})
    assert status == 403


def test_a_key_opens_no_page(client: ApiClient) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_SECRET}"}
    assert client.get("/console/overdue", headers=headers, follow_redirects=False).status_code == 303


def test_a_script_without_a_session_gets_401_into_the_messages(stranger: ApiClient) -> None:
    answer = stranger.get("/console/overdue", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["hx-retarget"] == "#flash"


def test_signing_out_ends_the_session(sign_in: Callable[..., Reader]) -> None:
    reader = sign_in("li.wei", AccessRole.SUPERVISOR)
    assert reader.get("/overdue").status_code == 200
    answer = reader.post("/sign-out")
    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert reader.get("/overdue").status_code == 303


FIRST_PAGES = [
    (AccessRole.SUPERVISOR, "/console/overdue"),
    (AccessRole.AUDITOR, "/console/overdue"),
    (AccessRole.AGENT, "/console/work"),
    (AccessRole.INTAKE, "/console/new"),
]


def test_each_role_has_a_first_page_that_it_may_open(
    sign_in: Callable[..., Reader], subtests: pytest.Subtests
) -> None:
    for role, page in FIRST_PAGES:
        with subtests.test(role.value):
            reader = sign_in(f"an.{role}", role)
            assert reader.get("/").headers["location"] == page
            assert reader.get(page.removeprefix("/console")).status_code == 200


def test_a_page_that_does_not_exist_is_refused_in_words(sign_in: Callable[..., Reader]) -> None:
    answer = sign_in().get("/nothing", language="zh")
    assert answer.status_code == 404
    assert "<html" in answer.text


def test_the_measures_name_a_page_by_its_whole_path(sign_in: Callable[..., Reader]) -> None:
    reader = sign_in()
    reader.get("/overdue")
    measures = reader.client.get("/metrics").text
    assert 'method="GET",route="/console/overdue",status="200"' in measures


def test_a_page_is_sent_compressed(sign_in: Callable[..., Reader]) -> None:
    answer = sign_in().get("/overdue")
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]


def test_every_answer_lets_in_scripts_of_this_host_only(sign_in: Callable[..., Reader]) -> None:
    policy = sign_in().get("/overdue").headers["content-security-policy"]
    assert "script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
