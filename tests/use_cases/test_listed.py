"""A list made from rows shows the same bytes as a list made from facts."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from complaints.api.complaints.json_shapes import complaint_json
from complaints.domain.complaint.facts import Complaint
from complaints.domain.errors import ComplaintError
from complaints.domain.json_text import encode
from complaints.domain.rules.lifecycle import legal_actions
from complaints.domain.rules.reach import UserReach
from complaints.domain.staff import Directory, User
from complaints.domain.vocabulary import AccessRole, Action, LinkType, Priority, Status, UserScope
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Order, SortKey
from complaints.storage.queries.complaint_lists import find_page
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.complaints import AddLink
from complaints.use_cases.complaints import listed, lists, notes_and_links
from complaints.use_cases.complaints.filters import ComplaintFilter, filters_of
from complaints.use_cases.complaints.views import view_all
from tests.examples import examples
from tests.support import Scenario

REACH = UserReach(User("admin", "Admin", scope=UserScope.ALL), Directory({}, {}, {}))
CALLERS = [
    Caller("c", frozenset(roles), source, login, REACH)
    for roles, source, login in (
        ({AccessRole.SUPERVISOR}, "s", "admin"),
        ({AccessRole.AGENT}, "s", "admin"),
        ({AccessRole.INTAKE}, "north", None),
        ({AccessRole.INTAKE, AccessRole.AUDITOR}, "south", None),
        ({AccessRole.MANAGER, AccessRole.ADMIN}, "s", "admin"),
    )
]
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"overdue": True},
    {"overdue": False, "priority": Priority.NORMAL},
    {"status": [Status.FOLLOWING_UP, Status.ON_HOLD, Status.CLOSED]},
    {"team": "operations"},
)
STRAIGHT = (Action.RESPOND, Action.RESOLVE, Action.NOTIFY_RESULT, Action.CLOSE, Action.REOPEN)
TOLD = {"message": "A word.", "contact_channel": "phone"}


def _post(scenario: Scenario, chance: Random, n: int) -> Complaint:
    person = {"name": "李小明", "phone": f"138000000{n:02d}", "vulnerable": n % 5 == 0}
    choices: dict[str, Any] = {
        "complainant": person,
        "reporter": {"email": "neighbour@example.org", "preferred_contact": "email"},
        "attributes": {"line": n, "deep": {"ü": [1, None, 2.5]}},
        "tags": ["vip", "press"],
        "category": "network.outage",
        "region": "CN-31",
        "service": {"type": "fibre", "id": f"F{n}"},
        "description": "Since Monday.\n没有信号",
        "external_id": f"E{n}",
    }
    members = {name: value for name, value in choices.items() if chance.random() < 0.5}
    severity = chance.choice(("low", "normal", "high", "critical"))
    return scenario.post(source=chance.choice(("north", "south")), severity=severity, **members)


def _act(
    scenario: Scenario, chance: Random, complaint: Complaint, others: list[Complaint], wanted: Action | None
) -> None:
    """Take the wanted action, or any that the status allows. A guard may still refuse it."""
    result = {"resolution": "Repaired.", "cause": "technical", "root_cause": "fibre"}
    granted = {"amount": "12.50", "currency": "CNY"}
    members: dict[Action, dict[str, Any]] = {
        Action.RESPOND: TOLD,
        Action.HOLD: {"reason": "awaiting_complainant", "until": scenario.now() + timedelta(days=2)},
        Action.RESUME: {},
        Action.RESOLVE: {**result, "outcome": "upheld", "compensation": chance.choice((None, granted))},
        Action.NOTIFY_RESULT: TOLD,
        Action.RECORD_CONTACT: {"outcome": chance.choice(("solved", "not_solved")), "csat": 4, "nps": 9},
        Action.CLOSE: {"early": True, **TOLD},
        Action.REJECT: {"reason": "Not ours.", **TOLD},
        Action.WITHDRAW: {"reason": "It works."},
        Action.REOPEN: {"reason": "Again."},
        Action.MERGE: {"into": str(chance.choice(others).id)},
    }
    legal = [action for action in members if action in legal_actions(scenario.load(complaint).status)]
    if action := wanted or (chance.choice(legal) if legal else None):
        with suppress(ComplaintError):
            scenario.act(complaint, action, **members[action])


def _live(scenario: Scenario, chance: Random) -> None:
    """Complaints of which every one has had a life of its own; at the end, no sweep has run for a while."""
    made = [_post(scenario, chance, n) for n in range(20)]
    for n, complaint in enumerate(made):
        for step in range(n % 8):
            _act(scenario, chance, complaint, made, STRAIGHT[step] if n <= len(STRAIGHT) else None)
        if n % 6 == 0:
            scenario.advance(hours=chance.choice((1, 20, 60)))
        if n % 4 == 0:
            _link(scenario, complaint, made[n - 1])
    scenario.jump(hours=chance.choice((0, 3, 30)))


def _link(scenario: Scenario, complaint: Complaint, other: Complaint) -> None:
    command = AddLink(type=LinkType.RELATED, complaint_id=str(other.id))
    service = scenario.service
    with suppress(ComplaintError):
        service.write(
            lambda tx: notes_and_links.add_link(service, tx, scenario.caller, str(complaint.id), command)
        )


def _slowly(scenario: Scenario, tx: Transaction, caller: Caller, asked: ComplaintFilter, order: Order) -> Any:
    filters = filters_of(scenario.service, tx, caller, asked)
    page = find_page(tx, filters, order, after=None, limit=50)
    views = view_all(scenario.service, tx, caller, page.complaints, linked=page.linked)
    return [complaint_json(view.parts) for view in views]


@pytest.mark.parametrize("seed", range(examples(1)))
def test_a_list_shows_the_same_from_rows_as_from_facts(scenario: Scenario, seed: int) -> None:
    _live(scenario, Random(seed))
    service, seen = scenario.service, Counter[str]()
    for caller, asked, key in product(CALLERS, FILTERS, SortKey):
        wanted, order = ComplaintFilter.model_validate(asked), Order(key, descending=seed % 2 == 0)

        def compare(
            tx: Transaction, caller: Caller = caller, wanted: ComplaintFilter = wanted, order: Order = order
        ) -> None:
            found, _ = lists.list_complaints(service, tx, caller, wanted, order, after=None, limit=50)
            shown = [complaint_json(parts) for parts in found]
            slow = _slowly(scenario, tx, caller, wanted, order)
            assert encode(shown) == encode(slow)
            assert len(shown) == len(slow)
            seen.update(item["status"] for item in shown)
            seen["linked"] += sum(bool(item["links"]) for item in shown)

        service.read(compare)

    assert {"received", "following_up", "closed", "linked"} <= seen.keys()
    assert len(seen) >= 6


def test_facts_are_made_only_of_complaints_that_must_be_judged(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []
    facts_of = listed.facts_of

    def note(tx: Transaction, rows: Any) -> Any:
        judged.extend(row.subject for row in rows)
        return facts_of(tx, rows)

    monkeypatch.setattr(listed, "facts_of", note)
    scenario.post(subject="a step is due")
    scenario.jump(days=1)
    scenario.post(subject="at rest")
    ended = scenario.post(subject="ended")
    scenario.act(ended, "withdraw", reason="It works.")
    found, _ = scenario.service.read(
        lambda tx: lists.list_complaints(
            scenario.service, tx, SYSTEM, ComplaintFilter(), Order(SortKey.RECEIVED_AT), after=None, limit=50
        )
    )

    assert [parts.members["subject"] for parts in found] == ["a step is due", "at rest", "ended"]
    assert judged == ["a step is due", "ended"]
