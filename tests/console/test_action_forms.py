"""The controls of the forms of actions, from the models that validate them, and the members from sent forms."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale, read_texts
from complaints.console.pages.action_commands import FORM_ACTIONS
from complaints.console.views.action_forms import (
    NOBODY,
    Choice,
    Control,
    ControlKind,
    FormPlan,
    digest_of,
    make_controls,
    read_changed_members,
    read_local,
    read_members,
)
from complaints.console.views.answer_templates import FILLED
from complaints.domain.errors import InvalidContent
from complaints.use_cases.complaints.available_actions import read_requirements

ENGLISH = Locale(Language.ENGLISH, "Asia/Shanghai")
SHANGHAI = {"zone": "Asia/Shanghai"}


def _controls(action: str, **plan: Any) -> dict[str, Control]:
    requirements = read_requirements(FORM_ACTIONS[action].model)
    return {one.name: one for one in make_controls(requirements, FormPlan(action, **plan), ENGLISH)}


def _members(action: str, **typed: str) -> dict[str, Any]:
    return read_members(_controls(action).values(), lambda name: (SHANGHAI | typed).get(name, ""))


def test_every_member_of_every_action_has_a_control_with_words(subtests: pytest.Subtests) -> None:
    for action in FORM_ACTIONS:
        for language in Language:
            with subtests.test(f"{action} {language}"):
                requirements = read_requirements(FORM_ACTIONS[action].model)
                left_out = frozenset({"attributes", "external_ids"})
                controls = make_controls(
                    requirements, FormPlan(action, left_out=left_out), Locale(language, "UTC")
                )
                words = read_texts(language).actions
                assert {one.name.partition(".")[0] for one in controls} == {
                    one.name for one in requirements
                } - left_out
                for one in controls:
                    assert one.label != one.name, one.name
                    shown = {choice.label for choice in one.choices if not choice.value.isdigit()}
                    assert language is Language.ENGLISH or not any(label.isascii() for label in shown), shown
                assert action in words.done
                assert action in words.others or action in read_texts(language).words.action


@pytest.mark.parametrize(
    ("action", "name", "kind", "required"),
    [
        ("respond", "message", ControlKind.TEXT, True),
        ("respond", "contact_channel", ControlKind.SELECT, True),
        ("hold", "until", ControlKind.INSTANT, True),
        ("resolve", "root_cause", ControlKind.TEXT, False),
        ("resolve", "compensation.amount", ControlKind.DECIMAL, False),
        ("resolve", "compensation.currency", ControlKind.LINE, False),
        ("record_contact", "csat", ControlKind.SELECT, False),
        ("close", "early", ControlKind.SWITCH, False),
        ("edit", "tags", ControlKind.TAGS, False),
        ("edit", "complainant.vulnerable", ControlKind.SWITCH, False),
        ("edit", "subject", ControlKind.LINE, False),
        ("merge", "into", ControlKind.LINE, True),
    ],
)
def test_the_schema_decides_on_the_control(action: str, name: str, kind: ControlKind, required: bool) -> None:
    control = _controls(action)[name]
    assert (control.kind, control.required) == (kind, required)


def test_limits_and_words_come_with_the_control() -> None:
    assert _controls("respond")["message"].longest == 10_000
    assert [one.value for one in _controls("record_contact")["nps"].choices] == [str(n) for n in range(11)]
    assert _controls("hold")["reason"].choices[0] == Choice(
        "awaiting_complainant", "Waiting for the complainant"
    )
    many = {"assignee": [Choice(f"u{n}", f"User {n}") for n in range(301)]}
    suggested = _controls("assign", choices=many)["assignee"]
    assert (suggested.kind, len(suggested.choices)) == (ControlKind.SUGGEST, 300)
    assert _controls("edit", kept=frozenset({"subject"}))["subject"].required


@pytest.mark.parametrize(
    ("action", "typed", "members"),
    [
        ("hold", {"reason": "outage", "until": "2026-01-06T09:15"}, {"until": "2026-01-06T01:15:00+00:00"}),
        ("record_contact", {"outcome": "solved", "csat": "5", "nps": "0"}, {"csat": 5, "nps": 0}),
        ("record_contact", {"outcome": "solved", "csat": "many"}, {"csat": "many"}),
        (
            "resolve",
            {"compensation.amount": "12.50", "compensation.currency": "CNY"},
            {"compensation": {"amount": "12.50", "currency": "CNY"}},
        ),
        ("close", {"early": "true"}, {"early": True}),
        ("assign", {"assignee": NOBODY}, {"assignee": None}),
        ("assign", {"team": "007"}, {"team": "007"}),
    ],
)
def test_a_form_becomes_the_members_of_its_command(
    action: str, typed: dict[str, str], members: dict[str, Any]
) -> None:
    found = _members(action, **typed)
    assert found == {name: value for name, value in typed.items() if "." not in name} | members


def test_only_what_the_reader_changed_is_sent() -> None:
    seen = {
        "subject": "No signal",
        "description": "Old",
        "tags": "a",
        "complainant.name": "Li",
        "complainant.vulnerable": "true",
    }
    was = {f"was.{name}": digest_of(value) for name, value in seen.items()}
    typed = {
        **seen,
        "description": "",
        "tags": "a, b，c",
        "complainant.name": "Li Wei",
        "complainant.vulnerable": "",
        "region": "CN-31",
    }
    found = read_changed_members(_controls("edit").values(), lambda name: (typed | was).get(name, ""))
    assert found == {
        "description": None,
        "tags": ["a", "b", "c"],
        "complainant": {"name": "Li Wei", "vulnerable": False},
    }


@pytest.mark.parametrize(
    ("typed", "zone", "expected"),
    [
        ("2026-01-06T09:15", "Asia/Shanghai", datetime(2026, 1, 6, 1, 15, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # comes twice
        ("2026-03-29T02:30", "Europe/Berlin", "names a time that does not exist"),
        ("tomorrow", "UTC", "must be a date and a time"),
        ("2026-01-06T09:15Z", "UTC", "must be a date and a time"),
        ("0001-01-01T00:00", "Asia/Shanghai", "must be a date and a time"),
    ],
)
def test_a_local_time_is_an_instant_of_the_zone_in_which_it_was_typed(
    typed: str, zone: str, expected: datetime | str
) -> None:
    if isinstance(expected, str):
        with pytest.raises(InvalidContent, match=expected) as refused:
            read_local("due_at", typed, zone)
        assert refused.value.faults[0].pointer == "/due_at"
        return
    assert read_local("due_at", typed, zone) == expected
    later = expected + timedelta(days=2)
    shown = Locale(Language.ENGLISH, zone).local(later)
    assert read_local("due_at", f"{shown:%Y-%m-%dT%H:%M}", zone) == later


@pytest.mark.parametrize("language", Language)
def test_every_template_fills_a_member_of_its_action(language: Language) -> None:
    answers = read_texts(language).answers
    actions = set(answers) - {"soon", "list_mark"}
    assert actions == set(FILLED)
    for action in actions:
        assert FILLED[action] in FORM_ACTIONS[action].model.model_fields
        assert all(code.name and code.text for code in (answers[action][key] for key in answers[action]))
