"""A curious agent signs in and looks for what belongs to others: nothing leads to it, and nothing gives more rights."""

from contextlib import closing
from typing import Any

import httpx2

from tests.journeys.running_server import Launcher, RunningServer
from tests.support import ADMIN_SECRET

PASSWORD = "four words are long"
NOTHING = [
    ("GET", "", None),
    ("GET", "/timeline", None),
    ("GET", "/transitions", None),
    ("GET", "/promises", None),
    ("PATCH", "", {"severity": "critical"}),
    ("POST", "/notes", {"text": "Who is it?"}),
    ("POST", "/take", None),
    ("POST", "/reveal", {"reason": "I am curious."}),
    ("POST", "/transitions", {"action": "respond", "message": "Hello.", "contact_channel": "phone"}),
]


def sign_in(server: RunningServer, admin: httpx2.Client, login: str, **members: Any) -> httpx2.Client:
    """A new user, with a password and a session in a browser."""
    user = {"login": login, "name": login, "roles": ["agent"], "teams": ["customer_service"], **members}
    admin.post("/v1/users", json=user).raise_for_status()
    link = admin.post(f"/v1/users/{login}/password-link").raise_for_status().json()
    client = server.client()
    client.headers["Origin"] = server.url
    sent = {"token": link["token"], "password": PASSWORD}
    client.post("/v1/password-links", json=sent).raise_for_status()
    client.post("/v1/session", json={"login": login, "password": PASSWORD}).raise_for_status()
    return client


def post(admin: httpx2.Client, category: str, name: str) -> dict[str, Any]:
    body = {
        "channel": "phone",
        "subject": f"Help {name}",
        "category": category,
        "complainant": {"name": name},
    }
    made: dict[str, Any] = admin.post("/v1/complaints", json=body).raise_for_status().json()
    return made


def test_nothing_of_another_team_is_found(launcher: Launcher, database_url: str) -> None:
    server = launcher.serve(database_url, sandbox=1)
    with server.client(ADMIN_SECRET) as admin:
        theirs, mine = post(admin, "network.outage", "Zhuge"), post(admin, "service.attitude", "Wang")
        assert (theirs["team"], mine["team"]) == ("operations", "customer_service")
        with closing(sign_in(server, admin, "curious")) as agent:
            for reference in (theirs["id"], theirs["number"]):
                for method, path, body in NOTHING:
                    answer = agent.request(method, f"/v1/complaints/{reference}{path}", json=body)
                    expected = 403 if path == "/reveal" else 404
                    assert answer.status_code == expected, (method, path, answer.text)
            for path in ("/v1/complaints", "/v1/complaints?q=Help", "/v1/complaints?name=Zhuge", "/v1/inbox"):
                assert "Zhuge" not in agent.get(path).raise_for_status().text
            numbers = [one["number"] for one in agent.get("/v1/complaints").json()["items"]]
            assert numbers == [mine["number"]]
            into = {"action": "merge", "into": theirs["number"]}
            assert agent.post(f"/v1/complaints/{mine['id']}/transitions", json=into).status_code == 422
            link = {"type": "related", "complaint_id": theirs["id"]}
            assert agent.post(f"/v1/complaints/{mine['id']}/links", json=link).status_code in (404, 422)
            for path in (
                "/v1/changes",
                "/v1/keys",
                "/v1/audit",
                "/v1/access-log",
                "/v1/sessions?login=admin",
            ):
                assert agent.get(path).status_code == 403, path
            assert agent.patch("/v1/users/curious", json={"scope": "all"}).status_code == 403
            assert agent.post("/v1/keys", json={"name": "more", "roles": ["admin"]}).status_code == 403
            del agent.headers["Origin"]
            agent.headers["Sec-Fetch-Site"] = "cross-site"
            note = agent.post(f"/v1/complaints/{mine['id']}/notes", json={"text": "From another site."})
            assert note.json()["type"] == "/problems/cross-site-request"
    assert server.terminate() == 0
