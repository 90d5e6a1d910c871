"""The map between complaints and the cases of a CRM, as a TOML file has it. What it does not name is refused."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Unmapped(Exception):
    """A status, a value or a field that the map does not name. The mirror stops, so that nobody misses it."""


@dataclass(frozen=True)
class CrmMap:
    """`fields`: field of the case by member of the complaint. `values`: words of the CRM by member and word."""

    system: str
    key: str
    path: str
    fields: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    actions: Mapping[str, Mapping[str, list[Json]]]

    @classmethod
    def read(cls, path: Path) -> "CrmMap":
        """The map in a file."""
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    def case_of(self, complaint: Mapping[str, Any]) -> Json:
        """The fields of the case for a complaint. Raises Unmapped."""
        return {field: self._value(member, complaint[member]) for field, member in self.fields.items()}

    def _value(self, member: str, value: Any) -> Any:
        if member not in self.values:
            return value
        if value not in self.values[member]:
            raise Unmapped(f"The map has no word for {member} {value!r}: add it under [values.{member}].")
        return self.values[member][value]

    def actions_for(self, complaint: Mapping[str, Any], case: Mapping[str, Any]) -> list[Json]:
        """The actions that bring a complaint to the status of its case. Raises Unmapped."""
        name = next(field for field, member in self.fields.items() if member == "status")
        state, status = str(case[name]), complaint["status"]
        if state not in self.actions:
            raise Unmapped(f"The map has no actions for {name} {state!r}: add [actions.{state!r}].")
        if status not in self.actions[state]:
            raise Unmapped(f"The map has no way from status {status!r} to {name} {state!r}.")
        return [_filled(action, case) for action in self.actions[state][status]]


def _filled(action: Json, case: Mapping[str, Any]) -> Json:
    return {name: _filled_in(value, case) for name, value in action.items()}


def _filled_in(value: Any, case: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    if not (found := case.get(value[1:])):
        raise Unmapped(f"The case has nothing in its field {value[1:]}, and an action needs it.")
    return found
