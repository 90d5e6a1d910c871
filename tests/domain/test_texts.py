"""The texts of an event: which members are texts, the second form, and what stands in their place."""

import hashlib
from typing import Any

import pytest

from complaints.domain.complaint.members import PLAIN_MEMBERS, PlainKind
from complaints.domain.complaint.texts import (
    ERASED,
    TEXT_NAMES,
    EventTexts,
    find_text_faults,
    hide_texts,
    join_texts,
    split_texts,
    take_texts_out,
)
from complaints.domain.vocabulary import EventType

SALT = bytes(range(16))
FREE = (PlainKind.TEXT, PlainKind.TAGS, PlainKind.ATTRIBUTES)
UPDATED = EventType.UPDATED


def split(data: dict[str, Any], event_type: EventType = UPDATED) -> tuple[dict[str, Any], EventTexts | None]:
    return split_texts(event_type, data, lambda: SALT)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("subject", "没有信号", "没有信号"),
        ("description", "x", "x"),
        ("resolution", "x", "x"),
        ("root_cause", "x", "x"),
        ("message", "x", "x"),
        ("note", "x", "x"),
        ("text", "x", "x"),
        ("reason", "x", "x"),
        ("service_id", "13800000000", "13800000000"),
        ("tags", ["vip", "b"], '["vip","b"]'),
        ("attributes", {"b": 1, "a": {"digest": "x"}}, '{"a":{"digest":"x"},"b":1}'),
    ],
)
@pytest.mark.parametrize("inside", [False, True], ids=["own", "changed"])
def test_a_text_becomes_a_salted_digest(name: str, value: Any, written: str, inside: bool) -> None:
    digest = hashlib.sha256(SALT + name.encode() + b"\0" + written.encode()).hexdigest()
    data = {"changes": {name: value, "team": "operations"}} if inside else {name: value, "csat": 3}
    place = f"changes.{name}" if inside else name

    stored, texts = split(data)

    own = stored["changes"] if inside else stored
    assert (own[name], stored["form"]) == ({"digest": digest}, 2)
    assert texts == EventTexts(SALT, {place: value})
    assert list(find_text_faults(UPDATED, stored, texts, is_erased=False)) == []
    assert join_texts(UPDATED, stored, texts.texts) == data
    assert hide_texts(UPDATED, stored, "***") == hide_texts(UPDATED, data, "***")
    masked = hide_texts(UPDATED, data, "***")
    assert (masked["changes"] if inside else masked)[name] == "***"
    assert join_texts(UPDATED, stored, {}) == join_texts(UPDATED, take_texts_out(UPDATED, data), {})
    assert ERASED in str(join_texts(UPDATED, stored, {}))


@pytest.mark.parametrize(
    ("event_type", "data"),
    [
        (UPDATED, {"csat": 3, "changes": {"team": "operations", "priority": "high"}}),
        (UPDATED, {"changes": {"description": None, "tags": [], "attributes": {}}}),
        (UPDATED, {"changes": {"subject": ERASED}}),
        (EventType.HELD, {"reason": "outage", "until_at": "2026-01-07T00:00:00Z"}),
        (EventType.DEADLINE_MET, {"deadline_id": "1", "late": False}),
    ],
    ids=["no text", "cleared", "erased", "code", "clock"],
)
def test_an_event_without_texts_is_the_same_in_both_forms(
    event_type: EventType, data: dict[str, Any]
) -> None:
    assert split(data, event_type) == (data, None)
    assert hide_texts(event_type, data, "***") == data


def test_an_attribute_that_looks_like_a_digest_is_a_text_of_the_first_form() -> None:
    data = {"changes": {"attributes": {"digest": "0" * 64}}}
    assert join_texts(UPDATED, data, {}) == data
    assert list(find_text_faults(UPDATED, data, None, is_erased=False)) == []


def test_every_free_member_of_a_complaint_is_a_text() -> None:
    assert {member.name for member in PLAIN_MEMBERS if member.kind in FREE} <= TEXT_NAMES


STORED, _ = split({"note": "x", "changes": {"subject": "y"}})


@pytest.mark.parametrize(
    ("texts", "is_erased", "faults"),
    [
        ({"note": "x", "changes.subject": "y"}, False, []),
        (None, True, []),
        (
            {"note": "z", "changes.subject": "y"},
            False,
            ["has a text note that is not what was written"],
        ),
        (
            {"note": "x"},
            False,
            ["lacks its text changes.subject, and no event says that it was erased"],
        ),
        (
            {"note": "x", "changes.subject": "y", "subject": "y"},
            False,
            ["has a text subject that its history does not know"],
        ),
        ({"note": "x", "changes.subject": "y"}, True, ["has texts that were erased"]),
    ],
    ids=["whole", "erased", "forged", "missing", "extra", "back again"],
)
def test_what_is_wrong_with_texts_is_found(
    texts: dict[str, Any] | None, is_erased: bool, faults: list[str]
) -> None:
    kept = None if texts is None else EventTexts(SALT, texts)
    assert list(find_text_faults(UPDATED, STORED, kept, is_erased=is_erased)) == faults
