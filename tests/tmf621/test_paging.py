"""Pages of tickets: orders, cursors in both directions, numbers, and counts."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response

from complaints.use_cases.complaints import ticket_lists
from complaints.use_cases.complaints.ticket_lists import KeptCounts
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.support import Scenario, count_statements
from tests.tmf621.tickets import TICKETS, TICKETS_V4, new_ticket

PRIORITIES = ("Low", "Urgent", "Medium", "High", "Urgent", "Low", "High")
SEVERITIES = ("Minor", "Critical", "Low", "Major", "Major", "Minor", "Critical")
NAMES = ("b", "B", "a", "ä", "a", "网", "b")


@pytest.fixture
def seven(client: ApiClient, scenario: Scenario) -> list[dict[str, Any]]:
    """Seven tickets, the oldest first; two of each neighbouring pair came at the same instant."""
    made = []
    for place, (priority, severity, name) in enumerate(zip(PRIORITIES, SEVERITIES, NAMES, strict=True)):
        if place % 2 == 0:
            scenario.advance(minutes=1)
        sent = new_ticket(priority=priority, severity=severity, name=name)
        answer = client.post(TICKETS, json=sent)
        assert answer.status_code == 201, answer.text
        made.append(answer.json())
    return made


def link(answer: Response, name: str) -> str | None:
    """The address of the next or the previous page."""
    found = re.search(rf'<([^>]*)>; rel="{name}"', answer.headers.get("link", ""))
    return found[1] if found else None


def walk(client: ApiClient, address: str | None, name: str) -> list[list[str]]:
    """The ids of all pages along the links with this name."""
    pages = []
    while address is not None:
        answer = client.get(address)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-result-count"] == str(len(answer.json()))
        assert answer.headers["x-total-count"] == "7"
        pages.append([one["id"] for one in answer.json()])
        address = link(answer, name)
        assert len(pages) < 9
    return pages


RANKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "creationDate": lambda one: one["creationDate"],
    "lastUpdate": lambda one: one["lastUpdate"],
    "priority": lambda one: ("Urgent", "High", "Medium", "Low").index(one["priority"]),
    "severity": lambda one: ("Critical", "Major", "Minor", "Low").index(one["severity"]),
    "status": lambda one: one["status"],  # all have the same
    "name": lambda one: one["name"],
    "id": lambda one: one["id"],
}


SORTS = [
    "", "creationDate", "-lastUpdate", "priority", "-priority", "severity", "-status", "name", "-name", "id",
    "-severity,name", "priority,-creationDate,name", "-name,-priority",
]  # fmt: skip


def test_pages_follow_each_other_in_both_directions(
    client: ApiClient, seven: list[dict[str, Any]], subtests: pytest.Subtests
) -> None:
    for sort in SORTS:
        with subtests.test(sort):
            keys = (sort or "-creationDate").split(",")
            expected = sorted(seven, key=lambda one: one["id"], reverse=keys[-1].startswith("-"))
            for key in reversed(keys):
                expected.sort(key=RANKS[key.removeprefix("-")], reverse=key.startswith("-"))
            ids = [one["id"] for one in expected]
            query = f"&sort={sort}" if sort else ""
            pages = walk(client, f"{TICKETS}?limit=3{query}", "next")
            assert pages == [ids[:3], ids[3:6], ids[6:]]
            last = client.get(f"{TICKETS}?limit=3&offset=6{query}")
            assert [one["id"] for one in last.json()] == ids[6:]
            assert walk(client, link(last, "prev"), "prev") == [ids[3:6], ids[:3]]
            assert link(client.get(link(last, "prev") or ""), "next") is not None


def test_a_new_ticket_moves_no_page(client: ApiClient, seven: list[dict[str, Any]]) -> None:
    first = client.get(f"{TICKETS}?limit=3")
    client.post(TICKETS, json=new_ticket(name="later"))
    second = client.get(link(first, "next") or "")
    shown = [one["id"] for one in (*first.json(), *second.json())]
    newest = sorted(seven, key=lambda one: (one["creationDate"], one["id"]), reverse=True)
    assert shown == [one["id"] for one in newest[:6]]


NUMBERED = [
    ("", 7, ""),
    ("?limit=7", 7, ""),
    ("?limit=0", 0, ""),
    ("?limit=1000", 7, ""),
    ("?offset=7", 0, ""),
    ("?offset=10001", 0, ""),
    ("?offset=" + "9" * 40, 0, ""),
    ("?offset=5", 2, "prev"),
    ("?limit=6", 6, "next"),
    ("?offset=1&limit=2", 2, "next prev"),
]


def test_pages_by_number(client: ApiClient, seven: list[dict[str, Any]], subtests: pytest.Subtests) -> None:
    for path in (TICKETS, TICKETS_V4):
        for query, shown, links in NUMBERED:
            with subtests.test(path + query):
                answer = client.get(path + query)
                assert (answer.status_code, len(answer.json())) == (200, shown)
                assert answer.headers["x-total-count"] == "7"
                assert answer.headers["x-result-count"] == str(shown)
                assert " ".join(re.findall(r'rel="(\w+)"', answer.headers.get("link", ""))) == links
                head = client.head(path + query)
                assert (head.status_code, head.content) == (200, b"")
                assert head.headers["x-total-count"] == "7"


def test_pages_of_version_4_follow_each_other(client: ApiClient, seven: list[dict[str, Any]]) -> None:
    pages = walk(client, f"{TICKETS_V4}?limit=3", "next")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one for page in pages for one in page] == [one["id"] for one in client.get(TICKETS).json()]


CURSORS = [
    ("after=abc", "after must be a cursor"),
    ("before=" + "A" * 400, "before must be a cursor"),
    ("after=eyJraW5kIjoidGlja2V0cyJ9", "after was given for other filters"),
    ("sort=name&after={cursor}", "after was given for other filters or another sort"),
    ("priority=High&after={cursor}", "after was given for other filters or another sort"),
    ("offset=1&after={cursor}", "only one of offset"),
]


def test_a_cursor_serves_its_own_list_only(
    client: ApiClient, seven: list[dict[str, Any]], subtests: pytest.Subtests
) -> None:
    address = link(client.get(f"{TICKETS}?limit=1"), "next") or ""
    for query, said in CURSORS:
        with subtests.test(query):
            answer = client.get(f"{TICKETS}?{query.format(cursor=address.rpartition('after=')[2])}")
            assert (answer.status_code, answer.json()["status"]) == (400, "400")
            assert said in answer.json()["message"]


def test_a_link_keeps_the_other_parameters(client: ApiClient, seven: list[dict[str, Any]]) -> None:
    answer = client.get(f"{TICKETS}?name.ne=%E7%BD%91,x%20y&limit=2&fields=name&offset=1")
    address = link(answer, "next") or ""
    assert address.startswith(f"{TICKETS}?name.ne=%E7%BD%91,x%20y&limit=2&fields=name&after=")
    following = client.get(address).json()
    assert [set(one) for one in following] == [{"id", "href", "@type", "name"}] * 2


def test_a_page_has_a_fixed_number_of_statements(
    client: ApiClient, service: Service, seven: list[dict[str, Any]]
) -> None:
    client.get(TICKETS)
    counts = []
    for limit in (2, 7):
        with count_statements(service) as executed:
            client.get(f"{TICKETS}?limit={limit}")
        counts.append(len(executed))
    assert counts[0] == counts[1] <= 14, counts


def test_a_large_count_is_remembered_for_some_seconds(
    client: ApiClient, seven: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_lists, "COUNTED_EXACTLY", 6)
    address = f"{TICKETS}?name.ne={uuid4()}"  # counts of other tests have other filters
    assert client.get(address).headers["x-total-count"] == "7"
    client.post(TICKETS, json=new_ticket(name="later"))
    assert client.get(address).headers["x-total-count"] == "7"
    other = f"{TICKETS}?name.ne={uuid4()}"
    assert client.get(other).headers["x-total-count"] == "8"
    small = f"{TICKETS}?name=later,{uuid4()}"
    assert client.get(small).headers["x-total-count"] == "1"
    client.post(TICKETS, json=new_ticket(name="later"))
    assert client.get(small).headers["x-total-count"] == "2"


def test_kept_counts_grow_old_and_are_few() -> None:
    kept = KeptCounts(seconds=60)
    for number in range(1_001):
        kept.keep(number, number)
    assert (kept.find(0), kept.find(1), kept.find(1_000)) == (None, 1, 1_000)
    assert KeptCounts(seconds=0).find(1) is None
    old = KeptCounts(seconds=-1)
    old.keep(1, 1)
    assert old.find(1) is None
