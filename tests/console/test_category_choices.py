"""Categories as a person chooses them: by label, by name, and by the words of the complaint."""

import pytest

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale
from complaints.console.views.category_choices import find_choice, list_choices, suggest_categories
from complaints.domain.policy.categories import Category

ENGLISH, CHINESE = Locale(Language.ENGLISH, "UTC"), Locale(Language.CHINESE, "UTC")


def _category(code: str, en: str, zh: str, *, active: bool = True) -> Category:
    return Category(code, code.rpartition(".")[0] or None, {"en": en, "zh": zh}, active=active)


CATEGORIES = {
    one.code: one
    for one in (
        _category("network", "Network", "网络质量"),
        _category("network.outage", "Outage", "网络中断"),
        _category("network.slow", "Slow connection", "网速慢"),
        _category("billing", "Billing", "资费账单"),
        _category("billing.charge", "Wrong charge", "错误扣费"),
        _category("billing.other", "Other", "其他问题"),
        _category("old", "Old", "旧", active=False),
        _category("old.other", "Other old", "旧的"),
    )
}


def test_a_label_names_the_parent_and_categories_out_of_use_are_left_out() -> None:
    labels = {choice.code: choice.label for choice in list_choices(CATEGORIES, CHINESE)}
    assert labels["network.outage"] == "网络质量 › 网络中断"
    assert not [code for code in labels if code.startswith("old")]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Network › Outage", "network.outage"),
        (" network › outage ", "network.outage"),
        ("wrong charge", "billing.charge"),
        ("network.slow", "network.slow"),
        ("Outa", None),
        ("", None),
    ],
)
def test_a_typed_category_is_a_label_a_name_or_a_code(typed: str, code: str | None) -> None:
    choice = find_choice(list_choices(CATEGORIES, ENGLISH), typed)
    assert (choice and choice.code) == code


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("They charged me twice for a slow line", ["billing.charge", "network.slow"]),
        ("家里网络中断两天", ["network.outage", "network"]),
        ("错误的扣费", ["billing.charge"]),
        ("no, or not", []),
        ("", []),
    ],
)
def test_words_of_the_names_suggest_categories_in_any_language(text: str, codes: list[str]) -> None:
    for locale in (ENGLISH, CHINESE):
        found = suggest_categories(list_choices(CATEGORIES, locale), CATEGORIES, text)
        assert [choice.code for choice in found] == codes


def test_only_the_begin_of_a_long_text_is_looked_at() -> None:
    choices = list_choices(CATEGORIES, ENGLISH)
    assert suggest_categories(choices, CATEGORIES, "x " * 9_990 + "billing")
    assert not suggest_categories(choices, CATEGORIES, "x " * 10_000 + "billing")
