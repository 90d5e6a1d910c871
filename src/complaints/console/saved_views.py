"""Saved views: saved from a list, listed with counts, deleted, and one of them the first page of its owner."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.api.problems.catalogue import problem_for
from complaints.console.forms import FormState, SentForm, refused_form
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.views.addresses import ListAddress
from complaints.console.views.list_filters import list_teams
from complaints.console.views.list_queries import read_list_query
from complaints.console.views.saved_view_links import SavedViewLink, address_of_view, link_views
from complaints.domain.errors import ComplaintError, InvalidContent
from complaints.domain.staff import Directory
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.complaints import lists
from complaints.use_cases.complaints.lists import ListCount
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import saved_views
from complaints.use_cases.work.saved_views import OF_PERSONS, SavedView, SaveView

router = APIRouter()
_LIST = "/console/views"
_MOST_COUNTED = 999
_SEEN_OTHER = 303
T = TypeVar("T")


@router.get("/views")
def show_views(request: SignedIn, shown: str = "") -> Response:
    """The views of the user with their counts. A script gets them as links; `shown` is the address of its page."""
    request.caller.require(Right.READ)

    def find(tx: Transaction, views: Sequence[SavedView]) -> list[SavedViewLink]:
        counts = {view.id: count for view in views if (count := _count(request, tx, view))}
        directory = request.service.configuration(tx).directory
        return make_links(request, views, directory, shown=shown, counts=counts)

    links = read_with_views(request, find)
    template = "fragments/view_links.html" if request.is_partial else "pages/saved_views.html"
    return request.page(template, views=links, shown=shown)


def read_with_views(request: PageRequest, work: Callable[[Transaction, Sequence[SavedView]], T]) -> T:
    """Run `work` with the views of the user, the newest: an auditor saves views too, and reads from a replica."""
    return request.service.read_with_newest(lambda tx: saved_views.list_views(tx, request.viewer.user), work)


def make_links(
    request: PageRequest,
    views: Sequence[SavedView],
    directory: Directory,
    *,
    shown: str,
    counts: Mapping[UUID, ListCount] | None = None,
) -> list[SavedViewLink]:
    """The views as links. `shown` is the address of the page."""
    return link_views(
        views,
        login=request.viewer.user.login,
        shown=shown,
        counts=counts or {},
        directory=directory,
        locale=request.locale,
    )


def _count(request: PageRequest, tx: Transaction, view: SavedView) -> ListCount | None:
    """The number of complaints of a view; it stops at 999. None: it asks for a thing that exists no more."""
    with suppress(ComplaintError):
        asked = read_list_query(_address(view.query)).asked(tx.now)
        return lists.count_views(request.service, tx, request.caller, asked, most=_MOST_COUNTED)
    return None


def _address(query: str) -> ListAddress:
    return ListAddress.of("", parse_qsl(query))


@router.get("/views/new")
def show_form(request: SignedIn, query: str = "") -> Response:
    """The form that saves a list."""
    request.caller.require(Right.READ)
    return _show_form(request, FormState({"query": query}))


def _show_form(request: PageRequest, form: FormState, *, status: int = 200) -> Response:
    directory = request.read(lambda tx: request.service.configuration(tx).directory)
    return request.page(
        "pages/save_view.html", status=status, form=form, own_teams=own_teams(request, directory)
    )


def own_teams(request: PageRequest, directory: Directory) -> list[tuple[str, str]]:
    """The teams of the user by code, with their names."""
    listed = list_teams(directory, request.locale)
    return [pair for pair in listed if pair[0] in request.viewer.user.teams]


@router.post("/views")
def save(request: SignedIn, form: SentForm) -> Response:
    """Save a list under a name, and go to it."""
    request.caller.require(Right.READ)
    try:
        members = {**form.members(), "page": "overdue", "is_home": bool(form.text("is_home"))}
        command = read_command(SaveView, members | {"query": _checked(form.text("query"))})

        def work(tx: Transaction) -> Answer:
            view = saved_views.save_view(request.service, tx, request.viewer.user, command)
            return Answer(_SEEN_OTHER, b"", {"Location": address_of_view(view)})

        answer = request.submit(form.attempt, form.body, work)
    except InvalidContent as refusal:
        status = problem_for(refusal, request.http.app.state.problems).status
        return _show_form(request, refused_form(form, refusal, request.locale), status=status)
    return RedirectResponse(answer.headers["Location"], answer.status)


def _checked(query: str) -> str:
    """The query without the place in the list. Raises InvalidContent for filters that cannot be saved."""
    address = _address(query)
    read_list_query(address)
    if any(name in OF_PERSONS for name, _ in address.pairs):
        raise InvalidContent.at("/name", "A view keeps no filter by a person.")
    return address.query


@router.post("/views/{view_id}/delete")
def delete(request: SignedIn, view_id: UUID, form: SentForm) -> Response:
    """Delete a view of the user."""

    def work(tx: Transaction) -> Answer:
        saved_views.delete_view(tx, request.viewer.user, view_id)
        return Answer(_SEEN_OTHER, b"")

    request.submit(form.attempt, form.body, work)
    return RedirectResponse(_LIST, _SEEN_OTHER)


@router.post("/views/{view_id}/home")
def choose_home(request: SignedIn, view_id: UUID, form: SentForm) -> Response:
    """Make a view the first page of the user, or the usual page again without `is_home`."""
    chosen = view_id if form.text("is_home") else None

    def work(tx: Transaction) -> Answer:
        saved_views.choose_home(tx, request.viewer.user, chosen)
        return Answer(_SEEN_OTHER, b"")

    request.submit(form.attempt, form.body, work)
    return RedirectResponse(_LIST, _SEEN_OTHER)


@router.get("/")
def go_home(request: SignedIn) -> Response:
    """The first page of a user: the view that is the home, else the usual one for the rights of the user."""
    if Right.READ not in request.caller.rights:
        return RedirectResponse(_page_without_lists(request.caller), _SEEN_OTHER)
    home = request.service.read_newest(lambda tx: saved_views.find_home(tx, request.viewer.user.login))
    return RedirectResponse(address_of_view(home) if home else _usual_home(request.caller), _SEEN_OTHER)


def _usual_home(caller: Caller) -> str:
    """Agents begin with their own work, others with the overdue complaints."""
    is_agent = Right.WORK in caller.rights and Right.SUPERVISE not in caller.rights
    return "/console/work" if is_agent else "/console/overdue"


def _page_without_lists(caller: Caller) -> str:
    """The first page of a user who may read no lists, such as a clerk who only takes complaints."""
    return "/console/new" if Right.CREATE in caller.rights else "/console/preferences"
