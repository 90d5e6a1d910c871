"""The shape of a hub that callers send. TMF621 gives it one member that must be there: `callback`."""

from typing import Annotated

from pydantic import Field

from complaints.tmf621.shapes import TmfContent


class GivenHub(TmfContent):
    """A subscription to events. `query` is a filter, or a text of the client."""

    callback: Annotated[str, Field(min_length=1, max_length=2000)]
    query: Annotated[str | None, Field(max_length=2000)] = None


class GivenTypedHub(GivenHub):
    """A hub of version 5, which names its type."""

    type_: Annotated[str, Field(alias="@type")]
