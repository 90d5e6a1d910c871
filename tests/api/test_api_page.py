"""docs/api.md says what the product does: its table of actions, its statuses, and its examples, which are sent."""

import json
import re
from typing import Any

from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import Action, Status
from complaints.storage.rows.idempotency import KEPT
from complaints.use_cases.commands.complaints import TRANSITIONS
from tests.api_client import ApiClient
from tests.generate import ROOT

PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| (.+) \|$", re.MULTILINE)


def section(title: str) -> str:
    """The text below a heading of the page."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, list[str]]:
    """The cells of the first table below a heading, by the word in the first cell."""
    return {name: rest.split(" | ") for name, rest in ROW.findall(section(title))}


def names(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([a-z_]+)`", cell))


def test_the_table_of_actions_names_every_member_of_every_action() -> None:
    shown = {name: (names(needs), names(may)) for name, (needs, may, _) in rows("The actions").items()}
    assert shown == {
        action: (transition.required_members() or transition.any_of, transition.optional_members())
        for action, transition in TRANSITIONS.items()
    }
    assert list(shown) == list(Action)


def test_every_status_is_explained_and_mirrored() -> None:
    assert list(rows("Life of a complaint")) == list(Status)
    assert list(rows("Mirroring a CRM")) == list(Status)


def test_answers_are_kept_as_long_as_the_page_promises() -> None:
    assert "at least 24 hours" in section("Retries")
    assert KEPT.total_seconds() >= 24 * 3600


def test_the_numbers_of_the_page_are_the_first_two() -> None:
    shown = re.findall(r"after `(C[0-9]+)` is `(C[0-9]+)`", PAGE)
    assert shown == [(number_of(1), number_of(2))]


def test_the_first_call_and_a_case_closed_in_the_crm_work_as_written(client: ApiClient) -> None:
    first: dict[str, Any] = json.loads(section("The first call").partition("-d '")[2].partition("'\n")[0])
    made = client.post("/v1/complaints", json=first, headers={"Idempotency-Key": "call-88123"})
    assert made.status_code == 201, made.text
    steps = [
        json.loads(text) for text in re.findall(r"```json\n(.+?)```", section("Mirroring a CRM"), re.DOTALL)
    ]
    assert [step["action"] for step in steps] == ["resolve", "notify_result", "close"]
    path = f"/v1/complaints/{made.json()['number']}/transitions"
    for again in ("false", "true"):
        for step in steps:
            answer = client.post(path, json=step, headers={"Idempotency-Key": f"case-1/{step['action']}"})
            assert answer.status_code == 200, answer.text
            assert answer.headers.get("idempotency-replayed", "false") == again
    assert answer.json()["status"] == "closed"
