"""Categories of complaints, and the classification of a complaint by its category."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TypeVar

from complaints.domain.errors import Fault, InvalidContent, ask_if_meant
from complaints.domain.visibility import has_visible_character
from complaints.domain.vocabulary import Cause, Nature

T = TypeVar("T")


_LANGUAGES = ("en", "zh")


CODE = r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})?"
"""The code of a category: a word, or the parent, a dot and a word."""


@dataclass(frozen=True, slots=True)
class Category:
    """The topic of a complaint, on one of two levels: `network` is the parent of `network.outage`.

    A leaf has a cause and a nature. It has a team if the routes of the policy must not decide. A parent may
    leave all three open; see `classify`. `names` are by language, at least `en` and `zh`.
    """

    code: str
    parent: str | None
    names: Mapping[str, str]
    cause: Cause | None = None
    nature: Nature | None = None
    team: str | None = None
    active: bool = True


_WORD_LENGTH = 63
_NAME_LENGTH = 200
_UNNAMED = "specification"


def make_code(name: str, taken: Collection[str]) -> str:
    """A code for a new category at the first level, made from its name. It is not among those `taken`.

    It has the ASCII letters and digits of the name, `network_outage` for `Network outage!`. A name without ASCII
    letters gives `specification_1`. A number behind makes the code of a second category of that name.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    word = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not re.search("[a-z]", word):
        return next(code for n in count(1) if (code := f"{_UNNAMED}_{n}") not in taken)
    if not word[0].isalpha():
        word = f"{_UNNAMED}_{word}"
    numbered = chain([""], (f"_{n}" for n in count(2)))
    codes = (word[: _WORD_LENGTH - len(number)].rstrip("_") + number for number in numbered)
    return next(code for code in codes if code not in taken)


def make_name(text: str, code: str) -> str:
    """The name of a category for any text: its first 200 characters. A text that shows nothing gives the code."""
    cut = text[:_NAME_LENGTH]
    return cut if has_visible_character(cut) else code


def classify(
    code: str | None,
    categories: Mapping[str, Category],
    *,
    pointer: str = "/category",
    retired_too: bool = False,
) -> Category | None:
    """The category `code`, with its open members filled in from its children. None for None.

    If all active children of a parent have the same cause, nature or team, the parent gets it. Otherwise that
    member stays open. Raises InvalidContent at `pointer` for a category that is unknown or no longer in use.
    `retired_too` takes one that is no longer in use: the complaint has it already, so it is no choice.
    """
    if code is None:
        return None
    category = categories.get(code)
    if category is None:
        raise InvalidContent.at(pointer, _unknown(code, categories))
    parent = categories.get(category.parent) if category.parent else None
    if not retired_too and not (category.active and (parent is None or parent.active)):
        raise InvalidContent.at(pointer, f"category '{code}' is no longer in use; choose another")
    children = [child for child in categories.values() if child.parent == code and child.active]
    return replace(
        category,
        cause=category.cause or _agreed(child.cause for child in children),
        nature=category.nature or _agreed(child.nature for child in children),
        team=category.team or _agreed(child.team for child in children),
    )


def check_category(category: Category, categories: Mapping[str, Category], *, teams: Collection[str]) -> None:
    """Check a category before it is saved. Raises InvalidContent with all faults, each at its member."""
    faults = [
        Fault(pointer, message)
        for wrong, pointer, message in (
            (
                not re.fullmatch(CODE, category.code),
                "/code",
                "must be a word, or parent and word with a dot between: lower-case letters, digits and _",
            ),
            (
                category.parent != (category.code.rpartition(".")[0] or None),
                "/parent",
                "must be what stands before the dot of the code, absent without one",
            ),
            (
                category.parent is not None and category.parent not in categories,
                "/parent",
                f"there is no category '{category.parent}'; make it first",
            ),
            (
                any(not category.names.get(language, "").strip() for language in _LANGUAGES),
                "/names",
                "must have a name in 'en' and in 'zh'",
            ),
            (
                category.parent is not None and category.cause is None,
                "/cause",
                "a category with a parent has a cause",
            ),
            (
                category.parent is not None and category.nature is None,
                "/nature",
                "a category with a parent has a nature",
            ),
            (
                category.team is not None and category.team not in teams,
                "/team",
                f"there is no team '{category.team}'",
            ),
        )
        if wrong
    ]
    if faults:
        raise InvalidContent(f"the category cannot be saved: {faults[0].message}", faults=faults)


def _agreed(values: Iterable[T | None]) -> T | None:
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None


def _unknown(code: str, categories: Mapping[str, Category]) -> str:
    active = (category.code for category in categories.values() if category.active)
    hint = ask_if_meant(code, active) or "GET /v1/categories lists them"
    return f"there is no category '{code[:60]}'; {hint}"
