"""The plain members of a complaint: the product keeps them as the caller gave them. Rules read them only.

To add a plain member, touch these places under `src`:

1. `domain/complaint/facts.py`: its name, type and default in `PlainMembers`;
2. `PLAIN_MEMBERS` below: how the database keeps it, its path in the API, and whether full text finds it;
3. `use_cases/commands/complaints.py`: its limits in `CreateComplaint`, and in `PatchComplaint` if it may change;
4. `api/complaints/schemas.py`: its type in `ComplaintShown`;
5. `api/complaints/examples.json`: its value in the example `complaint`;
6. `use_cases/complaints/filters.py`: its type in `ComplaintFilter`, if lists can be filtered by its exact value;
7. `domain/complaint/texts.py`: its name in `TEXT_NAMES`, if it is a text, so that no event holds it.

A migration adds the column, and `python -m tests.generate` writes the OpenAPI document. All the rest follows by
name: column, intake, change, events, answer, list filter, full text and import. `tests/api/test_members.py` takes
the example of each member all the way.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import NoneType
from typing import Any, get_args, get_type_hints

from complaints.domain.complaint.facts import PlainMembers


class PlainKind(Enum):
    """The form of the values of a plain member."""

    CODE = auto()
    """Text of at most 200 characters."""
    TEXT = auto()
    """Text of any length."""
    CHOICE = auto()
    """A value of a closed set."""
    TAGS = auto()
    """A list of short texts."""
    ATTRIBUTES = auto()
    """An object with any members."""


@dataclass(frozen=True, slots=True)
class PlainMember:
    """A plain member. `name` is its name in `PlainMembers` and its column.

    `group` and `key`: the API shows the member inside an object, such as `service.type`. Without a group it has
    its own name. `searched`: full text finds a complaint by it.
    """

    name: str
    kind: PlainKind
    group: str | None = None
    key: str = ""
    searched: bool = False

    @property
    def path(self) -> str:
        """The member in the API, with a dot inside a group."""
        return f"{self.group}.{self.key}" if self.group else self.name

    @property
    def choices(self) -> type[StrEnum] | None:
        """The closed set of a `CHOICE`, from the type of the fact; None for any other kind."""
        sets = [hint for hint in self._types() if isinstance(hint, type) and issubclass(hint, StrEnum)]
        return sets[0] if sets else None

    @property
    def required(self) -> bool:
        """True if every complaint has a value: the type of the fact does not allow None."""
        return NoneType not in self._types()

    def _types(self) -> tuple[Any, ...]:
        hint = _HINTS[self.name]
        return (hint, *get_args(hint))


_HINTS = get_type_hints(PlainMembers)

# The most important texts come first: full text leaves out the end of very long ones.
PLAIN_MEMBERS = (
    PlainMember("channel", PlainKind.CHOICE),
    PlainMember("subject", PlainKind.TEXT, searched=True),
    PlainMember("description", PlainKind.TEXT, searched=True),
    PlainMember("external_id", PlainKind.CODE, searched=True),
    PlainMember("severity", PlainKind.CHOICE),
    PlainMember("region", PlainKind.CODE),
    PlainMember("service_type", PlainKind.CODE, group="service", key="type"),
    PlainMember("service_id", PlainKind.CODE, group="service", key="id"),
    PlainMember("tags", PlainKind.TAGS),
    PlainMember("attributes", PlainKind.ATTRIBUTES),
)
PLAIN_NAMES = tuple(member.name for member in PLAIN_MEMBERS)
SEARCHED_NAMES = (*(member.name for member in PLAIN_MEMBERS if member.searched), "resolution", "root_cause")
# The objects of the API, each with the names of its members: {"service": {"type": "service_type", …}}.
GROUPS = {
    group: {member.key: member.name for member in PLAIN_MEMBERS if member.group == group}
    for group in dict.fromkeys(member.group for member in PLAIN_MEMBERS)
    if group is not None
}
_CLEARED: dict[PlainKind, Any] = {PlainKind.TAGS: (), PlainKind.ATTRIBUTES: {}}


def cleared_value(member: PlainMember) -> Any:
    """The value of a member that is not required, after a caller cleared it."""
    return _CLEARED.get(member.kind)


def merge_attributes(before: Any, change: Any) -> Any:
    """`before` after a change in the way of RFC 7396: members that are null go, and objects in both are merged."""
    if not isinstance(change, dict):
        return change
    merged = dict(before) if isinstance(before, dict) else {}
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_attributes(merged.get(name), value)
    return merged
