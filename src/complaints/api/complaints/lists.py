"""Routes for lists of complaints, and for the counts of overdue complaints."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.responses import Response

from complaints.api.complaints.json_shapes import complaint_json
from complaints.api.complaints.list_orders import ORDERS, choose_order, read_cursor, write_cursor
from complaints.api.complaints.schemas import AgeCount, ComplaintPage, ComplaintShown, DueSummaryShown
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import PageQuery, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.query_types import Flag
from complaints.api.request import CurrentRequest, Reply, note_persons, require_right
from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import to_json
from complaints.domain.time.preview import DURATION, DURATION_LENGTH, parse_duration
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.filters import ComplaintFilter
from complaints.use_cases.complaints.views import ComplaintParts
from complaints.use_cases.service import Transaction

router = APIRouter(route_class=StrictRoute)
_CURSOR = "complaints"
_PERSONS = frozenset({"complainant", "reporter"})
_AGES = AgeCount.model_fields["age"].annotation.__args__  # type: ignore[union-attr]
_LONGEST_SOON = timedelta(days=366)


class ComplaintListQuery(ComplaintFilter, PageQuery):
    """The query of a list of complaints: filters, order, page and members."""

    sort: Annotated[
        str | None,
        Field(
            description="`-` before it reverses. Without it: next_due_at with overdue=true (most overdue "
            "first), else -received_at (newest first). What has no due time comes last either way.",
            json_schema_extra={"enum": [*ORDERS]},
        ),
    ] = None
    count: Annotated[Flag, Field(description="Also count the complaints that fit, up to 10,000.")] = False


@router.get(
    "/complaints",
    tags=["complaints"],
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {"model": ComplaintPage, "description": "A page of complaints"},
        **refusals(
            bad_request="Unknown filter, sort or field, or a cursor that is not one of this list's.",
            forbidden="A filter by phone, email, name or account_no, with a key that may not see personal data.",
        ),
    },
)
def list_complaints(
    http_request: Request, request: CurrentRequest, query: Annotated[ComplaintListQuery, Query()]
) -> Response:
    """Complaints within the scope of the caller that fit every filter.

    `assignee=me` and `first_owner=me` find the caller's own complaints, also outside that scope.

    A cursor goes on where a page ended, however much was added meanwhile; it belongs to the filters and the
    sort it was given for. `attributes.<key>=<value>` finds an attribute with this text, number or boolean.
    """
    default = "next_due_at" if query.overdue else "-received_at"
    sort = default if query.sort is None else query.sort
    order = choose_order(sort)
    fields = parse_fields(query.fields, ComplaintShown)
    bound = {"kind": _CURSOR, "sort": sort, "filters": query.digest()}
    after = read_cursor(query.cursor, bound, order)

    def work(tx: Transaction) -> Reply:
        found, end = lists.list_complaints(
            request.service, tx, request.caller, query, order, after=after, limit=query.limit
        )
        if fields is None or not fields.isdisjoint(_PERSONS):
            note_persons(http_request.scope, _find_in_clear(found))
        status, page, headers = page_of(map(complaint_json, found), fields, write_cursor(end, bound))
        return status, {**(page or {}), **(counted(tx) if query.count else {})}, headers

    def counted(tx: Transaction) -> dict[str, Any]:
        found = lists.count_views(request.service, tx, request.caller, query)
        return {"count": found.count, "count_is_minimum": found.is_minimum}

    return request.read(work)


def _find_in_clear(found: Iterable[ComplaintParts]) -> Iterator[UUID]:
    """The ids of the complaints whose persons are shown in clear."""
    return (parts.members["id"] for parts in found if parts.persons and parts.in_clear)


# Counts of overdue complaints -----------------------------------------------------------------------------------------


def _soon(value: object) -> timedelta:
    text = str(value)
    try:
        length = parse_duration(f"PT{text}H" if text.isascii() and text.isdigit() else text)
    except InvalidContent as fault:
        raise ValueError(fault.detail) from None
    if length.months:
        raise ValueError("Months and years have no fixed length: write days or hours, such as P3D or PT24H.")
    soon = timedelta(days=length.days, microseconds=length.microseconds)
    if not timedelta(0) < soon <= _LONGEST_SOON:
        raise ValueError("Must be more than nothing and at most 366 days.")
    return soon


class SummaryQuery(BaseModel):
    """The query of the counts."""

    model_config = ConfigDict(extra="forbid")

    soon: Annotated[
        timedelta,
        BeforeValidator(_soon),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": f"^([0-9]+|{DURATION})$",
                "maxLength": DURATION_LENGTH,
                "default": "PT24H",
                "examples": ["PT24H", "P3D", "8"],
            }
        ),
        Field(
            description="Within this time from now: an ISO 8601 duration up to P366D, or a number of hours."
        ),
    ] = timedelta(hours=24)


@router.get(
    "/overdue/summary",
    tags=["overdue"],
    dependencies=[require_right(Right.READ)],
    responses={200: {"model": DueSummaryShown, "description": "The counts"}},
)
def summarise_overdue(request: CurrentRequest, query: Annotated[SummaryQuery, Query()]) -> Response:
    """How many complaints are overdue, and how many are not but fall due soon.

    By team, assignee, category, priority, kind and age, by the clock, whether or not the engine has taken its steps
    yet. A complaint counts once, and in `by_kind` once for each kind of deadline it is late with.
    """

    def work(tx: Transaction) -> Reply:
        return 200, _summary_json(lists.summarise_due(request.service, tx, request.caller, query.soon)), {}

    return request.read(work)


def _summary_json(summary: lists.DueSummary) -> dict[str, Any]:
    return {
        "now": to_json(summary.now),
        "soon_until": to_json(summary.soon_until),
        "overdue": _tally_json(summary.overdue) | {"by_age": _ages_json(summary.by_age)},
        "soon_due": _tally_json(summary.soon_due),
    }


def _tally_json(tally: lists.Tally) -> dict[str, Any]:
    return {
        "total": tally.total,
        "by_team": [{"team": team, "count": count} for team, count in tally.by_team.items()],
        "by_assignee": [{"assignee": login, "count": count} for login, count in tally.by_assignee.items()],
        "by_category": [{"category": code, "count": count} for code, count in tally.by_category.items()],
        "by_priority": [{"priority": name, "count": count} for name, count in tally.by_priority.items()],
        "by_kind": [{"kind": kind, "count": count} for kind, count in tally.by_kind.items()],
    }


def _ages_json(counts: tuple[int, ...]) -> list[dict[str, Any]]:
    hours = [int(age.total_seconds()) // 3600 for age in lists.AGES]
    return [
        {"age": age, "from_hours": start, "to_hours": end, "count": count}
        for age, start, end, count in zip(_AGES, hours, [*hours[1:], None], counts, strict=True)
    ]
