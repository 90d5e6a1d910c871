"""Values that the examples of several routes share."""

from typing import Any

COMPLAINT_ID = "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e11"


DEADLINE_ID = "019b8bc5-1a40-7000-9d3c-6f1f2a0b7e12"


NUMBER = "C000000427"


CURSOR = "eyJraW5kIjoiY2hhbmdlcyIsImFmdGVyIjoxMDQyfQ"


def page(item: dict[str, Any]) -> dict[str, Any]:
    """A list that has only one item, as an answer."""
    return {"items": [item], "next_cursor": None}
