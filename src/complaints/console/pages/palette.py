"""The palette: a few letters, or the number of a complaint, lead to a page. A script shows it in a dialog."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.saved_views import read_with_views
from complaints.console.views.palette import (
    LONGEST_QUERY,
    Destination,
    HitKind,
    find_destinations,
    groups_of,
)
from complaints.console.views.saved_view_links import address_of_view
from complaints.domain.complaint.numbers import is_mistyped, number_of, sequence_of
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction
from complaints.use_cases.work.saved_views import SavedView

router = APIRouter()


@router.get("/palette")
def show_palette(request: SignedIn, q: str = "") -> Response:
    """The destinations that fit `q`. The number of a complaint opens it at once."""
    query = q[:LONGEST_QUERY].strip()
    sequence = sequence_of(query)
    if sequence is None:
        found = read_with_views(request, lambda tx, views: _find(request, tx, query, views))
    else:
        number = number_of(sequence)
        found = [Destination(HitKind.COMPLAINT, number, f"/console/complaints/{number}")]
        if not request.is_partial:
            return RedirectResponse(found[0].address, 303)
    template = "fragments/palette_hits.html" if request.is_partial else "pages/palette.html"
    return request.page(template, q=query, groups=groups_of(found), mistyped=is_mistyped(query))


def _find(request: PageRequest, tx: Transaction, query: str, views: Sequence[SavedView]) -> list[Destination]:
    destinations = chain(_pages(request), _destinations_of(views))
    if Right.READ in request.caller.rights:
        configuration = request.service.configuration(tx)
        destinations = chain(
            destinations,
            _people(configuration.directory),
            _teams(request, configuration.directory),
            _categories(request, configuration.categories),
        )
    return find_destinations(query, destinations)


def _pages(request: PageRequest) -> Iterator[Destination]:
    texts = request.locale.texts
    for name in request.viewer.pages:
        key = request.viewer.go_keys.get(name)
        yield Destination(
            HitKind.PAGE, texts.common.pages[name], f"/console/{name}", f"g {key}" if key else "", (name,)
        )
    yield Destination(HitKind.PAGE, texts.preferences.title, "/console/preferences", "", ("preferences",))
    yield Destination(HitKind.PAGE, texts.keys.title, "/console/help", "?", ("help", "keys"))


def _destinations_of(views: Sequence[SavedView]) -> Iterator[Destination]:
    for view in views:
        yield Destination(HitKind.VIEW, view.name, address_of_view(view))


def _people(directory: Directory) -> Iterator[Destination]:
    """Those who work here. The address shows the overdue complaints of the person."""
    for user in directory.users.values():
        if user.active:
            address = f"/console/overdue?{urlencode({'assignee': user.login})}"
            yield Destination(HitKind.PERSON, user.name, address, user.login, (user.login,))


def _teams(request: PageRequest, directory: Directory) -> Iterator[Destination]:
    for team in directory.teams.values():
        if team.active:
            name, others = request.locale.name(team.names, team.code), (team.code, *team.names.values())
            yield Destination(HitKind.TEAM, name, f"/console/teams/{team.code}/queue", team.code, others)


def _categories(request: PageRequest, categories: Mapping[str, Category]) -> Iterator[Destination]:
    """The address shows the overdue complaints of the category."""
    for one in categories.values():
        if not one.active:
            continue
        address = f"/console/overdue?{urlencode({'category': one.code})}"
        name, others = request.locale.name(one.names, one.code), (one.code, *one.names.values())
        yield Destination(HitKind.CATEGORY, name, address, one.code, others)
