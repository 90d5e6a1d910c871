"""Sign-in by OpenID Connect: the whole way, and every answer of a provider that signs nobody in."""

import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlsplit

import httpx2
import pytest
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select

from complaints.api.accounts import openid_provider
from complaints.api.accounts.openid_provider import KEYS_REST_SECONDS, OpenIdProvider
from complaints.api.accounts.openid_sign_in import MOST_WAITING, OpenIdSignIn
from complaints.outbound.http_client import trusted_authorities
from complaints.storage.rows.used_sign_in import used_sign_in
from complaints.use_cases.accounts.openid_attempts import OpenIdRefused, begin_attempt, claim_attempt
from complaints.use_cases.service import Service
from tests.api.openid_server import CLIENT, CODE, SECRET, ForgingProvider, serving_provider
from tests.api.wall_clock import Clock, wall_clock
from tests.api_client import ApiClient

pytestmark = pytest.mark.usefixtures("everything_holds")
PUBLIC_URL = "https://complaints.example"
BEGIN, CALLBACK = "/v1/session/openid", "/v1/session/openid/callback"
ATTEMPT, SESSION = "__Host-complaints-openid", "__Host-complaints-session"
LOGIN, EMAIL = "li.wei", "Li.Wei@house.example"
clock = wall_clock
Json = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[ForgingProvider]:
    with serving_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: ForgingProvider) -> ForgingProvider:
    running.reset()
    return running


