"""Classification, priority and routing (domain §5)."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.policy.categories import Category, check_category, classify, make_code, make_name
from complaints.domain.policy.policy import Policy, PriorityRule, Route
from complaints.domain.rules.routing import derive_priority, raise_priority, route
from complaints.domain.time.working_time import Target, Unit
from complaints.domain.vocabulary import Cause, Channel, Nature, Priority, Severity
from complaints.use_cases.upkeep.seeding import load_seed_data

TREE = {category.code: category for category in load_seed_data().categories}
TEAMS = ("operations", "customer_service", "management")
RULE = PriorityRule(
    from_severity={
        Severity.CRITICAL: Priority.URGENT,
        Severity.HIGH: Priority.HIGH,
        Severity.NORMAL: Priority.NORMAL,
        Severity.LOW: Priority.LOW,
    },
    raised_by=frozenset({"vulnerable", "repeat", "regulator"}),
    repeat_window_days=30,
)
BY_CAUSE = (
    Route("operations", cause=Cause.TECHNICAL),
    Route("customer_service", cause=Cause.SERVICE),
    Route("management", cause=Cause.MANAGEMENT),
)


def policy(*routes: Route) -> Policy:
    week = Target(7, Unit.CALENDAR_DAYS)
    return Policy(
        code="p",
        version=1,
        title={},
        effective_at=datetime(2026, 1, 1, tzinfo=UTC),
        timezone="Asia/Shanghai",
        phone_region="CN",
        calendars={},
        rules={},
        priorities=RULE,
        follow_ups={},
        closure=week,
        contact_match_days=7,
        unreachable_retry=week,
        unreachable_attempts=3,
        hold_maximum=week,
        reopen_window=week,
        routes=routes,
        default_team="desk",
        early_close_roles=frozenset(),
        acknowledgement={},
    )


# Categories -------------------------------------------------------------------------------------------------

LEAVES = {  # rule 5.2
    "network": "outage slow coverage voice",
    "billing": "wrong_charge unexplained refund",
    "marketing": "misleading unsolicited",
    "service": "attitude slow_response unkept_promise",
    "provisioning": "install_delay cancellation porting",
    "terms": "dispute unauthorised_subscription",
    "security": "fraud data_leak",
    "device": "fault after_sales",
    "other": "other",
}


def test_the_seeded_tree_is_that_of_the_rule_book() -> None:
    # rule 5.2
    expected = [
        code
        for parent, leaves in LEAVES.items()
        for code in (parent, *(f"{parent}.{x}" for x in leaves.split()))
    ]
    assert [category.code for category in load_seed_data().categories] == expected
    for category in load_seed_data().categories:
        check_category(category, TREE, teams=TEAMS)


def test_every_seeded_leaf_has_cause_nature_and_the_team_of_its_cause() -> None:
    # rule 5.1
    # rule 5.2
    teams = dict(zip(Cause, TEAMS, strict=True))
    for leaf in (category for category in load_seed_data().categories if category.parent):
        assert leaf.nature is not None
        assert leaf.cause is not None
        assert leaf.team == teams[leaf.cause]


def test_a_leaf_is_classified_by_itself() -> None:
    assert classify("network.coverage", TREE) == TREE["network.coverage"]


def test_no_category_is_none() -> None:
    assert classify(None, TREE) is None


@pytest.mark.parametrize(
    ("code", "cause", "nature", "team"),
    [
        ("network", Cause.TECHNICAL, None, "operations"),  # coverage is environment, the others technical
        ("terms", Cause.MANAGEMENT, Nature.PROCESS, "management"),
        ("device", None, None, None),
    ],
)
def test_a_parent_alone_is_what_its_children_agree_on(
    code: str, cause: Cause | None, nature: Nature | None, team: str | None
) -> None:
    # rule 5.2
    category = classify(code, TREE)
    assert category is not None
    assert (category.code, category.cause, category.nature, category.team) == (code, cause, nature, team)


def test_children_no_longer_in_use_have_no_say() -> None:
    tree = {**TREE, "network.coverage": replace(TREE["network.coverage"], active=False)}
    category = classify("network", tree)
    assert category is not None
    assert category.nature is Nature.TECHNICAL


def test_a_parent_may_say_it_itself() -> None:
    tree = {**TREE, "network": replace(TREE["network"], cause=Cause.SERVICE, team="desk")}
    category = classify("network", tree)
    assert category is not None
    assert (category.cause, category.team) == (Cause.SERVICE, "desk")


def test_a_parent_without_children_stays_open() -> None:
    tree = {"new": Category("new", None, {"en": "New", "zh": "新"})}
    category = classify("new", tree)
    assert category is not None
    assert (category.cause, category.nature, category.team) == (None, None, None)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("network.outrage", "did you mean 'network.outage'?"),
        ("", "there is no category"),
        ("x" * 5000, "there is no category"),
        ("network.", "there is no category"),
        ("Network.Outage", "there is no category"),
    ],
)
def test_an_unknown_category_is_refused(code: str, message: str) -> None:
    # rule 5.2
    with pytest.raises(InvalidContent) as refused:
        classify(code, TREE, pointer="/set/category")
    (fault,) = refused.value.faults
    assert fault.pointer == "/set/category"
    assert message in fault.message
    assert len(fault.message) < 200


@pytest.mark.parametrize("retired", ["network", "network.outage"])
def test_a_category_no_longer_in_use_is_refused(retired: str) -> None:
    tree = {**TREE, retired: replace(TREE[retired], active=False)}
    with pytest.raises(InvalidContent, match="no longer in use"):
        classify("network.outage", tree)


LEAF = Category(
    "network.roaming", "network", {"en": "Roaming", "zh": "漫游"}, Cause.TECHNICAL, Nature.TECHNICAL
)


@pytest.mark.parametrize(
    "category",
    [
        LEAF,
        replace(LEAF, team="operations"),
        Category("roaming", None, {"en": "Roaming", "zh": "漫游"}),
        Category("roaming2", None, {"en": "Roaming", "zh": "漫游", "fr": "Itinérance"}, Cause.SERVICE),
    ],
)
def test_a_good_category_may_be_saved(category: Category) -> None:
    check_category(category, TREE, teams=TEAMS)


@pytest.mark.parametrize(
    ("category", "pointers"),
    [
        (replace(LEAF, code="network.Roaming"), ["/code"]),
        (replace(LEAF, code="network.roaming.eu"), ["/code", "/parent"]),
        (replace(LEAF, code="roaming"), ["/parent"]),
        (replace(LEAF, parent=None), ["/parent"]),
        (replace(LEAF, code="mobile.roaming", parent="mobile"), ["/parent"]),
        (replace(LEAF, names={"en": "Roaming"}), ["/names"]),
        (replace(LEAF, names={"en": " ", "zh": "漫游"}), ["/names"]),
        (replace(LEAF, cause=None, nature=None), ["/cause", "/nature"]),
        (replace(LEAF, team="nobody"), ["/team"]),
    ],
)
def test_a_bad_category_is_refused_with_every_fault(category: Category, pointers: list[str]) -> None:
    with pytest.raises(InvalidContent) as refused:
        check_category(category, TREE, teams=TEAMS)
    assert [fault.pointer for fault in refused.value.faults] == pointers


# Priority ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "priority"),
    [
        (Severity.CRITICAL, Priority.URGENT),
        (Severity.HIGH, Priority.HIGH),
        (Severity.NORMAL, Priority.NORMAL),
        (Severity.LOW, Priority.LOW),
    ],
)
def test_priority_follows_severity(severity: Severity, priority: Priority) -> None:
    # rule 5.4
    derived = derive_priority(RULE, severity=severity, vulnerable=False, repeat=False, channel=Channel.PHONE)
    assert derived is priority


@pytest.mark.parametrize(
    ("vulnerable", "repeat", "channel"), list(product((False, True), (False, True), Channel))
)
def test_each_reason_raises_one_level(vulnerable: bool, repeat: bool, channel: Channel) -> None:
    # rule 5.4
    levels = vulnerable + repeat + (channel is Channel.REGULATOR)
    derived = derive_priority(
        RULE, severity=Severity.LOW, vulnerable=vulnerable, repeat=repeat, channel=channel
    )
    assert derived is (Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.URGENT)[levels]


def test_priority_is_capped_at_urgent() -> None:
    # rule 5.4
    derived = derive_priority(
        RULE, severity=Severity.HIGH, vulnerable=True, repeat=True, channel=Channel.REGULATOR
    )
    assert derived is Priority.URGENT


@pytest.mark.parametrize("reason", ["vulnerable", "repeat", "regulator"])
def test_only_the_reasons_of_the_policy_raise(reason: str) -> None:
    rule = replace(RULE, raised_by=frozenset({reason}))
    derived = derive_priority(
        rule, severity=Severity.LOW, vulnerable=True, repeat=True, channel=Channel.REGULATOR
    )
    assert derived is Priority.NORMAL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Priority.LOW, Priority.NORMAL),
        (Priority.NORMAL, Priority.HIGH),
        (Priority.HIGH, Priority.URGENT),
        (Priority.URGENT, Priority.URGENT),
    ],
)
def test_raising_a_priority(before: Priority, after: Priority) -> None:
    assert raise_priority(before) is after


# Routing ----------------------------------------------------------------------------------------------------

OUTAGE = TREE["network.outage"]
UNROUTED = replace(OUTAGE, team=None)


def test_no_category_yet_goes_to_the_default_team() -> None:
    # rule 5.5
    assert route(policy(*BY_CAUSE), category=None, region="CN-31") == "desk"


@pytest.mark.parametrize(
    ("cause", "team"), list(zip((Cause.TECHNICAL, Cause.SERVICE, Cause.MANAGEMENT), TEAMS, strict=True))
)
def test_a_category_without_team_is_routed_by_its_cause(cause: Cause, team: str) -> None:
    # rule 5.5
    assert route(policy(*BY_CAUSE), category=replace(UNROUTED, cause=cause), region=None) == team


def test_a_category_with_a_team_goes_there_before_its_cause() -> None:
    # rule 5.5
    assert route(policy(*BY_CAUSE), category=replace(OUTAGE, team="noc"), region=None) == "noc"


@pytest.mark.parametrize(
    ("routes", "region", "team"),
    [
        ((Route("a", category="network.outage"),), None, "a"),
        ((Route("a", category="network"),), None, "a"),
        ((Route("a", category="net"),), None, "operations"),
        ((Route("a", region="CN-31"),), "CN-31", "a"),
        ((Route("a", region="CN-31"),), "CN-11", "operations"),
        ((Route("a", region="CN-31"),), None, "operations"),
        ((Route("a", category="network", region="CN-31"),), "CN-31", "a"),
        ((Route("a", category="network", region="CN-31"),), "CN-11", "operations"),
        ((Route("a", cause=Cause.SERVICE, region="CN-31"),), "CN-31", "operations"),
        ((Route("a", category="network"), Route("b", category="network.outage")), None, "a"),
        ((Route("a", cause=Cause.TECHNICAL), Route("b", category="network")), None, "b"),
        ((Route("a", cause=Cause.TECHNICAL),), None, "operations"),
    ],
)
def test_routes_by_category_and_region_go_before_the_categorys_team(
    routes: tuple[Route, ...], region: str | None, team: str
) -> None:
    # rule 5.5
    assert route(policy(*routes), category=OUTAGE, region=region) == team


def test_a_cause_found_to_be_another_routes_a_category_without_team() -> None:
    assert route(policy(*BY_CAUSE), category=UNROUTED, region=None, cause=Cause.MANAGEMENT) == "management"


def test_a_cause_alone_routes_what_has_no_category() -> None:
    assert route(policy(*BY_CAUSE), category=None, region=None, cause=Cause.MANAGEMENT) == "management"


def test_rule_5_1_the_causes_and_the_natures() -> None:
    assert list(Cause) == ["technical", "service", "management"]
    assert list(Nature) == ["technical", "process", "personnel", "environment"]


def test_rule_5_3_the_channels() -> None:
    of_contact = ["phone", "web", "app", "email", "sms", "social", "on_site", "letter"]
    assert list(Channel) == [*of_contact, "regulator", "import", "api"]


@pytest.mark.parametrize(
    ("name", "taken", "code"),
    [
        ("Bill Dispute", (), "bill_dispute"),
        ("Bill Dispute", ("bill_dispute",), "bill_dispute_2"),
        ("bill  dispute!", ("bill_dispute", "bill_dispute_2"), "bill_dispute_3"),
        ("Überweisung", (), "uberweisung"),
        ("2G outage", (), "specification_2g_outage"),
        ("账单争议", (), "specification_1"),
        ("42", ("specification_1",), "specification_2"),
        ("", (), "specification_1"),
        ("x" * 100, (), "x" * 63),
        ("x" * 100, ("x" * 63,), "x" * 61 + "_2"),
        ("a." + "b" * 100, (), "a_" + "b" * 61),
    ],
)
def test_a_code_is_made_from_a_name(name: str, taken: tuple[str, ...], code: str) -> None:
    assert make_code(name, taken) == code
    check_category(Category(code, None, {"en": "a", "zh": "b"}), {}, teams=())


@pytest.mark.parametrize(
    ("text", "name"),
    [("Bill", "Bill"), ("x" * 201, "x" * 200), ("", "bill"), (" \u200b", "bill"), (" " * 200 + "x", "bill")],
)
def test_a_category_has_a_name_whatever_the_text(text: str, name: str) -> None:
    assert make_name(text, "bill") == name
