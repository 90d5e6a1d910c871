"""The members that a ticket has and a complaint has not. The attribute `tmf621` of the complaint keeps them, as sent.

Nothing is kept twice. Where a kept object names a thing of the complaint, the complaint alone has the name: a kept
identifier then has no `id`, and a kept party no `id` and no `name`. They come back from the complaint.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from complaints.domain.visibility import has_visible_character

ATTRIBUTE = "tmf621"
"""The attribute, an object with members of version 5. Staff sees it beside the other attributes."""
LONGEST_CODE = 200


def kept_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The kept members of a complaint with these attributes. A caller who may not see attributes gets none."""
    kept = attributes.get(ATTRIBUTE)
    return kept if isinstance(kept, Mapping) else {}


def kept_list(kept: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A kept list of objects; empty if there is none. Anybody may write attributes, so other values are left out."""
    found = kept.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def kept_object(kept: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A kept object; empty if there is none."""
    found = kept.get(name)
    return found if isinstance(found, dict) else {}


def kept_text(kept: Mapping[str, Any], name: str) -> str | None:
    """A kept text, or None."""
    found = kept.get(name)
    return found if isinstance(found, str) else None


def to_members(given: BaseModel) -> dict[str, Any]:
    """A given object as JSON in the words of version 5, with the members that have a value."""
    return given.model_dump(mode="json", by_alias=True, exclude_none=True)


def is_code(text: str | None) -> bool:
    """True if a complaint can have this text as a name, a code, or an external id."""
    return text is not None and 0 < len(text) <= LONGEST_CODE and has_visible_character(text)
