"""An edition is one version of TMF621: its path, its media types, and its translation to and from version 5.

The face knows complaints in the words of version 5 alone. An older version is a translation around it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Members = dict[str, Any]
"""A JSON object in the words of one version."""


class TicketView(Protocol):
    """Translates a ticket of version 5 for readers of a version."""

    def __call__(self, ticket: Mapping[str, Any], source: str | None = None, /) -> Members:
        """The ticket in the words of the version. `source` is the system of the reader, if there is one reader."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One version. `name` is the last part of its path.

    `read_new` and `read_change` check the JSON of a body and return it in the words of version 5. They raise
    InvalidContent. `fit_change` takes such a change, the present ticket of version 5, and the source of the caller. Its
    result leaves alone what the version cannot say. `patch_types` are the media types of a change.
    """

    name: str
    content_type: str
    patch_types: tuple[str, ...]
    read_new: Callable[[Any], Members]
    read_change: Callable[[Any], Members]
    fit_change: Callable[[Mapping[str, Any], Mapping[str, Any], str], Members]
    show: TicketView

    @property
    def path(self) -> str:
        """The path below the path of the face."""
        return f"/troubleTicket/{self.name}"
