"""The shapes of specifications that callers send, in the words of version 5. Each member is as TMF621 types it.

A new specification must have more members than a changed one. A null stands for nothing here: it is refused, but for
the members of a merge patch, which it takes away.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    AliasGenerator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel

from complaints.tmf621.bodies import TmfContent
from complaints.use_cases.commands.field_types import WHOLE

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z\[\]_a-z~%]*", re.ASCII)
T = TypeVar("T")


def _refuse_null(value: Any) -> Any:
    if value is None:
        raise ValueError("must not be null: leave it out instead")
    return value


def _check_instant(text: str) -> str:
    found = _DATE_TIME.fullmatch(text)
    try:
        datetime.fromisoformat(found[1] if found else "")
    except ValueError:
        raise ValueError("must be an instant as in RFC 3339, such as 2026-01-05T09:00:00Z") from None
    return text


def _check_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("must be a URI with its scheme, such as https://example.com/specification/1")
    return text


Given = Annotated[T | None, BeforeValidator(_refuse_null)]
"""A member that may be absent. If it is there, it is not null."""
Many = Annotated[tuple[T, ...], Field(strict=False)]
"""A list of JSON. Without `strict=False` only a tuple of Python would be one."""
_Instant = Annotated[str, AfterValidator(_check_instant)]
_Address = Annotated[str, AfterValidator(_check_address)]
_Whole = Annotated[int, WHOLE]


class _Part(TmfContent):
    model_config = ConfigDict(alias_generator=AliasGenerator(alias=to_camel), populate_by_name=False)


class _TypedPart(_Part):
    """A member that names its type: `@type` must be there."""

    type_: Annotated[str, Field(alias="@type")]
    base_type: Annotated[Given[str], Field(alias="@baseType")] = None
    schema_location: Annotated[Given[str], Field(alias="@schemaLocation")] = None


class SpecificationPeriod(_Part):
    """A span of time, as the caller wrote it."""

    start_date_time: Given[_Instant] = None
    end_date_time: Given[_Instant] = None


class ChangedParty(_TypedPart):
    """A party or a role of a party."""

    id: Given[str] = None
    href: Given[str] = None
    name: Given[str] = None
    referred_type: Annotated[Given[str], Field(alias="@referredType")] = None
    party_id: Given[str] = None
    party_name: Given[str] = None


class NewParty(ChangedParty):
    """A party of a new specification."""

    id: str


class ChangedRelatedParty(_TypedPart):
    """A party with its role."""

    role: Given[str] = None
    party_or_party_role: Given[ChangedParty] = None


class NewRelatedParty(ChangedRelatedParty):
    """A party of a new specification, with its role."""

    role: str
    party_or_party_role: Given[NewParty] = None


class ChangedSpecRelationship(_TypedPart):
    """A relation between two characteristics."""

    relationship_type: Given[str] = None
    name: Given[str] = None
    characteristic_specification_id: Given[str] = None
    parent_specification_href: Given[_Address] = None
    valid_for: Given[SpecificationPeriod] = None
    parent_specification_id: Given[str] = None


class NewSpecRelationship(ChangedSpecRelationship):
    """A relation of a new specification."""

    relationship_type: str
    name: str
    parent_specification_id: str


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, Mapping) for one in value.values())


_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "Boolean": (lambda value: isinstance(value, bool), "true or false"),
    "Float": (_is_number, "a number"),
    "Integer": (lambda value: _is_number(value) and value == value // 1, "a whole number"),
    "Map": (_is_map, "an object of objects"),
    "Number": (_is_number, "a number"),
    "Object": (lambda value: isinstance(value, Mapping), "an object"),
    "String": (lambda value: isinstance(value, str), "a text"),
}


def _is_item_of_map_array(value: Any) -> bool:
    return isinstance(value, Mapping) and ("value" not in value or _is_map(value["value"]))


class SpecificationValue(_TypedPart):
    """A value that a characteristic may take. Its `@type` says of which type `value` is."""

    value_type: Given[str] = None
    is_default: Given[bool] = None
    unit_of_measure: Given[str] = None
    valid_for: Given[SpecificationPeriod] = None
    value_from: Given[_Whole] = None
    value_to: Given[_Whole] = None
    range_interval: Given[str] = None
    regex: Given[str] = None
    value: Any = None

    @field_validator("value")
    @classmethod
    def _check_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Raises ValueError for a value of another type. Of a type that TMF621 does not name, every value fits."""
        name = str(info.data.get("type_", "")).removesuffix("CharacteristicValueSpecification")
        element = name.removesuffix("Array")
        if element not in _VALUES:
            return value
        is_one, said = _VALUES[element]
        if element == name:
            fits = is_one(value)
        else:
            is_one = _is_item_of_map_array if element == "Map" else is_one
            fits, said = (
                isinstance(value, list) and all(map(is_one, value)),
                f"a list; each element is {said}",
            )
        if not fits:
            raise ValueError(f"must be {said}")
        return value


class ChangedCharacteristicSpec(_TypedPart):
    """A characteristic that tickets of the specification can have."""

    id: Given[str] = None
    name: Given[str] = None
    value_type: Given[str] = None
    description: Given[str] = None
    configurable: Given[bool] = None
    valid_for: Given[SpecificationPeriod] = None
    min_cardinality: Given[_Whole] = None
    max_cardinality: Given[_Whole] = None
    is_unique: Given[bool] = None
    regex: Given[str] = None
    extensible: Given[bool] = None
    value_schema_location: Annotated[Given[str], Field(alias="@valueSchemaLocation")] = None
    char_spec_relationship: Given[Many[ChangedSpecRelationship]] = None
    characteristic_value_specification: Given[Many[SpecificationValue]] = None


class NewCharacteristicSpec(ChangedCharacteristicSpec):
    """A characteristic of a new specification."""

    name: str
    value_type: str
    char_spec_relationship: Given[Many[NewSpecRelationship]] = None


class SpecificationMembers(_TypedPart):
    """A specification as it is kept and shown, without the members that the product gives it."""

    name: str
    description: Given[str] = None
    lifecycle_status: Given[str] = None
    spec_characteristic: Given[Many[ChangedCharacteristicSpec]] = None
    related_party: Given[Many[ChangedRelatedParty]] = None
    valid_for: Given[SpecificationPeriod] = None
    version: Given[str] = None


class NewSpecification(SpecificationMembers):
    """A specification to create. Its `id` and its `href` are the affair of the product."""

    id: Given[str] = None
    href: Given[str] = None
    spec_characteristic: Given[Many[NewCharacteristicSpec]] = None
    related_party: Given[Many[NewRelatedParty]] = None


class MergePatch(_TypedPart):
    """What a merge patch must have before it is merged (RFC 7396). The other members are checked when it is."""

    base_type: Annotated[str | None, Field(alias="@baseType")] = None
    schema_location: Annotated[str | None, Field(alias="@schemaLocation")] = None
    id: str | None = None
    href: str | None = None
