"""What a ticket has and a complaint has not. The attribute `tmf621` of the complaint keeps it, as it was sent."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

ATTRIBUTE = "tmf621"
"""The attribute, an object with members of version 5. Staff sees it beside the other attributes."""


def kept_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The kept members of a complaint with these attributes. A caller who may not see attributes gets none."""
    kept = attributes.get(ATTRIBUTE)
    return kept if isinstance(kept, Mapping) else {}


def to_members(given: BaseModel) -> dict[str, Any]:
    """A given object as JSON in the words of version 5, with the members that have a value."""
    return given.model_dump(mode="json", by_alias=True, exclude_none=True)