class Browser:
    """A browser that signs in. It keeps the cookies itself, as a browser does behind a proxy that ends TLS."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}

    def get(self, address: str, accept: str = "*/*", **query: Any) -> httpx2.Response:
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": sent, "Accept": accept, "Authorization": ""}
        self._client.cookies.clear()
        request = self._client.build_request("GET", address, params=query, headers=headers)
        del request.headers["Authorization"]
        answer = self._client.send(request, follow_redirects=False)
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies = {**self.cookies, name: value} if "Max-Age=0" not in cookie else self.cookies
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
        return answer

    def begin(self, provider: ForgingProvider, **query: Any) -> str:
        """Begin an attempt, and let the provider know of it. Returns the state."""
        answer = self.get(BEGIN, **query)
        assert answer.status_code == 302, answer.text
        asked = {
            name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()
        }
        provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
        return asked["state"]

    def sign_in(self, provider: ForgingProvider, **changed: Any) -> httpx2.Response:
        """The whole way. `changed` are parameters of the answer of the provider that differ."""
        sent = {"code": CODE, "state": self.begin(provider), **changed}
        return self.get(CALLBACK, **{name: value for name, value in sent.items() if value is not None})


def use_provider(
    client: ApiClient,
    provider: ForgingProvider,
    *,
    client_secret: str | None = SECRET,
    links_by_email: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> OpenIdSignIn:
    """Let the application know the provider, as after a start: nothing of it is kept."""
    ours = OpenIdProvider(
        provider.issuer,
        client_id=CLIENT,
        client_secret=client_secret,
        trusted=trusted_authorities(),
        clock=clock,
    )
    app: Any = client.app
    app.state.openid = OpenIdSignIn(ours, PUBLIC_URL, links_by_email)
    made: OpenIdSignIn = app.state.openid
    return made


@pytest.fixture
def openid(client: ApiClient, provider: ForgingProvider) -> Iterator[OpenIdSignIn]:
    yield use_provider(client, provider)
    app: Any = client.app
    app.state.openid = None


def make_user(client: ApiClient, login: str = LOGIN, **members: Any) -> None:
    user = {"login": login, "name": "Li Wei", "roles": ["agent"], "scope": "all", "email": EMAIL, **members}
    client.post("/v1/users", json=user).raise_for_status()


def link(client: ApiClient, provider: ForgingProvider, login: str = LOGIN, subject: str = "subject-1") -> Any:
    content = {"issuer": provider.issuer, "subject": subject}
    return client.put(f"/v1/users/{login}/identity", json=content)


@pytest.fixture
def browser(client: ApiClient, openid: OpenIdSignIn, provider: ForgingProvider) -> Browser:
    """A browser whose user is linked to the subject of the provider."""
    make_user(client)
    link(client, provider).raise_for_status()
    return Browser(client)


def refusal(answer: httpx2.Response) -> tuple[int, str, str]:
    content = answer.json()
    return answer.status_code, content["type"].removeprefix("/problems/"), content["detail"]


def test_a_linked_user_signs_in_and_acts_with_the_session(
    browser: Browser, provider: ForgingProvider, clock: Clock
) -> None:
    begun = browser.get(BEGIN, next="/complaints?team=a%20b#top")
    address = urlsplit(begun.headers["location"])
    asked = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.issuer}/authorize"
    assert {**asked, "state": "", "nonce": "", "code_challenge": ""} == {
        "tenant": "house",
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{PUBLIC_URL}{CALLBACK}",
        "scope": "openid",
        "code_challenge_method": "S256",
        **dict.fromkeys(("state", "nonce", "code_challenge"), ""),
    }
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith(f"{ATTEMPT}=")
    assert cookie.endswith("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
    assert not {asked["state"], asked["nonce"]} & set(cookie.replace(";", "=").split("="))

    provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
    back = browser.get(CALLBACK, code=CODE, state=asked["state"], session_state="of the provider")
    assert (back.status_code, back.headers["location"]) == (302, "/complaints?team=a%20b#top")
    assert {*browser.cookies} == {SESSION}
    assert browser.get("/v1/me").json()["login"] == LOGIN
    assert browser.get("/v1/session").json()["method"] == "oidc"
    _, _, sent = (provider.authorization or "").partition(" ")
    assert httpx2.BasicAuth(CLIENT, quote_plus(SECRET))._auth_header == f"Basic {sent}"
    assert provider.asked == ["/.well-known/openid-configuration", "/token", "/keys"]

    old = dict(browser.cookies)
    assert browser.sign_in(provider).headers["location"] == "/v1/me"
    assert provider.asked[3:] == ["/token"]  # the metadata and the keys are kept
    browser.cookies = old
    assert browser.get("/v1/me").status_code == 401  # the new session replaced it


def test_an_attempt_works_once_in_its_browser_and_for_ten_minutes(
    client: ApiClient, browser: Browser, provider: ForgingProvider, clock: Clock
) -> None:
    state = browser.begin(provider)
    kept = dict(browser.cookies)
    foreign = Browser(client)
    nothing = "This browser has begun no sign-in here: begin again."
    assert refusal(foreign.get(CALLBACK, code=CODE, state=state)) == (401, "openid-refused", nothing)
    foreign.begin(provider)
    other = "The answer belongs to another sign-in: begin again."
    assert refusal(foreign.get(CALLBACK, code=CODE, state=state))[2] == other
    for forged in ("", "x.y.z", kept[ATTEMPT][:-4] + "AAAA", "e30.e30.e30.e30.e30"):
        foreign.cookies = {ATTEMPT: forged}
        assert refusal(foreign.get(CALLBACK, code=CODE, state=state))[2] == nothing
    assert "/token" not in provider.asked

    browser.cookies = dict(kept)
    browser.begin(provider)  # another tab
    assert refusal(browser.get(CALLBACK, code=CODE, state=state))[2] == other
    assert browser.cookies == {}
    state = browser.begin(provider)
    kept = dict(browser.cookies)
    assert browser.get(CALLBACK, code=CODE, state=state).status_code == 302
    browser.cookies = kept
    again = browser.get(CALLBACK, code=CODE, state=state)
    assert refusal(again)[2] == "This sign-in was used before: begin again."

    state = browser.begin(provider)
    clock.now += timedelta(minutes=10)
    late = "The sign-in took longer than ten minutes: begin again."
    assert refusal(browser.get(CALLBACK, code=CODE, state=state))[2] == late


def test_of_many_answers_for_one_attempt_one_is_taken(service: Service, clock: Clock) -> None:
    attempt = begin_attempt("/", clock.now)

    def claim(_: int) -> bool:
        try:
            service.write(lambda tx: claim_attempt(tx, attempt, clock.now))
        except OpenIdRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(16))) == 1

    clock.now += timedelta(minutes=10, seconds=1)
    later = begin_attempt("/", clock.now)
    service.write(lambda tx: claim_attempt(tx, later, clock.now))
    kept = service.read(lambda tx: tx.connection.execute(select(used_sign_in.c.expires_at)).scalars().all())
    assert kept == [later.expires_at]  # an expired attempt needs no row


UNCLEAR = "The provider could not sign you in: begin again, or ask an administrator."
WITHOUT_CODE = "The provider sent neither a code nor an error: begin again."
REFUSED_CODE = "The provider does not accept the code of this sign-in: begin again."
ANOTHER = "Another provider than the configured one answered: begin again."
WITHOUT_PROOF: list[tuple[Json, Json, Json, str]] = [  # parameters, claims, metadata, detail
    ({"code": None, "error": "access_denied"}, {}, {}, "The sign-in was declined at the provider."),
    ({"code": None, "error": "<script>"}, {}, {}, UNCLEAR),
    ({"code": None}, {}, {}, WITHOUT_CODE),
    ({"code": "x" * 5000}, {}, {}, WITHOUT_CODE),
    ({"code": "of-another-attempt"}, {}, {}, REFUSED_CODE),
    ({"iss": "https://attacker.example"}, {}, {}, ANOTHER),
    *(
        ({}, {claim: "other"}, {}, f"The claim {claim} of the identity token is missing or wrong.")
        for claim in ("iss", "aud", "nonce", "at_hash")
    ),
    ({}, {}, {"authorization_response_iss_parameter_supported": True}, ANOTHER),
]


def test_an_answer_of_the_provider_without_a_proof_is_refused(
    client: ApiClient, browser: Browser, provider: ForgingProvider
) -> None:
    for sent, claims, metadata, detail in WITHOUT_PROOF:
        provider.claims, provider.metadata = claims, metadata
        if metadata:
            use_provider(client, provider)
        assert refusal(browser.sign_in(provider, **sent)) == (401, "openid-refused", detail)
        assert browser.cookies == {}
    provider.claims = {}
    assert browser.sign_in(provider, iss=provider.issuer).status_code == 302


def test_a_browser_gets_a_page_in_its_language(browser: Browser, provider: ForgingProvider) -> None:
    page = browser.get(CALLBACK, accept="text/html,*/*;q=0.8", state="<b>")
    assert (page.status_code, page.headers["www-authenticate"]) == (401, "Bearer")
    assert page.headers["content-type"].startswith("text/html")
    assert "This browser has begun no sign-in here: begin again." in page.text
    assert f'href="{BEGIN}"' in page.text


def test_the_next_path_leads_nowhere_else(browser: Browser) -> None:
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "", "x", "/a b", "/\t/x", "/é"):
        answer = browser.get(BEGIN, next=path)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "next"), path
        assert ATTEMPT not in browser.cookies
    assert browser.get(BEGIN, nxt="/").status_code == 400


def test_new_keys_of_the_provider_are_fetched_once_a_minute(
    client: ApiClient, browser: Browser, provider: ForgingProvider
) -> None:
    seconds = [1000.0]
    use_provider(client, provider, client_secret=None, clock=lambda: seconds[0])
    assert browser.sign_in(provider).status_code == 302
    assert (provider.authorization, provider.form["client_id"]) == (None, CLIENT)

    provider.signing_key = RSAKey.generate_key(2048, auto_kid=True)
    unknown = "The identity token names a key that the provider does not publish."
    for _ in range(3):
        assert refusal(browser.sign_in(provider))[2] == unknown
    assert provider.asked.count("/keys") == 1
    seconds[0] += KEYS_REST_SECONDS
    assert refusal(browser.sign_in(provider))[2] == unknown
    provider.published = KeySet([RSAKey.import_key(provider.signing_key.as_dict(private=False))]).as_dict()
    seconds[0] += KEYS_REST_SECONDS
    assert browser.sign_in(provider).status_code == 302
    assert provider.asked.count("/keys") == 3


DOCUMENT = "/.well-known/openid-configuration"


UNUSABLE: list[tuple[str, tuple[int, bytes]] | Json] = [
    (DOCUMENT, (500, b"")),
    (DOCUMENT, (302, b"")),
    (DOCUMENT, (200, b"<html>")),
    (DOCUMENT, (200, b'"' + b"x" * 300_000 + b'"')),
    {"issuer": "https://attacker.example"},
    {"token_endpoint": "http://attacker.example/token"},
    {"jwks_uri": "file:///etc/passwd"},
    ("/token", (401, b'{"error": "invalid_client"}')),
    ("/token", (200, b"{}")),
    ("/keys", (404, b"")),
    ("/keys", (200, b"[]")),
    ("/keys", (200, b'{"keys": []}')),
    ("/keys", (200, b'{"keys": [{"kty": "RSA", "n": 1}]}')),
]
NOT_NOW = (
    503,
    "service-unavailable",
    "The sign-in provider cannot be used just now: try again shortly.",
)


def test_a_provider_that_does_not_answer_as_it_must_gives_503(
    client: ApiClient, browser: Browser, provider: ForgingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault in UNUSABLE:
        provider.reset()
        if isinstance(fault, dict):
            provider.metadata = fault
        else:
            provider.answers = dict([fault])
        use_provider(client, provider)
        answered = browser.get(BEGIN)
        if answered.status_code == 302:
            assert not isinstance(fault, dict), "faulty metadata are refused at once"
            answered = browser.sign_in(provider)
        assert (refusal(answered), answered.headers["retry-after"]) == (NOT_NOW, "5"), fault
    provider.reset()
    provider.answers[DOCUMENT] = (500, b"")
    use_provider(client, provider)
    assert [browser.get(BEGIN).status_code for _ in range(3)] == [503] * 3
    assert provider.asked == [DOCUMENT]  # it is left alone for a moment
    monkeypatch.setattr(openid_provider, "LONGEST_ANSWER_SECONDS", -1.0)
    provider.reset()
    use_provider(client, provider)
    assert refusal(browser.get(BEGIN)) == NOT_NOW


def test_a_slow_provider_holds_up_few_requests(browser: Browser, openid: OpenIdSignIn) -> None:
    for _ in range(MOST_WAITING):
        openid._places.acquire()
    full = "Too many sign-ins wait for the provider just now: try again shortly."
    assert refusal(browser.get(BEGIN)) == (503, "service-unavailable", full)
    openid._places.release()
    assert browser.get(BEGIN).status_code == 302


def test_the_client_shows_its_secret_in_the_way_that_the_provider_knows(
    browser: Browser, provider: ForgingProvider
) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert browser.sign_in(provider).status_code == 302
    assert (provider.authorization, provider.form["client_secret"]) == (None, SECRET)


NOT_LINKED = (
    403,
    "identity-not-linked",
    "Your account at the provider is linked to no user here: ask an administrator.",
)


def test_only_an_administrator_links_a_subject(
    client: ApiClient, openid: OpenIdSignIn, provider: ForgingProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """Rule 8.5. Not even a verified e-mail address links, unless the installation says so."""
    make_user(client)
    make_user(client, "wang.fang", email=None)
    browser, path = Browser(client), f"/v1/users/{LOGIN}/identity"
    provider.claims = {"email": EMAIL, "email_verified": True}
    with caplog.at_level("INFO", "complaints"):
        assert refusal(browser.sign_in(provider)) == NOT_LINKED
    [line] = [one for one in caplog.records if one.message == "an identity is linked to no user"]
    assert line.__dict__["subject"] == "subject-1"
    assert client.get(path).status_code == client.delete(path).status_code == 404
    assert link(client, provider, "nobody").status_code == 404

    linked = link(client, provider).json()
    assert (linked["subject"], linked["linked_by"]) == ("subject-1", "key:bootstrap")
    assert client.get(path).json() == link(client, provider).json() == linked
    taken = link(client, provider, "wang.fang")
    assert (taken.status_code, LOGIN in taken.json()["detail"]) == (409, True)
    assert browser.sign_in(provider).status_code == 302

    assert client.delete(path).status_code == 204
    assert browser.get("/v1/me").status_code == 401
    assert refusal(browser.sign_in(provider)) == NOT_LINKED
    assert link(client, provider, "wang.fang").status_code == 200
    assert browser.sign_in(provider).status_code == 302
    assert browser.get("/v1/me").json()["login"] == "wang.fang"
    link(client, provider, "wang.fang", "subject-2").raise_for_status()
    assert browser.get("/v1/me").status_code == 401

    recorded = client.get("/v1/audit", params={"subject": "provider_identity", "code": LOGIN}).json()["items"]
    assert [one["state"]["subject"] for one in recorded] == [None, "subject-1"]


def test_an_identity_that_is_none_is_refused(client: ApiClient) -> None:
    whole = {"issuer": "https://login.example", "subject": "x"}
    for changed in (
        {"issuer": "login.example"},
        {"subject": ""},
        {"subject": " x"},
        {"subject": "x" * 256},
        {"x": 1},
    ):
        answer = client.put("/v1/users/admin/identity", json={**whole, **changed})
        assert (answer.status_code, bool(answer.json()["errors"])) == (422, True), changed
    assert client.put("/v1/users/admin/identity", json={"issuer": whole["issuer"]}).status_code == 422


def test_a_verified_address_of_one_user_links_if_the_installation_says_so(
    client: ApiClient, openid: OpenIdSignIn, provider: ForgingProvider
) -> None:
    use_provider(client, provider, links_by_email=True)
    make_user(client)
    browser = Browser(client)
    for claims in (
        {"email": EMAIL, "email_verified": False},
        {"email": EMAIL, "email_verified": "true"},
        {"email": EMAIL},
        {"email_verified": True},
        {"email": EMAIL.replace("L", "Ｌ"), "email_verified": True},
        {"email": "wang@house.example", "email_verified": True},
    ):
        provider.claims = claims
        assert refusal(browser.sign_in(provider)) == NOT_LINKED, claims
    provider.claims = {"email": EMAIL.upper(), "email_verified": True}
    for members in ({"active": False}, {"active": True, "roles": []}):
        client.patch(f"/v1/users/{LOGIN}", json=members).raise_for_status()
        assert refusal(browser.sign_in(provider)) == NOT_LINKED, members
    client.patch(f"/v1/users/{LOGIN}", json={"roles": ["agent"]}).raise_for_status()
    assert browser.sign_in(provider).status_code == 302
    shown = client.get(f"/v1/users/{LOGIN}/identity").json()
    assert (shown["subject"], shown["linked_by"]) == ("subject-1", f"user:{LOGIN}")
    assert browser.get("/v1/me").json()["login"] == LOGIN


def test_an_address_links_neither_two_users_nor_one_who_has_or_had_an_identity(
    client: ApiClient, openid: OpenIdSignIn, provider: ForgingProvider
) -> None:
    use_provider(client, provider, links_by_email=True)
    make_user(client)
    provider.claims = {"email": EMAIL, "email_verified": True}
    browser = Browser(client)
    make_user(client, "namesake")
    assert refusal(browser.sign_in(provider)) == NOT_LINKED
    client.patch("/v1/users/namesake", json={"email": ""}).raise_for_status()
    link(client, provider, subject="another").raise_for_status()
    assert refusal(browser.sign_in(provider)) == NOT_LINKED
    client.delete(f"/v1/users/{LOGIN}/identity")
    assert refusal(browser.sign_in(provider)) == NOT_LINKED


def test_a_linked_user_who_left_or_has_no_role_cannot_sign_in(
    client: ApiClient, browser: Browser, provider: ForgingProvider
) -> None:
    client.patch(f"/v1/users/{LOGIN}", json={"roles": []}).raise_for_status()
    assert refusal(browser.sign_in(provider))[:2] == (403, "forbidden")
    client.patch(f"/v1/users/{LOGIN}", json={"roles": ["agent"], "active": False}).raise_for_status()
    assert refusal(browser.sign_in(provider))[:2] == (401, "sign-in-refused")
    assert browser.cookies == {}


def test_without_a_provider_the_addresses_are_not_there(client: ApiClient) -> None:
    for path in (BEGIN, CALLBACK):
        answer = refusal(Browser(client).get(path))
        assert answer == (404, "not-found", "No OpenID provider is configured here: sign in by password.")


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    """The issuer of the mock, a program of others. It was written to the standard, not to this service."""
    with warnings.catch_warnings(record=True):  # between its libraries
        from oidc_provider_mock import User, run_server_in_thread

    claims = {"email": EMAIL, "email_verified": True}
    with run_server_in_thread(
        require_nonce=True, user_claims=[User(sub="subject-1", claims=claims)]
    ) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between the libraries of the mock
def test_a_user_signs_in_at_the_mock_of_others(client: ApiClient, openid: OpenIdSignIn, mock: str) -> None:
    app: Any = client.app
    app.state.openid = OpenIdSignIn(
        OpenIdProvider(mock, client_id=CLIENT, client_secret=SECRET, trusted=trusted_authorities()),
        PUBLIC_URL,
        links_by_email=True,
    )
    make_user(client)
    browser = Browser(client)
    for choice, place in (({"sub": "subject-1"}, "/v1/me"), ({"action": "deny"}, None)):
        there = browser.get(BEGIN).headers["location"]
        back = urlsplit(httpx2.post(there, data=choice, follow_redirects=False).headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == f"{PUBLIC_URL}{CALLBACK}"
        answer = browser.get(CALLBACK, **dict(parse_qsl(back.query)))
        assert answer.headers.get("location") == place
    assert answer.status_code == 401
