"""Follow-ups: the contacts that are due, by day, each with a call sheet and the buttons for its outcome."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import RedirectResponse, Response

from complaints.api.deadlines.follow_ups import read_position, write_position
from complaints.api.request import note_persons
from complaints.console.forms import FormFields, FormState, SentForm, refused_form
from complaints.console.locale import Locale
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.rendering import html_response, render
from complaints.console.views.call_sheets import WEEK, CallRow, DayGroup, call_row_of, say_what_follows
from complaints.console.views.complaint_facts import say_outcome
from complaints.domain.errors import InvalidContent
from complaints.domain.staff import Directory, Team
from complaints.domain.vocabulary import ContactOutcome, DeadlineKind
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import RecordContact
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import follow_ups, lists, promises
from complaints.use_cases.complaints.follow_ups import FollowUpFilter, midnight
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction

router = APIRouter()
_PAGE = 25
_MOST_TEAMS = 8
MINE, ALL = "mine", "all"
_SCORES = {"csat": range(1, 6), "nps": range(11)}


@dataclass(frozen=True, slots=True)
class Asked:
    """The contacts that a reader asks for: of the user (`mine`), of a team by its code, or `all`. None: any day."""

    whose: str
    when: DayGroup | None
    cursor: str | None

    def address(self, **changes: str | None) -> dict[str, str]:
        """The query of this page with these changes. The first page follows a change."""
        named = {"whose": self.whose, "when": self.when, **changes}
        return {name: value for name, value in named.items() if value}


def read_asked(
    whose: Annotated[str, Query(max_length=200)] = MINE,
    when: DayGroup | None = None,
    cursor: str | None = None,
) -> Asked:
    """What the address asks for."""
    return Asked(whose, when, cursor)


AskedFor = Annotated[Asked, Depends(read_asked)]


@router.get("/follow-ups")
def show_follow_ups(request: SignedIn, asked: AskedFor) -> Response:
    """The contacts that are due within a week, the earliest due first."""
    request.caller.require(Right.READ_OWN)
    return request.page("pages/follow_ups.html", **request.read(lambda tx: _find(request, tx, asked)))


def _find(request: PageRequest, tx: Transaction, asked: Asked) -> dict[str, Any]:
    found = follow_ups.list_follow_ups(
        request.service,
        tx,
        request.caller,
        _filter(asked, tx.now, request.locale),
        day_on=None,
        after=None if asked.cursor is None else read_position(asked.cursor),
        limit=_PAGE + 1,
    )
    directory = request.service.configuration(tx).directory
    shown = found[:_PAGE]
    note_persons(request.http.scope, (one.complaint_id for one in shown if one.in_clear))
    rows = [call_row_of(one, now=tx.now, locale=request.locale, directory=directory) for one in shown]
    return {
        "asked": asked,
        "groups": _grouped(rows),
        "days": list(DayGroup),
        "teams": _teams(request, directory),
        "reads_all": Right.READ in request.caller.rights,
        "can_record": Right.WORK in request.caller.rights,
        "next_cursor": write_position(shown[-1]) if len(found) > _PAGE else None,
        **_form_values(),
    }


def _teams(request: PageRequest, directory: Directory) -> list[Team]:
    """The teams of the user. A user without a team gets the first teams of the house."""
    own = [directory.teams[code] for code in request.viewer.user.teams if code in directory.teams]
    if own or Right.READ not in request.caller.rights:
        return own
    return [team for team in directory.teams.values() if team.active][:_MOST_TEAMS]


def _filter(asked: Asked, now: datetime, locale: Locale) -> FollowUpFilter:
    """The filter of a group of days, by the local midnights of the reader."""
    today = locale.local(now).date()
    ends = [midnight(today + timedelta(days=days), locale.zone) for days in (1, 2, WEEK.days)]
    spans: dict[DayGroup | None, tuple[datetime | None, datetime]] = {
        None: (None, ends[2]),
        DayGroup.OVERDUE: (None, now),
        DayGroup.TODAY: (now, ends[0]),
        DayGroup.TOMORROW: (ends[0], ends[1]),
        DayGroup.WEEK: (ends[1], ends[2]),
    }
    due_from, due_to = spans[asked.when]
    return FollowUpFilter(
        due_from=due_from,
        due_to=due_to,
        owner="me" if asked.whose == MINE else None,
        team=None if asked.whose in (MINE, ALL) else asked.whose,
    )


def _grouped(rows: list[CallRow]) -> list[tuple[DayGroup, list[CallRow]]]:
    groups: dict[DayGroup, list[CallRow]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return list(groups.items())


# The call -----------------------------------------------------------------------------------------------------------


@router.get("/follow-ups/{number}/sheet")
def show_sheet(request: SignedIn, number: str) -> Response:
    """What a caller must know: the complaint in short, the result, the contacts so far, and the promises."""
    request.caller.require(Right.READ_OWN)
    return request.page("fragments/call_sheet.html", **request.read(lambda tx: _sheet(request, tx, number)))


def _sheet(request: PageRequest, tx: Transaction, number: str) -> dict[str, Any]:
    view = lists.load_view(request.service, tx, request.caller, number)
    made = [
        one
        for one in view.complaint.deadlines
        if one.kind == DeadlineKind.FOLLOW_UP and one.met_at is not None
    ]
    promised = promises.list_promises(tx, request.caller, number)
    outcome = say_outcome(view.complaint, request.locale)
    shown = {"complaint": view.complaint, "outcome": outcome, "made": made, "promised": promised}
    return {"number": number, "now": tx.now, **shown}


@router.post("/follow-ups/{number}/{deadline_id}")
def record_contact(
    request: SignedIn, number: str, deadline_id: UUID, form: SentForm, asked: AskedFor
) -> Response:
    """Record the outcome of a call. The row shows what follows from it; without scripts, the list comes again."""
    request.caller.require(Right.WORK)
    try:
        command = read_command(RecordContact, _members_of(form))
        answer = request.submit(
            form.attempt, form.body, lambda tx: _record(request, tx, number, deadline_id, command)
        )
    except InvalidContent as refusal:
        return _form_again(request, form, refusal, number=number, deadline_id=deadline_id, asked=asked)
    if request.is_partial:
        return html_response(answer.body.decode())
    return RedirectResponse(f"/console/follow-ups?{urlencode(asked.address())}", 303)


def _members_of(form: FormFields) -> dict[str, Any]:
    members = {"action": "record_contact", **form.members()}
    scores = {name: form.number(name) for name in _SCORES}
    return members | {name: score for name, score in scores.items() if score is not None}


def _record(
    request: PageRequest, tx: Transaction, number: str, deadline_id: UUID, command: RecordContact
) -> Answer:
    """The answer keeps no personal data: it is stored for a repetition."""
    changed = follow_ups.record_due_contact(request.service, tx, request.caller, number, deadline_id, command)
    request.http.scope["state"]["complaint"] = str(changed.id)  # for the request log
    said = say_what_follows(changed, command.outcome, now=tx.now, locale=request.locale)
    content = render(
        "fragments/contact_made.html",
        locale=request.locale,
        outcome=command.outcome,
        reached=command.outcome is not ContactOutcome.UNREACHABLE,
        scores=(command.csat, command.nps),
        said=said,
    )
    return Answer(200, content.encode())


def _form_again(
    request: PageRequest,
    form: FormFields,
    refusal: InvalidContent,
    *,
    number: str,
    deadline_id: UUID,
    asked: Asked,
) -> Response:
    state = refused_form(form, refusal, request.locale)
    return request.page(
        "fragments/contact_form.html" if request.is_partial else "pages/contact.html",
        status=422,
        asked=asked,
        number=number,
        deadline_id=deadline_id,
        form=state,
        **_form_values(),
    )


def _form_values() -> dict[str, Any]:
    return {"outcomes": list(ContactOutcome), "scores": _SCORES, "new_form": FormState}
