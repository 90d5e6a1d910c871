"""Pages of lists that are small enough to be read whole, and the parameter `fields` of every list."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from complaints.api import cursors
from complaints.api.problems.refusals import BadRequest
from complaints.api.request import Reply


class PageQuery(BaseModel):
    """The query parameters of every list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None
    fields: Annotated[str | None, Field(description="The members to show, with commas between.")] = None


PageParameters = Annotated[PageQuery, Query()]


def make_page(
    items: Sequence[Mapping[str, Any]],
    query: PageQuery,
    *,
    kind: str,
    order: Sequence[str],
    shape: type[BaseModel],
) -> Reply:
    """Sort `items` by their members `order` and reply with one page of them.

    `kind` names the list in its cursors. `shape` has the members of an item. Raises BadRequest for a cursor of
    another list or an unknown field.
    """
    fields = parse_fields(query.fields, shape)
    after = _after(query.cursor, kind, order)
    ordered = sorted(items, key=lambda item: [item[name] for name in order])
    left = [item for item in ordered if after is None or [item[name] for name in order] > after]
    shown = left[: query.limit]
    more = len(left) > len(shown)
    cursor = cursors.encode({"kind": kind, "after": [shown[-1][name] for name in order]}) if more else None
    return 200, {"items": [pick_fields(dict(item), fields) for item in shown], "next_cursor": cursor}, {}


def parse_fields(fields: str | None, shape: type[BaseModel]) -> frozenset[str] | None:
    """The members that `fields` names; None means all. Raises BadRequest for a member that `shape` lacks."""
    if fields is None:
        return None
    names = frozenset(fields.split(","))
    if unknown := sorted(names - shape.model_fields.keys()):
        raise BadRequest(
            f"There is no field {unknown[0][:100]!r}: there are {', '.join(shape.model_fields)}."
        )
    return names


def _after(cursor: str | None, kind: str, order: Sequence[str]) -> list[Any] | None:
    if cursor is None:
        return None
    after: Any = cursors.decode(cursor, kind).get("after")
    types = [int if name == "version" else str for name in order]
    if not isinstance(after, list) or [type(value) for value in after] != types:
        raise cursors.bad_cursor()
    return after


def pick_fields(item: dict[str, Any], fields: frozenset[str] | None) -> dict[str, Any]:
    """Keep only the members in `fields`; None keeps all."""
    return item if fields is None else {name: value for name, value in item.items() if name in fields}
