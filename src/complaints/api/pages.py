"""Pages of lists that are small enough to be read whole, and the parameter `fields` of every list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from complaints.api import cursors
from complaints.api.problems.refusals import BadRequest
from complaints.api.request import Reply


class CursorQuery(BaseModel):
    """The query parameters of a list that always shows all members."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class PageQuery(CursorQuery):
    """The query parameters of a list from which a caller may choose members."""

    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None
    fields: Annotated[str | None, Field(description="The members to show, with commas between.")] = None


PageParameters = Annotated[PageQuery, Query()]
Item = TypeVar("Item")


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
    shown, cursor = cut_page(
        left, query.limit, lambda last: {"kind": kind, "after": [last[name] for name in order]}
    )
    return page_of(map(dict, shown), fields, cursor)


def parse_fields(fields: str | None, shape: type[BaseModel]) -> frozenset[str] | None:
    """The members that `fields` names; None means all. Raises BadRequest for a member that `shape` lacks."""
    if fields is None:
        return None
    names = frozenset(fields.split(","))
    if unknown := sorted(names - shape.model_fields.keys()):
        raise BadRequest.in_query(
            "fields", f"There is no field {unknown[0][:100]!r}: there are {', '.join(shape.model_fields)}."
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


def cut_page(
    found: Sequence[Item], limit: int, position: Callable[[Item], Mapping[str, Any]]
) -> tuple[Sequence[Item], str | None]:
    """The first `limit` items, and the cursor at the `position` of the last one if `found` has more items."""
    shown = found[:limit]
    return shown, cursors.encode(position(shown[-1])) if len(found) > limit else None


def page_of(items: Iterable[dict[str, Any]], fields: frozenset[str] | None, next_cursor: str | None) -> Reply:
    """The reply with one page of a list."""
    return 200, {"items": [pick_fields(item, fields) for item in items], "next_cursor": next_cursor}, {}
