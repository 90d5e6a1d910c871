"""Routes of stored calendars, which policy documents can name."""

from typing import Annotated, Any

from fastapi import Body, Path
from pydantic import WithJsonSchema
from starlette.responses import Response

from complaints.api.configuration.schemas import CalendarShown, Page
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.calendar_schemas import calendar_schema
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.errors import InvalidContent
from complaints.domain.time.calendar_document import calendar_document
from complaints.domain.time.calendars import WorkCalendar
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.configuration import calendars
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/calendars", tags=["reference data"], route_class=StrictRoute)
_EXAMPLES = read_examples("complaints.api.configuration")
_SHOWN = {"model": CalendarShown}
_CODE = {"type": ["string", "null"], "description": "As in the path, or absent."}
Document = Annotated[
    dict[str, Any],
    WithJsonSchema(calendar_schema(_EXAMPLES["calendar"], code=_CODE)),
    Body(title="StoredCalendar"),
]


def calendar_json(code: str, calendar: WorkCalendar) -> dict[str, Any]:
    """A calendar as the API shows it."""
    return {"code": code, **calendar_document(calendar)}


@router.get("", dependencies=[require_right(Right.READ_OWN)], responses={200: {"model": Page[CalendarShown]}})
def list_calendars(request: CurrentRequest, query: PageParameters) -> Response:
    """Every stored calendar, by code."""

    def work(tx: Transaction) -> Reply:
        found = request.service.cache.current(tx, certain=True).calendars
        shown = [calendar_json(code, calendar) for code, calendar in found.items()]
        return make_page(shown, query, kind="calendars", order=["code"], shape=CalendarShown)

    return request.read(work)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: _SHOWN, **refusals(not_found="There is no such calendar.")},
)
def get_calendar(request: CurrentRequest, code: str) -> Response:
    """One stored calendar."""

    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        return 200, calendar_json(code, calendars.load_calendar(configuration, code)), {}

    return request.read(work)


@router.put("/{code}", dependencies=[require_right(Right.CONFIGURE)], responses={200: _SHOWN, 201: _SHOWN})
def put_calendar(
    request: CurrentRequest, code: Annotated[Identifier, Path(examples=["office"])], document: Document
) -> Response:
    """Make a calendar (201), or replace it (200). One without an open hour within 366 days is refused.

    A policy document names it with `use`, and takes it in as it is when the document is applied: what changes
    here later moves no deadline until the policy is applied again.
    """
    members = dict(document)
    if members.pop("code", None) not in (None, code):
        raise InvalidContent.at("/code", f"The code in the path is {code!r}: say the same, or leave it out.")

    def work(tx: Transaction) -> Reply:
        calendar, new = calendars.put_calendar(request.service, tx, request.caller, code, members)
        return 201 if new else 200, calendar_json(code, calendar), {"Location": f"/v1/calendars/{code}"}

    return request.configure(work)
