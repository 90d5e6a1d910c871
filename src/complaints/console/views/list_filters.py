"""The filters of a list: chips that a click puts on or takes off, and the fields of the form with all filters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from complaints.console.locale import Locale
from complaints.console.views.addresses import ListAddress
from complaints.console.views.rows import name_category, name_of_user
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import Channel, Priority, Status
from complaints.use_cases.named_filters import ME, NOBODY

MOST_CHOICES = 200
_PAGE_NAMES = frozenset({"show", "sort", "columns", "cursor"})
_ON_CHIPS = frozenset({"deadline_kind"})
_WORDS = {"priority": "priority", "channel": "channel", "status": "status", "deadline_kind": "deadline_kind"}


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A filter that is on or off. The address turns it."""

    label: str
    address: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """A field of the form of filters. Without `choices`, text is typed. A choice is a value with its words."""

    name: str
    label: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FilterReference:
    """The names that filters show: the staff, the categories, and the kinds of deadlines with their titles."""

    directory: Directory
    categories: Mapping[str, Category]
    deadline_kinds: Sequence[str]
    kind_titles: Mapping[str, Mapping[str, str]]


def clock_chips(address: ListAddress, locale: Locale, known: FilterReference) -> list[FilterChip]:
    """A chip for all clocks, and one for each kind. One of them is on."""
    asked = address.value("deadline_kind")
    every = FilterChip(locale.texts.lists.all_clocks, address.link(deadline_kind=""), not asked)
    return [
        every,
        *(
            FilterChip(
                _capital(name_kind(kind, locale, known)), address.link(deadline_kind=kind), kind == asked
            )
            for kind in known.deadline_kinds
        ),
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def quick_chips(address: ListAddress, locale: Locale) -> list[FilterChip]:
    """Chips for the filters that people use most."""
    words = locale.texts.lists
    wanted = [
        (locale.word("priority", Priority.URGENT), "priority", Priority.URGENT.value),
        (locale.word("priority", Priority.HIGH), "priority", Priority.HIGH.value),
        (words.nobodys, "assignee", NOBODY),
        (words.mine, "assignee", ME),
    ]
    return [_turning(address, label, name, value) for label, name, value in wanted]


def _turning(address: ListAddress, label: str, name: str, value: str) -> FilterChip:
    is_on = address.value(name) == value
    return FilterChip(label, address.link(**{name: "" if is_on else value}), is_on)


def other_chips(address: ListAddress, locale: Locale, known: FilterReference) -> list[FilterChip]:
    """A chip for each filter that is on and has no chip of its own. A click takes the filter off."""
    own = {chip.address for chip in quick_chips(address, locale) if chip.is_on}
    names = dict.fromkeys(name for name, _ in address.pairs if name not in _PAGE_NAMES | _ON_CHIPS)
    found = [
        FilterChip(
            f"{_label(name, locale)}: {_said(address, name, locale, known)}", address.link(**{name: ""}), True
        )
        for name in names
    ]
    return [chip for chip in found if chip.address not in own]


def _label(name: str, locale: Locale) -> str:
    labels = locale.texts.lists.filters
    return str(labels[name]) if name in labels else name


def _said(address: ListAddress, name: str, locale: Locale, known: FilterReference) -> str:
    return ", ".join(_say(name, value, locale, known) for value in address.values(name))


def _say(name: str, value: str, locale: Locale, known: FilterReference) -> str:
    if name in _WORDS:
        return locale.word(_WORDS[name], value)
    if name == "team" and value in known.directory.teams:
        return locale.name(known.directory.teams[value].names, value)
    if name == "category":
        return " · ".join(filter(None, name_category(value, locale, known.categories)))
    return name_of_user(known.directory, value) if name in ("assignee", "first_owner") else value


def name_kind(kind: str, locale: Locale, known: FilterReference) -> str:
    """The name of a kind of deadlines: the word of a built-in one, the title of an own one."""
    return (
        locale.name(known.kind_titles[kind], kind)
        if kind in known.kind_titles
        else locale.word("deadline_kind", kind)
    )


def filter_fields(address: ListAddress, locale: Locale, known: FilterReference) -> list[ChoiceField]:
    """The fields of the form with all filters, with their present values."""
    choices = {
        "team": list_teams(known.directory, locale),
        "assignee": _list_assignees(known.directory, locale),
        "priority": list_words("priority", Priority, locale),
        "status": list_words("status", Status, locale),
        "category": _list_categories(known.categories, locale),
        "channel": list_words("channel", Channel, locale),
        "region": (),
        "tag": (),
        "q": (),
    }
    return [
        ChoiceField(name, _label(name, locale), address.value(name), listed)
        for name, listed in choices.items()
    ]


def list_words(group: str, values: Iterable[str], locale: Locale) -> tuple[tuple[str, str], ...]:
    """The values of a set of the vocabulary with their words."""
    return tuple((str(value), locale.word(group, value)) for value in values)


def list_teams(directory: Directory, locale: Locale) -> tuple[tuple[str, str], ...]:
    """The active teams by code, with their names, in the order of the names."""
    found = [(t.code, locale.name(t.names, t.code)) for t in directory.teams.values() if t.active]
    return tuple(sorted(found, key=lambda pair: pair[1]))


def list_users(directory: Directory) -> tuple[tuple[str, str], ...]:
    """The active users who belong to a team, with their names. Empty if they are too many for a list."""
    found = [(u.login, u.name) for u in directory.users.values() if u.active and u.teams]
    return tuple(sorted(found, key=lambda pair: pair[1])) if len(found) <= MOST_CHOICES else ()


def _list_assignees(directory: Directory, locale: Locale) -> tuple[tuple[str, str], ...]:
    words, users = locale.texts.lists, list_users(directory)
    return ((NOBODY, words.nobodys), (ME, words.mine), *users) if users else ()


def _list_categories(categories: Mapping[str, Category], locale: Locale) -> tuple[tuple[str, str], ...]:
    found = [(code, " · ".join(filter(None, name_category(code, locale, categories)))) for code in categories]
    return tuple(sorted(found, key=lambda pair: pair[1]))
