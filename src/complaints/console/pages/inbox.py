"""The inbox: complaints and other subjects whose escalations wait for somebody, worst first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from complaints.api.deadlines.inbox import cursor_of, position_of
from complaints.api.pages import cut_page
from complaints.console.forms import FormFields, FormState, SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.inbox_rows import inbox_row_of
from complaints.console.views.outcomes import BulkOutcome, outcome_of, say_item
from complaints.domain.errors import InvalidContent
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import Acknowledge
from complaints.use_cases.commands.field_types import parse_instant
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import escalations
from complaints.use_cases.named_filters import ME
from complaints.use_cases.service import Transaction

router = APIRouter()
_PAGE = 50
_EVERYBODY = "all"


@router.get("/inbox")
def show_inbox(request: SignedIn, whose: str = ME, after: str | None = None) -> Response:
    """The inbox of the user, with what waits for those for whom the user stands in. `whose=all`: of everybody."""
    return _show(request, whose, after=after)


@router.post("/inbox/acknowledge")
def acknowledge(request: SignedIn, form: SentForm) -> Response:
    """Acknowledge what the ticked rows showed, or the one row whose button was used."""
    request.caller.require(Right.WORK)
    whose = form.text("whose") or ME
    only = form.text("only")
    rows = [only] if only else form.texts("id")
    if not rows:
        return _show(request, whose, note=request.locale.texts.inbox.none_ticked, form=_again(form))
    work = escalations.acknowledge_rows(
        request.service,
        request.caller,
        [*map(_read_id, rows)],
        read_command(Acknowledge, {"note": form.text("note") or None}),
        say_item(request.locale),
        recipient=_recipient(whose),
        seen_at=_read_seen_at(form),
    )
    answer = request.submit_in_parts(form.attempt, form.body, work)
    return _show(request, whose, outcome=outcome_of(answer.body))


def _again(form: FormFields) -> FormState:
    return FormState({"note": form.text("note")})


def _recipient(whose: str) -> str | None:
    return None if whose == _EVERYBODY else ME


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidContent("The form names a row that does not exist: load the page again.") from None


def _read_seen_at(form: FormFields) -> datetime:
    try:
        return parse_instant(form.text("seen_at"))
    except ValueError:
        raise InvalidContent("The form does not say when its rows were shown: load the page again.") from None


def _show(
    request: PageRequest,
    whose: str,
    *,
    after: str | None = None,
    outcome: BulkOutcome | None = None,
    note: str = "",
    form: FormState | None = None,
) -> Response:
    request.caller.require(Right.READ_OWN)
    values = request.read(lambda tx: _find(request, tx, whose, after))
    template = "fragments/inbox.html" if request.is_partial else "pages/inbox.html"
    return request.page(template, form=form or FormState(), outcome=outcome, note=note, **values)


def _may_acknowledge(request: PageRequest, tx: Transaction, row: Mapping[Any, Any]) -> bool:
    """True if the reader may work at all, and is a recipient of the shown escalation or stands in for one."""
    caller = request.caller
    return Right.WORK in caller.rights and escalations.may_acknowledge(
        request.service, tx, caller, row["recipients"]
    )


def _find(request: PageRequest, tx: Transaction, whose: str, after: str | None) -> dict[str, Any]:
    service, locale = request.service, request.locale
    found = escalations.list_inbox(
        service,
        tx,
        request.caller,
        recipient=_recipient(whose),
        team=None,
        level_min=None,
        after=None if after is None else position_of(after),
        limit=_PAGE + 1,
    )
    shown, more = cut_page(found, _PAGE, cursor_of)
    directory = service.configuration(tx).directory
    return {
        "rows": [
            inbox_row_of(
                row, locale=locale, directory=directory, may_acknowledge=_may_acknowledge(request, tx, row)
            )
            for row in shown
        ],
        "more": more,
        "whose": whose if whose == _EVERYBODY else ME,
        "now": tx.now,
        "may_acknowledge": Right.WORK in request.caller.rights,
    }
