"""The outcome of one action on many: how many are done, and why the others are not."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from complaints.console.locale import Locale
from complaints.use_cases.bulk import BulkItem


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """The number of items that are done, and of the refused ones by the words of the refusal."""

    done: int
    refused: dict[str, int]


def say_item(locale: Locale) -> Callable[[BulkItem], dict[str, Any]]:
    """Make the function that says to a reader how it went with an item, for `outcome_of`."""

    def show(item: BulkItem) -> dict[str, Any]:
        return {"refusal": locale.refusal(item.refusal.detail) if item.refusal else ""}

    return show


def outcome_of(body: bytes) -> BulkOutcome:
    """The outcome from the answer of a bulk call whose items `say_item` shows."""
    refusals = Counter(item["refusal"] for item in from_json(body)["items"])
    return BulkOutcome(refusals.pop("", 0), dict(refusals))
