"""The texts of the console: both languages have the same files, keys and parts, and every value has a word."""

import string
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale, Texts, read_texts
from complaints.domain import vocabulary
from complaints.domain.figures.facts import FactKind

WORDS: dict[str, type[StrEnum]] = {
    "status": vocabulary.Status,
    "action": vocabulary.Action,
    "deadline_kind": vocabulary.DeadlineKind,
    "priority": vocabulary.Priority,
    "priority_reason": vocabulary.PriorityReason,
    "severity": vocabulary.Severity,
    "channel": vocabulary.Channel,
    "cause": vocabulary.Cause,
    "nature": vocabulary.Nature,
    "hold_reason": vocabulary.HoldReason,
    "outcome": vocabulary.Outcome,
    "contact_outcome": vocabulary.ContactOutcome,
    "recipient_role": vocabulary.RecipientRole,
    "role": vocabulary.AccessRole,
    "link_type": vocabulary.LinkType,
    "visibility": vocabulary.Visibility,
    "fact": FactKind,
}


def _leaves(texts: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(texts, Texts):
        yield path, texts
        return
    for key in texts:
        yield from _leaves(texts[key], f"{path}.{key}")


def _parts(text: Any) -> set[str]:
    joined = "".join(text) if isinstance(text, list) else str(text)
    return {name for _, name, _, _ in string.Formatter().parse(joined) if name}


def test_both_languages_have_the_same_keys_and_parts() -> None:
    english, chinese = (dict(_leaves(read_texts(language))) for language in Language)
    assert english.keys() == chinese.keys()
    different = [key for key in english if _parts(english[key]) != _parts(chinese[key])]
    # A Chinese date names its month by a word of the list, as an English one does.
    assert different == []


def test_no_text_is_empty_or_the_same_in_both_languages_by_mistake() -> None:
    english, chinese = (dict(_leaves(read_texts(language))) for language in Language)
    assert [key for key, text in [*english.items(), *chinese.items()] if not text] == []
    same = [key for key, text in english.items() if text == chinese[key] and len(str(text)) > 12]
    assert same == []


def test_a_form_names_a_member_itself_only_where_it_asks_in_other_words() -> None:
    for language in Language:
        texts = read_texts(language)
        for own in (texts.actions.labels, texts.new_complaint):
            assert [key for key in own if key in texts.members and own[key] == texts.members[key]] == []


def test_every_value_of_the_vocabulary_has_a_word(subtests: pytest.Subtests) -> None:
    for group in WORDS:
        with subtests.test(group):
            for language in Language:
                assert set(read_texts(language).words[group]) == {value.value for value in WORDS[group]}


@pytest.mark.parametrize(
    ("message", "english", "chinese"),
    [
        (
            "A hold lasts at most until 2026-02-04T17:30:00Z.",
            "A hold lasts at most until Thu 5 Feb 2026 01:30.",
            "挂起最晚到 2026年2月5日周四 01:30 为止。",
        ),
        (
            "The time to reopen it ended at 2026-02-04T01:00:59.000001Z: make a new complaint, linked recurrence_of",
            "The time to reopen it ended at Wed 4 Feb 2026 09:00: make a new complaint, linked recurrence_of.",
            "重新处理期限已于 2026年2月4日周三 09:00 结束：请新建投诉，并以 recurrence_of 关联。",
        ),
        (
            "2026-02-30T01:00:00Z is no day.",
            "2026-02-30T01:00:00Z is no day.",
            "2026-02-30T01:00:00Z is no day.",
        ),
        ("No instant here.", "No instant here.", "No instant here."),
    ],
)
def test_a_refusal_names_its_instants_in_the_zone_of_the_reader(
    message: str, english: str, chinese: str
) -> None:
    assert Locale(Language.ENGLISH, "Asia/Shanghai").refusal(message) == english
    assert Locale(Language.CHINESE, "Asia/Shanghai").refusal(message) == chinese
