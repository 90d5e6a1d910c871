"""The options of an import: the column of each member, and the decisions on unclear data.

They come as query parameters of `POST /v1/imports` or as options of the command `complaints import`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, TypeVar

from complaints.domain.complaint.members import GROUPS, PLAIN_MEMBERS, PlainKind
from complaints.domain.errors import Fault, InvalidContent, ask_if_meant, clip, escape_pointer
from complaints.domain.importing.plain_text import fold_spaces

MAX_ATTRIBUTE_KEY = 200
_SHOWN = 60


class MemberKind(StrEnum):
    """The kind of a member. It decides how the text of a column is converted."""

    TEXT = "text"
    INSTANT = "instant"
    TAGS = "tags"
    FLAG = "flag"
    OBJECT = "object"
    JSON = "json"


class Unmapped(StrEnum):
    """The decision on columns without a mapping."""

    REFUSE = "refuse"
    IGNORE = "ignore"
    ATTRIBUTES = "attributes"


class Dates(StrEnum):
    """The decision on a file in which day and month seem to be swapped.

    `ask` refuses the file. `as_written` keeps all dates. `swap_ambiguous` swaps day and month of every date
    with a day up to 12.
    """

    ASK = "ask"
    AS_WRITTEN = "as_written"
    SWAP_AMBIGUOUS = "swap_ambiguous"


class RepeatedIds(StrEnum):
    """The decision on a file in which many rows have the same external id but other content.

    `ask` refuses the file. `accept` takes such rows for the same complaint.
    """

    ASK = "ask"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class BodyMember:
    """A member of the create body. `path` has two parts for a member of an inner object."""

    path: tuple[str, ...]
    kind: MemberKind

    @property
    def name(self) -> str:
        """The name in options, with a dot for an inner member."""
        return ".".join(self.path)

    @property
    def pointer(self) -> str:
        """The JSON Pointer (RFC 6901) into the create body."""
        return "".join("/" + escape_pointer(part) for part in self.path)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of an import. `parse_options` makes them from text.

    `mapping`, `constants` and `expect` are by member name, with a dot for an inner member. Their values are
    columns, fixed values and patterns. `translations` are by member name too: the value of each word, by folded
    word. `history`: every row without a status is a complaint that has ended. `faults` are those of options that
    cannot be read.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    history: bool = False
    date_format: str | None = None
    timezone: str | None = None
    unmapped: Unmapped = Unmapped.REFUSE
    dates: Dates = Dates.ASK
    repeated_ids: RepeatedIds = RepeatedIds.ASK
    faults: tuple[Fault, ...] = ()


_Choice = TypeVar("_Choice", bound=StrEnum)
_TEXTS = ("source", "category", "priority", "first_owner")
_PLAIN_KINDS = {PlainKind.TAGS: MemberKind.TAGS, PlainKind.ATTRIBUTES: MemberKind.OBJECT}
_PERSONS = ("complainant", "reporter")
_PARTY_TEXTS = ("name", "phone", "email", "account_no", "preferred_contact", "language")
_OBJECTS = (*_PERSONS, *GROUPS, "external_ids")
_OWN_KEYS = {"attributes": MemberKind.JSON, "external_ids": MemberKind.TEXT}
_ALIASES = {short: f"complainant.{short}" for short in ("name", "phone", "email", "account_no")}
HISTORY_MEMBERS = (
    "status",
    "closed_at",
    "resolved_at",
    "result_told_at",
    "outcome",
    "resolution",
    "root_cause",
)
# A column never feeds these by its name alone, unless the file is said to be history: a foreign word would fail.
NAMED_ON_PURPOSE = frozenset({*HISTORY_MEMBERS, "team"})
_MEMBERS = {
    **{member.path: _PLAIN_KINDS.get(member.kind, MemberKind.TEXT) for member in PLAIN_MEMBERS},
    **dict.fromkeys(_TEXTS, MemberKind.TEXT),
    **{f"{person}.{text}": MemberKind.TEXT for person in _PERSONS for text in _PARTY_TEXTS},
    **{f"{person}.vulnerable": MemberKind.FLAG for person in _PERSONS},
    **dict.fromkeys(_OBJECTS, MemberKind.OBJECT),
    "received_at": MemberKind.INSTANT,
    **dict.fromkeys(NAMED_ON_PURPOSE, MemberKind.TEXT),
    **dict.fromkeys(("closed_at", "resolved_at", "result_told_at"), MemberKind.INSTANT),
}
_SINGLE = ("date_format", "timezone", "unmapped", "dates", "repeated_ids", "history")
_PER_MEMBER = {"map": "mapping", "set": "constants", "expect": "expect"}
_TRANSLATION = "map_value"
_TRANSLATED = frozenset({MemberKind.TEXT, MemberKind.INSTANT, MemberKind.FLAG})
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_WITH_MEMBER = re.compile(rf"\b({'|'.join([*_PER_MEMBER, _TRANSLATION])})\.(?=[\w<])")
_WITH_VALUE = re.compile(rf"\b({'|'.join(_SINGLE)})(?:=|(?=:))")
_SAID_TWICE = re.compile(r"(--\S+ \w+) \(\1\)")
_KNOWN = "map.<member>, set.<member>, expect.<member>, map_value.<member>:<word>, " + ", ".join(_SINGLE)


def find_member(name: str) -> BodyMember | None:
    """The member with this name: `complainant.name`, its short form `name`, `attributes.<key>`. Or None.

    `external_ids.<system>` is the external id in a system.
    """
    name = _ALIASES.get(name, name)
    if kind := _MEMBERS.get(name):
        return BodyMember(tuple(name.split(".")), kind)
    group, _, key = name.partition(".")
    if group in _OWN_KEYS and 0 < len(key) <= MAX_ATTRIBUTE_KEY:
        return BodyMember((group, key), _OWN_KEYS[group])
    return None


def parse_options(query: Sequence[tuple[str, str]]) -> ImportOptions:
    """Make options from pairs of name and value. Raises InvalidContent with all faults, by parameter.

    A name may have `-` in place of `_`, as on the command line.
    """
    options = read_options(query)
    if options.faults:
        refuse(options.faults)
    return options


def read_options(query: Sequence[tuple[str, str]]) -> ImportOptions:
    """As `parse_options`, but the faults are kept in the options. So a file adds those that its columns show."""
    faults: list[Fault] = []
    per_member: dict[str, dict[str, str]] = {"mapping": {}, "constants": {}, "expect": {}}
    translations: dict[str, dict[str, str]] = {}
    single: dict[str, str] = {}
    for name, value in query:
        prefix, _, member_name = name.partition(".")
        prefix = prefix.replace("-", "_")
        if prefix in _PER_MEMBER and member_name:
            message = _put_member(per_member[_PER_MEMBER[prefix]], member_name, value)
        elif prefix == _TRANSLATION and member_name:
            message = _put_translation(translations, member_name, value)
        else:
            message = _put_single(single, name if member_name else prefix, value)
        if message:
            faults.append(fault_of_option(name, f"{name}: {message}"))
    for both in sorted(per_member["mapping"].keys() & per_member["constants"].keys()):
        faults.append(fault_of_option(f"set.{both}", f"{both} is both mapped and set: give one of them"))
    unmapped = _choose(Unmapped, single, "unmapped", faults)
    dates = _choose(Dates, single, "dates", faults)
    repeated_ids = _choose(RepeatedIds, single, "repeated_ids", faults)
    if (history := _FLAGS.get(single.get("history", "false"))) is None:
        faults.append(fault_of_option("history", "history: it is true or false"))
    return ImportOptions(
        **per_member,
        translations=translations,
        history=bool(history),
        date_format=single.get("date_format"),
        timezone=single.get("timezone"),
        unmapped=unmapped,
        dates=dates,
        repeated_ids=repeated_ids,
        faults=tuple(faults),
    )


def refuse(faults: Sequence[Fault]) -> NoReturn:
    """Raise InvalidContent with `faults`. The detail has the messages of the first three."""
    more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""
    raise InvalidContent("; ".join(fault.message for fault in faults[:3]) + more, faults=faults)


def speak_as_command(refusal: InvalidContent) -> InvalidContent:
    """The refusal with its options as the command line has them: `--map subject=` for `map.subject=`.

    Its faults have no pointers, because the messages name the options.
    """

    def translate(message: str) -> str:
        message = _WITH_MEMBER.sub(lambda found: f"--{found[1]} ".replace("_", "-"), message)
        message = _WITH_VALUE.sub(
            lambda found: f"--{found[1]}{' ' * found[0].endswith('=')}".replace("_", "-"), message
        )
        return _SAID_TWICE.sub(r"\1", message)

    faults = [Fault("", translate(fault.message)) for fault in refusal.faults]
    return InvalidContent(translate(refusal.detail), faults=faults)


def fault_of_option(name: str, message: str) -> Fault:
    """The fault of an option, which is a parameter of the query."""
    return Fault("", message, name)


def suggest(name: str, known: Iterable[str]) -> str:
    """The end of a message: `. Did you mean 'x'?` if a short known name is near, otherwise a full stop."""
    question = ask_if_meant(name[:_SHOWN], (item for item in known if len(item) <= _SHOWN))
    return f". {question[0].upper()}{question[1:]}" if question else "."


def shorten(text: str) -> str:
    """The text, cut to 60 characters for a message."""
    return clip(text, _SHOWN)


def quote_all(names: Sequence[str], *, limit: int = 8) -> str:
    """The names in quotation marks, such as `'a', 'b' and 3 more`."""
    shown = ", ".join(f"'{shorten(name)}'" for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")


def fold_word(text: str) -> str:
    """The form in which the words of a file are compared: in any case and width, with single spaces."""
    return fold_spaces(text).casefold()


def _put_translation(into: dict[str, dict[str, str]], name: str, value: str) -> str | None:
    """Store the value of a word: `name` is `<member>:<word>`. Returns the fault, None if there is none."""
    member_name, _, word = name.partition(":")
    member = find_member(member_name)
    if member is None:
        return _describe_unknown(member_name)
    if member.kind not in _TRANSLATED:
        return f"the words of {member_name} cannot be translated"
    if not (word := fold_word(word)):
        return "it names no word: write <member>:<word>=<value>"
    words = into.setdefault(member.name, {})
    if word in words:
        return "it is given twice"
    words[word] = value.strip()
    return None


def _describe_unknown(name: str) -> str:
    return (
        f"a complaint has no member '{name}'{suggest(name, [*_MEMBERS, *_ALIASES])} "
        "Own data goes to attributes.<key>, its key at most 200 characters"
    )


def _put_member(into: dict[str, str], name: str, value: str) -> str | None:
    """Store an option about a member. Returns the fault, None if there is none."""
    member = find_member(name)
    if member is None:
        return _describe_unknown(name)
    if not value.strip():
        return "it has no value"
    if member.name in into:
        return "it is given twice"
    into[member.name] = value
    return None


def _put_single(into: dict[str, str], name: str, value: str) -> str | None:
    """Store any other option. Returns the fault, None if there is none."""
    if name not in _SINGLE:
        return f"unknown option{suggest(name, _SINGLE)} Known are {_KNOWN}"
    if not value.strip():
        return "it has no value"
    if name in into:
        return "it is given twice"
    into[name] = value
    return None


def _choose(kind: type[_Choice], single: Mapping[str, str], name: str, faults: list[Fault]) -> _Choice:
    """The value of the option `name`. Without the option: the first value of its kind."""
    words = [choice.value for choice in kind]
    word = single.get(name, words[0])
    if word in words:
        return kind(word)
    faults.append(fault_of_option(name, f"{name}: '{word}' is not one of {', '.join(words)}"))
    return kind(words[0])
