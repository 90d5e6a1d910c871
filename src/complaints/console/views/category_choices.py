"""The categories from which a person chooses, by their names, and those that the words of a complaint suggest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from complaints.console.locale import Locale
from complaints.domain.complaint.search_terms import index_terms
from complaints.domain.policy.categories import Category

_MOST_SUGGESTED = 3
_LOOKED_AT = 20_000  # characters of each text: a form may send a million of them with every few keys
_STEM = 5  # letters: `charged` and `charges` fit `charge`
_SHORTEST_WORD = 4  # letters: `or` and `not` say nothing


@dataclass(frozen=True, slots=True)
class CategoryChoice:
    """A category that is in use. `label` has the names of its parent and its own in the language of the reader."""

    code: str
    label: str


def list_choices(categories: Mapping[str, Category], locale: Locale) -> list[CategoryChoice]:
    """The categories in use, by their labels."""
    found = []
    for category in categories.values():
        parent = categories.get(category.parent or "")
        if category.active and (parent is None or parent.active):
            names = [locale.name(one.names, one.code) for one in (parent, category) if one]
            found.append(CategoryChoice(category.code, " › ".join(names)))
    return sorted(found, key=lambda choice: choice.label)


def find_choice(choices: Sequence[CategoryChoice], typed: str) -> CategoryChoice | None:
    """The choice that a person typed: its label, its code, or its own name if no other has the same."""
    wanted = typed.strip().casefold()
    for choice in choices:
        if wanted in (choice.label.casefold(), choice.code):
            return choice
    named = [choice for choice in choices if choice.label.casefold().split(" › ")[-1] == wanted]
    return named[0] if len(named) == 1 else None


def suggest_categories(
    choices: Sequence[CategoryChoice], categories: Mapping[str, Category], *texts: str
) -> list[CategoryChoice]:
    """At most three choices with words of their names in the texts, in any language: the best fit first.

    A word that stands in the names of several categories counts less.
    """
    told = [term.casefold() for term in index_terms(*(text[:_LOOKED_AT] for text in texts))]
    words = {choice.code: _words_of(categories[choice.code]) for choice in choices}
    uses = Counter(word for own in words.values() for word in own)
    begins = {term[:length] for length in {len(word) for word in uses} for term in told}
    weights = {code: sum(1 / uses[word] for word in own & begins) for code, own in words.items()}
    best = sorted(choices, key=lambda choice: (-weights[choice.code], choice.code))
    return [choice for choice in best[:_MOST_SUGGESTED] if weights[choice.code]]


def _words_of(category: Category) -> set[str]:
    """The begins of the words of the names, and the pairs of Chinese characters."""
    terms = [term.casefold() for term in index_terms(*category.names.values())]
    words = {term[:_STEM] for term in terms if term.isascii() and len(term) >= _SHORTEST_WORD}
    return words | {term for term in terms if not term.isascii() and len(term) > 1}
