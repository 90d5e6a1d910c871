"""Policies side by side: which policy a complaint gets, and which policies go together (rules 4.13 to 4.15)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, PoliciesSideBySide
from tests.domain.builders import HANDBOOK, START
from tests.examples import examples

LATER, LAST = START + timedelta(days=10), START + timedelta(days=20)
SHANGHAI = ChoosingMembers("CN-31", "crm", "phone", "billing.refund")


def policy(
    code: str, version: int = 1, at: datetime = START, until: datetime | None = None, **values: str
) -> Policy:
    """A policy for complaints of these values, with blanks between them."""
    applies_to = {name: tuple(value.split()) for name, value in values.items()}
    return replace(
        HANDBOOK, code=code, version=version, effective_at=at, effective_until=until, applies_to=applies_to
    )


def beside(*policies: Policy) -> PoliciesSideBySide:
    """The policies, applied in this order."""
    applied = PoliciesSideBySide(())
    for one in policies:
        applied = applied.with_next(one)
    return applied


def faults(known: Sequence[Policy], new: Policy) -> list[str]:
    return [message for _, message in beside(*known, new).faults_of(new)]


GENERAL = policy("general")


@pytest.mark.parametrize(
    ("further", "closer", "chosen_by"),
    [
        ({"region": "CN-11"}, None, {}),
        ({"region": "CN-31"}, None, {"region": "CN-31"}),
        ({"category": "billing"}, None, {"category": "billing"}),
        ({"category": "billing"}, {"category": "billing.refund network"}, {"category": "billing.refund"}),
        ({"region": "CN-31"}, {"source": "crm", "channel": "phone"}, {"source": "crm", "channel": "phone"}),
        ({"source": "crm"}, {"region": "CN-11 CN-31"}, {"region": "CN-31"}),
        ({"channel": "phone"}, {"source": "crm"}, {"source": "crm"}),
        ({"category": "billing.refund"}, {"channel": "phone"}, {"channel": "phone"}),
        (
            {"region": "CN-31", "category": "billing"},
            {"region": "CN-31", "category": "billing.refund"},
            {"region": "CN-31", "category": "billing.refund"},
        ),
        (
            {"source": "crm", "channel": "phone", "category": "billing"},
            {"region": "CN-31", "source": "crm", "category": "billing"},
            {"region": "CN-31", "source": "crm", "category": "billing"},
        ),
    ],
)
def test_rule_4_14_the_policy_that_fits_most_closely_is_chosen(
    further: dict[str, str], closer: dict[str, str] | None, chosen_by: dict[str, str]
) -> None:
    known = [GENERAL, policy("further", **further), *([policy("closer", **closer)] if closer else [])]
    expected = "closer" if closer else "further" if chosen_by else "general"
    for order in (known, known[::-1]):
        choice = beside(*order).choose(START, SHANGHAI)
        assert (choice.policy.code, choice.chosen_by) == (expected, chosen_by)
    assert beside(*known).choose(START, ChoosingMembers()).policy.code == "general"


def test_rule_4_13_versions_count_within_their_code_and_general_policies_take_over() -> None:
    shanghai, wider = policy("shanghai", region="CN-31"), policy("shanghai", 2, LATER, region="CN-32")
    known = beside(
        GENERAL, shanghai, wider, policy("other", at=LAST), policy("jiangsu", at=LAST, region="CN-31")
    )
    east = ChoosingMembers("CN-31"), ChoosingMembers("CN-32")

    def chosen(at: datetime) -> list[tuple[str, int]]:
        return [(c.policy.code, c.policy.version) for c in (known.choose(at, members) for members in east)]

    assert chosen(LATER - timedelta(microseconds=1)) == [("shanghai", 1), ("general", 1)]
    assert chosen(LATER) == [("general", 1), ("shanghai", 2)]
    assert chosen(LAST) == [("jiangsu", 1), ("shanghai", 2)]
    assert known.general_at(LAST).code == "other"
    assert chosen(START - timedelta(days=999)) == [
        ("general", 1),
        ("general", 1),
    ]  # the first holds before it is
    in_force = [(p.code, p.version) for p in known.in_order if known.is_in_force(p, LATER)]
    assert in_force == [("general", 1), ("shanghai", 2)]
    codes = [(p.code, p.version) for p in known.list_now_or_later(LATER)]
    assert codes == [("general", 1), ("shanghai", 2), ("other", 1), ("jiangsu", 1)]


def test_rule_4_13_a_policy_for_some_complaints_may_end() -> None:
    ended = policy("shanghai", until=LATER, region="CN-31")
    known = beside(GENERAL, ended)
    assert known.choose(LATER - timedelta(microseconds=1), SHANGHAI).policy is ended
    assert known.choose(LATER, SHANGHAI).policy is GENERAL
    assert faults([GENERAL, ended], policy("east", at=LATER, region="CN-31")) == []


@pytest.mark.parametrize(
    ("new", "shown"),
    [
        (policy("new", region="CN-31"), "region 'CN-31'"),
        (policy("new", at=LATER, region="CN-11 CN-31"), "region 'CN-31'"),
        (policy("new", at=START - timedelta(days=9), region="CN-31"), "region 'CN-31'"),
        (policy("new", region="CN-32"), None),
        (policy("new", region="CN-31", category="billing"), None),
        (policy("new", source="crm"), None),
        (policy("new", at=LAST, region="CN-31"), None),
        (policy("new", at=START - timedelta(days=9), until=START, region="CN-31"), None),
        (policy("known", 2, LATER, region="CN-31"), None),
    ],
)
def test_rule_4_15_two_that_fit_equally_do_not_go_together(new: Policy, shown: str | None) -> None:
    known = [GENERAL, policy("known", until=LAST, region="CN-31")]
    found = faults(known, new)
    if shown is None:
        assert found == []
    else:
        [message] = found
        assert f"{shown} as closely as policy 'known' version 1" in message


def test_rule_4_15_some_policy_always_fits_every_complaint() -> None:
    limited = policy("general", 2, LATER, region="CN-31")
    assert "without a policy" in faults([], policy("first", region="CN-31"))[0]
    assert LATER.isoformat() in faults([GENERAL], limited)[0]
    assert faults([GENERAL, policy("other", at=LAST)], limited) != []  # nobody in between
    assert faults([GENERAL, policy("other", at=LATER)], limited) == []
    assert faults([GENERAL], policy("shanghai", region="CN-31")) == []


# Any number of policies that were accepted one after the other.
_values = {
    "region": ["CN-31", "CN-32", "CN-31 CN-32"],
    "source": ["crm", "web"],
    "channel": ["phone", "phone app"],
    "category": ["billing", "billing.refund", "network billing.refund"],
}
_some = st.fixed_dictionaries({}, optional={name: st.sampled_from(known) for name, known in _values.items()})
_instants = st.sampled_from([START, LATER, LAST])
_members = [
    ChoosingMembers(*values)
    for values in product(
        ("CN-31", "CN-32", None),
        ("crm", None),
        ("phone", "app"),
        ("billing", "billing.refund", "network", None),
    )
]


@given(st.lists(st.tuples(st.sampled_from("abcd"), _instants, _some), max_size=8))
@settings(max_examples=examples(60))
def test_rules_4_20_to_4_22_one_policy_is_closest_whatever_was_applied(
    asked: list[tuple[str, datetime, dict[str, str]]],
) -> None:
    applied = [GENERAL]
    for number, (code, at, values) in enumerate(asked):
        new = policy(code, number + 2, at, **values)
        if not faults(applied, new):
            applied.append(new)
    known = beside(*applied)
    for at, members in product((START, LATER, LAST), _members):
        choice = known.choose(at, members)
        assert known.is_in_force(choice.policy, at)
        rivals = [
            p for p in applied if known.is_in_force(p, at) and p is not choice.policy and _fits(p, members)
        ]
        assert all(_rank(choice.policy, members) > _rank(rival, members) for rival in rivals)


def _fits(one: Policy, members: ChoosingMembers) -> bool:
    """By the words of rule 4.14: each member that is named has one of its values."""
    own = members._asdict()
    own["category"] = [members.category, (members.category or "").partition(".")[0]]
    return all(
        set(values) & {*(own[name] if isinstance(own[name], list) else [own[name]])}
        for name, values in one.applies_to.items()
    )


def _rank(one: Policy, members: ChoosingMembers) -> str:
    """By the words of rule 4.14, as a text that sorts: the number of members, then each of them, then the leaf."""
    named = "".join("1" if name in one.applies_to else "0" for name in members._fields)
    leaf = int("." in (members.category or "") and members.category in one.applies_to.get("category", ()))
    return f"{len(one.applies_to)}{named}{leaf}"
