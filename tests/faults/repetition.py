"""The same request many times at once, through several processes, and what is wrong with the answers."""

from collections import Counter

import httpx2

from tests.faults.intake import at_once, make_body

FOLD = 100


def same_key(clients: list[httpx2.Client], number: int) -> list[str]:
    """What is wrong with the answers to one request, repeated at once under its idempotency key."""
    headers = {"Idempotency-Key": f"repeated-{number}"}
    body = make_body(number * 2, "keys")

    def post(n: int) -> httpx2.Response:
        while True:
            answer = clients[n % len(clients)].post("/v1/complaints", json=body, headers=headers)
            if answer.status_code not in (409, 503):
                return answer

    answers = at_once(FOLD, post)
    other = clients[0].post("/v1/complaints", json=body | {"subject": "Another"}, headers=headers)
    first = [answer for answer in answers if "Idempotency-Replayed" not in answer.headers]
    found = [f"answered {a.status_code}: {a.text[:200]}" for a in answers if a.status_code != 201]
    if len({answer.content for answer in answers}) != 1 or len(first) != 1:
        found.append(f"{len(first)} first answers, {len({a.content for a in answers})} different ones")
    if (other.status_code, other.json()["type"]) != (422, "/problems/idempotency-key-reused"):
        found.append(f"other content under the key was answered {other.status_code}")
    return found


def same_external_id(clients: list[httpx2.Client], number: int) -> list[str]:
    """What is wrong with the answers to one complaint, posted at once under its external id."""
    body = make_body(number * 2 + 1, "ids")

    def post(n: int) -> httpx2.Response:
        while (answer := clients[n % len(clients)].post("/v1/complaints", json=body)).status_code == 503:
            pass
        return answer

    answers = at_once(FOLD, post)
    statuses = Counter(answer.status_code for answer in answers)
    if statuses != {201: 1, 200: FOLD - 1} or len({answer.json()["id"] for answer in answers}) != 1:
        return [f"the same external id was answered {dict(statuses)}"]
    return []
