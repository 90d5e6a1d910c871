"""An edition is one version of TMF621: its path, its media types, and its translation to and from version 5.

The face knows complaints in the words of version 5 alone. An older version is a translation around it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Members = dict[str, Any]
"""A JSON object in the words of one version."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version. `name` is the last part of its path.

    `read_new` and `read_change` check the JSON of a body and return it in the words of version 5. They raise
    InvalidContent. `show` translates a ticket of version 5. `patch_types` are the media types of a change.
    """

    name: str
    content_type: str
    patch_types: tuple[str, ...]
    read_new: Callable[[Any], Members]
    read_change: Callable[[Any], Members]
    show: Callable[[Mapping[str, Any]], Members]

    @property
    def path(self) -> str:
        """The path below the path of the face."""
        return f"/troubleTicket/{self.name}"
