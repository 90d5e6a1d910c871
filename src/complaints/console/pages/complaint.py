"""One complaint on one page: the facts, the clocks as bars, the ladders, the history, links and attachments."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.request import note_persons
from complaints.console.forms import FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.action_loading import load_panel
from complaints.console.views import complaint_facts
from complaints.console.views.action_panel import ActionPanel
from complaints.console.views.clock_bars import ClockBar, bar_of, name_of_deadline
from complaints.console.views.event_words import EventWords
from complaints.console.views.explained_time import explained_time_of
from complaints.console.views.names import ShownNames
from complaints.console.views.timeline import Chip, Timeline, timeline_of
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.policy import Policy
from complaints.features.complainant_page.use_cases import PageLink, find_link
from complaints.use_cases.access import Right
from complaints.use_cases.attachments.reading import Attachment, list_attachments
from complaints.use_cases.complaints import explanation, history, lists, revealing
from complaints.use_cases.complaints.deadline_details import DeadlineDetail, load_deadline_details
from complaints.use_cases.complaints.history import HistoryStretch
from complaints.use_cases.complaints.repeats import EarlierComplaint, list_earlier
from complaints.use_cases.complaints.revealing import RevealedPersons
from complaints.use_cases.complaints.views import ComplaintView, LinkView, find_view_links_to
from complaints.use_cases.service import Transaction

router = PrefixedRouter(prefix="/complaints")
_EVENTS = 200
_MOST = 100  # attachments, and links to a complaint
_REASON, _LONGEST_REASON = "reveal_reason", 2000  # not the name of a field in a form of an action

ShownChip = Annotated[Chip, Query(alias="show")]
AfterOrdinal = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


@dataclass(frozen=True, slots=True)
class LoadedComplaint:
    """Everything about one complaint, of one snapshot. `page_link` is None for a caller who adds no contacts."""

    view: ComplaintView
    policy: Policy
    details: list[DeadlineDetail]
    stretch: HistoryStretch
    links_to: list[LinkView]
    attachments: list[Attachment]
    page_link: PageLink | None
    earlier: Sequence[EarlierComplaint | Complaint]
    names: ShownNames
    panel: ActionPanel


@router.get("/{reference}")
def show_complaint(
    request: SignedIn, reference: str, chip: ShownChip = Chip.ALL, after: AfterOrdinal = None
) -> Response:
    """The page of a complaint, by its id or number. `after` is the ordinal after which its history is shown."""
    loaded = _load(request, reference, after)
    return request.page("pages/complaint.html", **_values(request, loaded, chip))


@router.get("/{reference}/parts")
def show_parts(
    request: SignedIn, reference: str, chip: ShownChip = Chip.ALL, after: AfterOrdinal = None
) -> Response:
    """The parts of the page that change, each for its place. A form that is open stays as it is."""
    loaded = _load(request, reference, after)
    return request.page("fragments/complaint_parts.html", **_values(request, loaded, chip))


@router.get("/{reference}/timeline")
def show_timeline(
    request: SignedIn, reference: str, chip: ShownChip = Chip.ALL, after: AfterOrdinal = None
) -> Response:
    """The time line alone, for a script of the page. Without scripts, the whole page."""
    loaded = _load(request, reference, after)
    template = "fragments/timeline.html" if request.is_partial else "pages/complaint.html"
    return request.page(template, **_values(request, loaded, chip))


@router.get("/{reference}/deadlines/{deadline_id}")
def explain_deadline(
    request: SignedIn, reference: str, deadline_id: UUID, *, again: bool = False
) -> Response:
    """Why a deadline is due when it is: in its place on the page, or as a page of its own.

    `again`: a script asks because the complaint changed, so the focus stays where the reader has it.
    """
    request.caller.require(Right.READ_OWN)

    def work(tx: Transaction) -> dict[str, Any]:
        view = lists.load_view(request.service, tx, request.caller, reference)
        explained = explanation.explain(request.service, tx, request.caller, reference, deadline_id)
        deadline = next(one for one in view.complaint.deadlines if one.id == deadline_id)
        return {
            "number": number_of(view.complaint.sequence),
            "name": name_of_deadline(deadline, _names(request, tx)),
            "explained": explained_time_of(explained, request.locale),
            "now": view.now,
        }

    values = request.read(work)
    template = "fragments/explanation.html" if request.is_partial else "pages/explanation.html"
    return request.page(template, deadline_id=deadline_id, again=again, **values)


@router.post("/{reference}/reveal")
def reveal_persons(request: SignedIn, reference: str, form: SentForm) -> Response:
    """Show the persons in clear, for a reason that the access log keeps. Each time is another access."""
    template = "fragments/persons.html" if request.is_partial else "pages/complaint.html"
    try:
        revealed = _reveal(request, reference, form.text(_REASON).strip())
    except InvalidContent as refusal:
        state = refused_form(form, refusal, request.locale)
        values = _values(request, _load(request, reference, None), Chip.ALL)
        return request.page(template, status=422, **values | {"reveal_form": state})
    values = _values(request, _load(request, reference, None), Chip.ALL)
    note_persons(request.http.scope, [values["complaint"].complaint.id])
    shown = complaint_facts.persons_of(revealed.persons, values["names"])
    clear = {"persons": shown, "service_id": revealed.service_id, "may_reveal": False, "is_revealed": True}
    return request.page(template, **values | clear)


def _reveal(request: PageRequest, reference: str, reason: str) -> RevealedPersons:
    """Raises InvalidContent for a reason that is empty or too long, and the refusals of `revealing.reveal`."""
    if not 0 < len(reason) <= _LONGEST_REASON:
        raise InvalidContent.at(f"/{_REASON}", f"must have 1 to {_LONGEST_REASON} characters")
    return request.service.write(
        lambda tx: revealing.reveal(request.service, tx, request.caller, reference, reason=reason)
    )


def _load(request: PageRequest, reference: str, after: int | None) -> LoadedComplaint:
    """Raises NotFound, also for a complaint outside the scope of the user."""
    request.caller.require(Right.READ_OWN)
    loaded = request.read(lambda tx: _load_parts(request, tx, reference, after))
    if loaded.view.in_clear and loaded.view.persons:
        note_persons(request.http.scope, [loaded.view.complaint.id])
    return loaded


def _load_parts(request: PageRequest, tx: Transaction, reference: str, after: int | None) -> LoadedComplaint:
    service, caller = request.service, request.caller
    view = lists.load_view(service, tx, caller, reference)
    complaint, known = view.complaint, str(view.complaint.id)
    may_write = caller.has_right_on(Right.CONTRIBUTE, complaint)
    return LoadedComplaint(
        view=view,
        policy=service.configuration(tx).policy_of(complaint),
        details=load_deadline_details(service, tx, complaint),
        stretch=history.load_stretch(tx, caller, known, after=after, limit=_EVENTS),
        links_to=find_view_links_to(tx, caller, complaint.id, limit=_MOST),
        attachments=[*list_attachments(tx, caller, known, limit=_MOST)],
        page_link=find_link(service, tx, caller, known) if may_write else None,
        earlier=list_earlier(service, tx, caller, complaint) if view.in_clear else (),
        names=_names(request, tx),
        panel=load_panel(request, tx, known),
    )


def _names(request: PageRequest, tx: Transaction) -> ShownNames:
    found = request.service.configuration(tx)
    return ShownNames(request.locale, found.directory, found.categories, found.kind_titles)


def _values(request: PageRequest, loaded: LoadedComplaint, chip: Chip) -> dict[str, Any]:
    """The values of the templates of the page and of its parts."""
    view, names, caller = loaded.view, loaded.names, request.caller
    complaint, persons = view.complaint, loaded.view.persons
    language = persons["complainant"].language if "complainant" in persons else None
    cycles = _bars_by_cycle(loaded)
    can_be_revealed = not view.in_clear and bool(persons or complaint.service_id)
    return {
        "complaint": view,
        "names": names,
        "now": view.now,
        "zone": loaded.policy.timezone,
        "head": complaint_facts.head_of(complaint, names),
        "facts": complaint_facts.facts_of(view, loaded.policy, names),
        "result": complaint_facts.result_of(complaint, names),
        "satisfaction": complaint_facts.satisfaction_of(complaint, names),
        "links": complaint_facts.links_of(view.links, loaded.links_to, names),
        "acknowledgement": loaded.policy.acknowledgement_for(language, number=number_of(complaint.sequence)),
        "persons": complaint_facts.persons_of(persons, names),
        "service_id": None,
        "is_revealed": False,
        "earlier": complaint_facts.earlier_of(loaded.earlier, names),
        "may_reveal": can_be_revealed and caller.has_right_on(Right.REVEAL, complaint),
        "reveal_form": FormState(),
        "bars": cycles.pop(complaint.cycle, []),
        "former_cycles": cycles,
        "timeline": _timeline(loaded, chip),
        "attachments": loaded.attachments,
        "may_download": caller.has_right_on(Right.SEE_PERSONS, complaint),
        "may_write": caller.has_right_on(Right.CONTRIBUTE, complaint),
        "page_link": loaded.page_link,
        "panel": loaded.panel,
        "form": None,
    }


def _bars_by_cycle(loaded: LoadedComplaint) -> dict[int, list[ClockBar]]:
    """The bars of the deadlines by cycle, in the order in which they were started."""
    now, names = loaded.view.now, loaded.names
    by_cycle = groupby(loaded.details, key=lambda one: one.deadline.cycle)
    return {cycle: [bar_of(one, now, names) for one in details] for cycle, details in by_cycle}


def _timeline(loaded: LoadedComplaint, chip: Chip) -> Timeline:
    linked = [*loaded.view.links, *loaded.links_to]
    numbers = {str(one.complaint_id): number_of(one.sequence) for one in linked}
    deadlines = {str(one.deadline.id): name_of_deadline(one.deadline, loaded.names) for one in loaded.details}
    words = EventWords(loaded.names, numbers, deadlines, loaded.view.now)
    return timeline_of(loaded.stretch, chip, words, limit=_EVENTS)
