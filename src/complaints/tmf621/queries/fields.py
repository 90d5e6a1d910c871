"""The members of an object that a caller asks for with `fields`."""

from collections.abc import Mapping, Sequence
from typing import Any

ALWAYS = ("id", "href", "@type")
"""Members that are shown whatever `fields` says."""


def pick_fields(shown: Mapping[str, Any], fields: Sequence[str] | None) -> dict[str, Any]:
    """The members named by `fields`, and the members of `ALWAYS`. None: all members.

    A name that the object has not is ignored: other objects of the same list may have that member.
    """
    if fields is None:
        return dict(shown)
    asked = {*ALWAYS, *fields}
    return {name: value for name, value in shown.items() if name in asked}
