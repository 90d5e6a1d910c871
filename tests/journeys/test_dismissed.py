"""A dismissed user has a session, waits for the feed and listens to it: all end within 5 s, in every process."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import httpx2

from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET

LOGIN, PASSWORD = "li.wei", "four words are long"


def browser(server: RunningServer) -> httpx2.Client:
    """A client that has signed in. The server is on this machine, so the cookie needs no TLS."""
    client = server.client()
    client.headers["Origin"] = server.url
    answer = client.post("/v1/session", json={"login": LOGIN, "password": PASSWORD})
    assert (answer.status_code, len(client.cookies)) == (201, 1), answer.text
    return client


def wait_for_events(client: httpx2.Client) -> tuple[int, float]:
    """Wait 30 s for events; the status of the answer, and the time of its arrival."""
    answer = client.get("/v1/changes", params={"after": "now", "wait": 30})
    return answer.status_code, time.monotonic()


def listen(client: httpx2.Client) -> tuple[str, float]:
    """Listen to the feed; the last line of the stream, and the time of its end."""
    with client.stream("GET", "/v1/changes", headers={"Accept": "text/event-stream"}) as stream:
        *_, last = stream.raise_for_status().iter_lines()
    return last, time.monotonic()


def test_a_dismissed_user_is_out_everywhere_within_five_seconds(
    launcher: Launcher, database_url: str
) -> None:
    here = launcher.serve(database_url, sandbox=1)
    shared = database_url.startswith("postgresql")
    there = launcher.serve(database_url, sandbox=1, scheduler=0) if shared else here
    with ExitStack() as stack:
        admin = stack.enter_context(here.client(ADMIN_SECRET))
        pool = stack.enter_context(ThreadPoolExecutor(4))
        user: dict[str, Any] = {"login": LOGIN, "name": "Li Wei", "roles": ["agent"], "scope": "all"}
        admin.post("/v1/users", json=user).raise_for_status()
        link = admin.post(f"/v1/users/{LOGIN}/password-link").raise_for_status().json()
        nobody = stack.enter_context(there.client())
        sent = {"token": link["token"], "password": PASSWORD}
        assert nobody.post("/v1/password-links", json=sent).status_code == 204
        key = admin.post("/v1/keys", json={"name": "own", "roles": ["agent"], "user": LOGIN}).json()["key"]
        by_key = stack.enter_context(there.client(key))
        waiting, working = (stack.enter_context(closing(browser(there))) for _ in range(2))
        assert working.get("/v1/me").json()["login"] == LOGIN
        waits = [pool.submit(wait_for_events, one) for one in (waiting, by_key)]
        streams = [pool.submit(listen, one) for one in (working, by_key)]
        time.sleep(1)
        assert not any(one.done() for one in waits + streams)

        dismissed_at = time.monotonic()
        admin.patch(f"/v1/users/{LOGIN}", json={"active": False}).raise_for_status()
        for status, at in (one.result() for one in waits):
            assert status == 401
            assert at - dismissed_at < 5
        for last, at in (one.result() for one in streams):
            assert last == ": end unauthenticated"
            assert at - dismissed_at < 5
        for client in (waiting, working, by_key):
            assert client.get("/v1/complaints").status_code == 401
        again = {"login": LOGIN, "password": PASSWORD}
        assert nobody.post("/v1/session", json=again).status_code == 401
    for server in {here, there}:
        server.terminate()
    tokens = [*waiting.cookies.values(), *working.cookies.values(), link["token"], PASSWORD]
    assert len(tokens) == 4
    assert not [secret for secret in tokens if secret in here.output + there.output]
