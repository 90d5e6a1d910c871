"""Categories by the words of a ticket: the specification by its code, the type by its code or a name. Pure."""

from collections.abc import Mapping

from complaints.domain.policy.categories import Category
from complaints.tmf621.tickets.kept_members import LONGEST_CODE


class CategoryWords:
    """The active categories by the words for them. A name that two categories have names neither."""

    def __init__(self, categories: Mapping[str, Category]) -> None:
        self.categories = categories
        self._by_name: dict[str, str | None] = {}
        for category in filter(self._is_in_use, categories.values()):
            for name in {one.strip().casefold() for one in category.names.values()}:
                known = self._by_name.setdefault(name, category.code)
                if known != category.code:
                    self._by_name[name] = None

    def find_code(self, word: str | None) -> str | None:
        """The code of the active category with this code or name; None if there is none."""
        if word is None or len(word) > LONGEST_CODE:
            return None
        if (found := self.categories.get(word)) is not None and self._is_in_use(found):
            return word
        return self._by_name.get(word.strip().casefold())

    @property
    def codes(self) -> list[str]:
        """The codes of the active categories."""
        return [category.code for category in self.categories.values() if self._is_in_use(category)]

    @property
    def names(self) -> dict[str, str]:
        """The codes of the active categories by their names, without case. Names of two categories are left out."""
        return {name: code for name, code in self._by_name.items() if code is not None}

    def _is_in_use(self, category: Category) -> bool:
        parent = self.categories.get(category.parent) if category.parent else None
        return category.active and (parent is None or parent.active)

    def name_of(self, code: str) -> str | None:
        """The English name of a category, also of a retired one. None if there is no such category."""
        found = self.categories.get(code)
        return found.names.get("en") if found else None


_last_made: list[CategoryWords] = []


def words_of(categories: Mapping[str, Category]) -> CategoryWords:
    """The words for the categories of the configuration. Another configuration has new ones."""
    for made in _last_made:
        if made.categories is categories:
            return made
    made = CategoryWords(categories)
    _last_made[:] = [made]
    return made
