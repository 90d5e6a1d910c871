"""The route for the audit log of the configuration."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import CursorQuery, cut_page, page_of
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.domain.vocabulary import AuditAction, AuditSubject
from complaints.use_cases.access import Right
from complaints.use_cases.configuration.audit import AuditEvent, AuditFilter, list_audit_events
from complaints.use_cases.service import Transaction

_CURSOR = "audit"
_MOST = 2**31 - 1
Name = Annotated[str, Field(min_length=1, max_length=220)]

router = PrefixedRouter(
    prefix="/audit", tags=["audit"], route_class=StrictRoute, dependencies=[require_right(Right.AUDIT)]
)


class AuditQuery(CursorQuery):
    """The filters of the audit log."""

    subject: Annotated[
        AuditSubject | None, Field(description="Entries about this kind of configuration.")
    ] = None
    code: Annotated[
        Name | None, Field(description="Entries about the subject with this code, login or id.")
    ] = None
    actor: Annotated[
        Name | None, Field(description="Entries of this actor, as `user:li.wei` or `key:crm`.")
    ] = None


class AuditEventShown(BaseModel):
    """An entry of the audit log. `state` is the whole subject after the change; secrets stand as digests."""

    sequence: int
    at: AwareDatetime
    actor: str
    subject: AuditSubject
    code: str
    action: AuditAction
    changed: list[str]
    state: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit log."""

    items: list[AuditEventShown]
    next_cursor: str | None


def event_json(event: AuditEvent) -> dict[str, Any]:
    """An entry as the API shows it."""
    return {
        "sequence": event.sequence,
        "at": to_json(event.at),
        "actor": event.actor,
        "subject": event.subject,
        "code": event.code,
        "action": event.action,
        "changed": event.changed,
        "state": event.state,
    }


@router.get(
    "",
    responses={
        200: {"model": AuditPage, "description": "A page of the audit log"},
        **refusals(bad_request="An unknown filter, or a cursor that is not one of this list's."),
    },
)
def list_audit(request: CurrentRequest, query: Annotated[AuditQuery, Query()]) -> Response:
    """Who changed users, teams, departments, categories, calendars, policies and keys: latest first."""
    before = None
    if query.cursor is not None:
        before = cursors.integer_in(cursors.decode(query.cursor, _CURSOR), "before", most=_MOST)
    asked = AuditFilter(query.subject, query.code, query.actor)

    def work(tx: Transaction) -> Reply:
        found = list_audit_events(tx, request.caller, asked, before=before, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, lambda last: {"kind": _CURSOR, "before": last.sequence})
        return page_of(map(event_json, shown), None, cursor)

    return request.read(work)
