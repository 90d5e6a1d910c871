"""Routes that show persons in clear to a caller who sees masks, and the log of these accesses."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.complaints.json_shapes import person_json
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.openapi.models import Id, PersonShown
from complaints.api.pages import CursorQuery, cut_page, page_of
from complaints.api.problems.schemas import refusals
from complaints.api.query_types import FilterText, Reference
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.complaint.numbers import number_of
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import AccessKind
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import Reveal
from complaints.use_cases.complaints import revealing
from complaints.use_cases.complaints.filters import FilterInstant
from complaints.use_cases.complaints.revealing import (
    AccessFilter,
    AccessPosition,
    ListedAccess,
    RevealedPersons,
)
from complaints.use_cases.service import Transaction

_CURSOR = "access-log"
_EXAMPLES = read_examples("complaints.api.complaints")

router = APIRouter(route_class=StrictRoute)


class RevealShown(BaseModel):
    """The persons of a complaint in clear. `access_id` is the entry of the access log about this answer."""

    access_id: Annotated[Id, Field(description="The entry of the access log about this answer.")]
    complaint_id: Id
    number: str
    complainant: PersonShown | None
    reporter: PersonShown | None
    service_id: Annotated[str | None, Field(description="The number of the service, in clear.")]


class AccessQuery(CursorQuery):
    """The filters of the access log."""

    actor: Annotated[
        FilterText | None, Field(description="Entries of this actor, as `user:li.wei` or `key:crm`.")
    ] = None
    kind: Annotated[AccessKind | None, Field(description="Entries of this kind.")] = None
    complaint: Annotated[Reference | None, Field(description="Id or number of the complaint.")] = None
    at_from: Annotated[FilterInstant | None, Field(description="Entries at or after this time.")] = None
    at_to: Annotated[FilterInstant | None, Field(description="Entries before this time.")] = None


class AccessShown(BaseModel):
    """An entry of the access log: the actor saw the persons of the complaint, or of many, in clear."""

    id: Annotated[Id, Field(description="The id of the entry.")]
    at: AwareDatetime
    actor: str
    kind: Annotated[AccessKind, Field(description="How the actor saw them.")]
    complaint_id: Annotated[Id | None, Field(description="The complaint; null: an export of many.")]
    number: Annotated[str | None, Field(description="The number of the complaint; null: an export of many.")]
    reason: Annotated[
        str, Field(description="The reason that the actor gave; for an export also its format and filters.")
    ]


class AccessPage(BaseModel):
    """A page of the access log."""

    items: list[AccessShown]
    next_cursor: str | None


@router.post(
    "/complaints/{reference}/reveal",
    tags=["complaints"],
    dependencies=[require_right(Right.REVEAL)],
    responses={
        200: {"model": RevealShown, "description": "The persons in clear"},
        **refusals(
            forbidden="The key has no right to reveal persons.",
            not_found="There is no such complaint, or the key may not know of it.",
        ),
    },
)
def reveal_persons(
    request: CurrentRequest,
    reference: str,
    command: Annotated[Reveal, Body(examples=[_EXAMPLES["reveal"]])],
) -> Response:
    """Show the persons of a complaint in clear, for a reason. An entry of the access log keeps caller and reason.

    The answer is not kept under an `Idempotency-Key`: a repetition is another access with an entry of its own.
    """

    def work(tx: Transaction) -> Reply:
        found = revealing.reveal(request.service, tx, request.caller, reference, reason=command.reason)
        return 200, _revealed_json(found), {}

    return replace(request, attempt=None).write(work)


def _revealed_json(found: RevealedPersons) -> dict[str, Any]:
    persons = {role: person_json(person) for role, person in found.persons.items()}
    return {
        "access_id": found.access.id,
        "complaint_id": found.access.complaint_id,
        "number": number_of(found.complaint_sequence),
        "complainant": persons.get("complainant"),
        "reporter": persons.get("reporter"),
        "service_id": found.service_id,
    }


@router.get(
    "/access-log",
    tags=["audit"],
    dependencies=[require_right(Right.AUDIT)],
    responses={
        200: {"model": AccessPage, "description": "A page of the access log"},
        **refusals(bad_request="An unknown filter, or a cursor that is not one of this list's."),
    },
)
def list_access_log(request: CurrentRequest, query: Annotated[AccessQuery, Query()]) -> Response:
    """Who saw persons in clear and for which reason: latest first."""
    after = None if query.cursor is None else _read_position(query.cursor)
    asked = AccessFilter(query.actor, query.kind, query.complaint, query.at_from, query.at_to)

    def work(tx: Transaction) -> Reply:
        found = revealing.list_accesses(tx, request.caller, asked, after=after, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, _position)
        return page_of(map(_access_json, shown), None, cursor)

    return request.answer(request.service.read_newest(work))


def _access_json(access: ListedAccess) -> dict[str, Any]:
    return {
        "id": to_json(access.id),
        "at": to_json(access.at),
        "actor": access.actor,
        "kind": access.kind,
        "complaint_id": to_json(access.complaint_id),
        "number": None if access.complaint_sequence is None else number_of(access.complaint_sequence),
        "reason": access.reason,
    }


def _position(last: ListedAccess) -> dict[str, Any]:
    return {"kind": _CURSOR, "at": to_json(last.at), "id": to_json(last.id)}


def _read_position(cursor: str) -> AccessPosition:
    position = cursors.decode(cursor, _CURSOR)
    return cursors.instant_in(position, "at"), cursors.id_in(position, "id")
