"""The shapes of specifications that callers send, in the words of version 5. Each member is as TMF621 types it.

A new specification must have more members than a changed one. A null stands for nothing here: it is refused, but for
the members of a merge patch, which it takes away.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from complaints.tmf621.shapes import DateTime, Many, NullFreeObject, TmfContent, TypedObject, Uri
from complaints.use_cases.commands.field_types import WHOLE

_Whole = Annotated[int, WHOLE]


class SpecificationPeriod(NullFreeObject):
    """A span of time, as the caller wrote it."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None


class ChangedParty(TypedObject):
    """A party or a role of a party."""

    id: str | None = None
    href: str | None = None
    name: str | None = None
    referred_type: Annotated[str | None, Field(alias="@referredType")] = None
    party_id: str | None = None
    party_name: str | None = None


class NewParty(ChangedParty):
    """A party of a new specification."""

    id: str


class ChangedRelatedParty(TypedObject):
    """A party with its role."""

    role: str | None = None
    party_or_party_role: ChangedParty | None = None


class NewRelatedParty(ChangedRelatedParty):
    """A party of a new specification, with its role."""

    role: str
    party_or_party_role: NewParty | None = None


class ChangedSpecRelationship(TypedObject):
    """A relation between two characteristics."""

    relationship_type: str | None = None
    name: str | None = None
    characteristic_specification_id: str | None = None
    parent_specification_href: Uri | None = None
    valid_for: SpecificationPeriod | None = None
    parent_specification_id: str | None = None


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


class SpecificationValue(TypedObject):
    """A value that a characteristic may take. Its `@type` says of which type `value` is."""

    value_type: str | None = None
    is_default: bool | None = None
    unit_of_measure: str | None = None
    valid_for: SpecificationPeriod | None = None
    value_from: _Whole | None = None
    value_to: _Whole | None = None
    range_interval: str | None = None
    regex: str | None = None
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


class ChangedCharacteristicSpec(TypedObject):
    """A characteristic that tickets of the specification can have."""

    id: str | None = None
    name: str | None = None
    value_type: str | None = None
    description: str | None = None
    configurable: bool | None = None
    valid_for: SpecificationPeriod | None = None
    min_cardinality: _Whole | None = None
    max_cardinality: _Whole | None = None
    is_unique: bool | None = None
    regex: str | None = None
    extensible: bool | None = None
    value_schema_location: Annotated[str | None, Field(alias="@valueSchemaLocation")] = None
    char_spec_relationship: Many[ChangedSpecRelationship] | None = None
    characteristic_value_specification: Many[SpecificationValue] | None = None


class NewCharacteristicSpec(ChangedCharacteristicSpec):
    """A characteristic of a new specification."""

    name: str
    value_type: str
    char_spec_relationship: Many[NewSpecRelationship] | None = None


class SpecificationMembers(TypedObject):
    """A specification as it is kept and shown, without the members that the product gives it."""

    name: str
    description: str | None = None
    lifecycle_status: str | None = None
    spec_characteristic: Many[ChangedCharacteristicSpec] | None = None
    related_party: Many[ChangedRelatedParty] | None = None
    valid_for: SpecificationPeriod | None = None
    version: str | None = None


class NewSpecification(SpecificationMembers):
    """A specification to create. Its `id` and its `href` are the affair of the product."""

    id: str | None = None
    href: str | None = None
    spec_characteristic: Many[NewCharacteristicSpec] | None = None
    related_party: Many[NewRelatedParty] | None = None


class MergePatch(TmfContent):
    """What a merge patch must have before it is merged (RFC 7396). The other members are checked when it is."""

    type_: Annotated[str, Field(alias="@type")]
    base_type: Annotated[str | None, Field(alias="@baseType")] = None
    schema_location: Annotated[str | None, Field(alias="@schemaLocation")] = None
    id: str | None = None
    href: str | None = None
