"""What an import is told: which member comes from where, and what to do with what is unclear.

The same options come as query parameters of `POST /v1/imports` and as options of `complaints import`.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, TypeVar

from complaints.domain.complaint.members import GROUPS, PLAIN_MEMBERS, PlainKind
from complaints.domain.errors import Fault, InvalidContent, escape_pointer

MAX_ATTRIBUTE_KEY = 200
_SHOWN = 60


class MemberKind(StrEnum):
    """How the text of a column becomes the value of a member."""

    TEXT = "text"
    INSTANT = "instant"
    TAGS = "tags"
    FLAG = "flag"
    OBJECT = "object"
    JSON = "json"


class Unmapped(StrEnum):
    """What happens to columns nobody mapped."""

    REFUSE = "refuse"
    IGNORE = "ignore"
    ATTRIBUTES = "attributes"


class Dates(StrEnum):
    """Who decides when day and month of a file look exchanged.

    `ask` refuses such a file, `as_written` takes it as it stands, `swap_ambiguous` exchanges day and month of
    every date that can be read both ways.
    """

    ASK = "ask"
    AS_WRITTEN = "as_written"
    SWAP_AMBIGUOUS = "swap_ambiguous"


class RepeatedIds(StrEnum):
    """Who decides when many rows share an external id but not their content."""

    ASK = "ask"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the create body; `path` has two parts for an inner one."""

    path: tuple[str, ...]
    kind: MemberKind

    @property
    def name(self) -> str:
        """Dotted, as options name it."""
        return ".".join(self.path)

    @property
    def pointer(self) -> str:
        """JSON Pointer into the create body."""
        return "".join("/" + escape_pointer(part) for part in self.path)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options by member name, dotted for inner ones; `parse_options` makes them from text."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, str] = field(default_factory=dict)
    date_format: str | None = None
    timezone: str | None = None
    unmapped: Unmapped = Unmapped.REFUSE
    dates: Dates = Dates.ASK
    repeated_ids: RepeatedIds = RepeatedIds.ASK


_Choice = TypeVar("_Choice", bound=StrEnum)
_TEXTS = ("source", "category", "priority", "first_owner")
_PLAIN_KINDS = {PlainKind.TAGS: MemberKind.TAGS, PlainKind.ATTRIBUTES: MemberKind.OBJECT}
_PERSONS = ("complainant", "reporter")
_PARTY_TEXTS = ("name", "phone", "email", "account_no", "preferred_contact", "language")
_OBJECTS = (*_PERSONS, *GROUPS)
_ALIASES = {short: f"complainant.{short}" for short in ("name", "phone", "email", "account_no")}
_MEMBERS = {
    **{member.path: _PLAIN_KINDS.get(member.kind, MemberKind.TEXT) for member in PLAIN_MEMBERS},
    **dict.fromkeys(_TEXTS, MemberKind.TEXT),
    **{f"{person}.{text}": MemberKind.TEXT for person in _PERSONS for text in _PARTY_TEXTS},
    **{f"{person}.vulnerable": MemberKind.FLAG for person in _PERSONS},
    **dict.fromkeys(_OBJECTS, MemberKind.OBJECT),
    "received_at": MemberKind.INSTANT,
}
_SINGLE = ("date_format", "timezone", "unmapped", "dates", "repeated_ids")
_PER_MEMBER = {"map": "mapping", "set": "constants", "expect": "expect"}
_KNOWN = "map.<member>, set.<member>, expect.<member>, " + ", ".join(_SINGLE)


def find_member(name: str) -> Member | None:
    """The member called `name` (`complainant.name`, its short form `name`, `attributes.<key>`), if any."""
    name = _ALIASES.get(name, name)
    if kind := _MEMBERS.get(name):
        return Member(tuple(name.split(".")), kind)
    key = name.removeprefix("attributes.")
    if key != name and 0 < len(key) <= MAX_ATTRIBUTE_KEY:
        return Member(("attributes", key), MemberKind.JSON)
    return None


def parse_options(query: Sequence[tuple[str, str]]) -> ImportOptions:
    """Options from name and value pairs. Raises InvalidContent with all that is wrong, by parameter."""
    faults: list[Fault] = []
    per_member: dict[str, dict[str, str]] = {"mapping": {}, "constants": {}, "expect": {}}
    single: dict[str, str] = {}
    for name, value in query:
        prefix, _, member_name = name.partition(".")
        if prefix in _PER_MEMBER and member_name:
            message = _put_member(per_member[_PER_MEMBER[prefix]], member_name, value)
        else:
            message = _put_single(single, name, value)
        if message:
            faults.append(Fault(option_pointer(name), f"{name}: {message}"))
    for both in sorted(per_member["mapping"].keys() & per_member["constants"].keys()):
        faults.append(
            Fault(option_pointer(f"set.{both}"), f"{both} is both mapped and set: give one of them")
        )
    unmapped = _choose(Unmapped, single, "unmapped", faults)
    dates = _choose(Dates, single, "dates", faults)
    repeated_ids = _choose(RepeatedIds, single, "repeated_ids", faults)
    if faults:
        refuse(faults)
    return ImportOptions(
        **per_member,
        date_format=single.get("date_format"),
        timezone=single.get("timezone"),
        unmapped=unmapped,
        dates=dates,
        repeated_ids=repeated_ids,
    )


def refuse(faults: Sequence[Fault]) -> NoReturn:
    """Raise InvalidContent with `faults`, its detail naming the first three."""
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    raise InvalidContent("; ".join(fault.message for fault in faults[:3]) + more, faults=faults)


def option_pointer(name: str) -> str:
    """The pointer to an option, as if all options were members of one object."""
    return "/" + escape_pointer(name)


def suggest(name: str, known: Iterable[str]) -> str:
    """`. Did you mean 'x'?` where a known name is near, else the full stop."""
    by_folded = {item.casefold(): item for item in known if len(item) <= _SHOWN}
    near = difflib.get_close_matches(name[:_SHOWN].casefold(), by_folded, n=1, cutoff=0.6)
    return f". Did you mean '{by_folded[near[0]]}'?" if near else "."


def shorten(text: str) -> str:
    """The text as a message shows it."""
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def quote_all(names: Sequence[str], *, limit: int = 8) -> str:
    """`'a', 'b' and 3 more`."""
    shown = ", ".join(f"'{shorten(name)}'" for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _put_member(into: dict[str, str], name: str, value: str) -> str | None:
    """Store an option about a member; what is wrong with it, if anything."""
    member = find_member(name)
    if member is None:
        return (
            f"a complaint has no member '{name}'{suggest(name, [*_MEMBERS, *_ALIASES])} "
            "Own data goes to attributes.<key>, its key at most 200 characters"
        )
    if not value.strip():
        return "it has no value"
    if member.name in into:
        return "it is given twice"
    into[member.name] = value
    return None


def _put_single(into: dict[str, str], name: str, value: str) -> str | None:
    if name not in _SINGLE:
        return f"unknown option{suggest(name, _SINGLE)} Known are {_KNOWN}"
    if not value.strip():
        return "it has no value"
    if name in into:
        return "it is given twice"
    into[name] = value
    return None


def _choose(kind: type[_Choice], single: Mapping[str, str], name: str, faults: list[Fault]) -> _Choice:
    """The choice made by the option `name`, else the first there is."""
    words = [choice.value for choice in kind]
    word = single.get(name, words[0])
    if word in words:
        return kind(word)
    faults.append(Fault(option_pointer(name), f"{name}: '{word}' is not one of {', '.join(words)}"))
    return kind(words[0])
