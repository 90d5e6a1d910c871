"""The categories of complaints, as a tree of two levels."""

from collections.abc import Iterator, Mapping

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import SentForm
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings import reference_forms
from complaints.console.pages.settings.fields import FieldKind, FormField, make_field
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    read_configuration,
    show_part,
    team_names,
)
from complaints.console.pages.settings.sheets import Sheet, show_sheet
from complaints.console.pages.settings.teams import active_cell
from complaints.console.views.tables import Cell, Table, TableFact
from complaints.domain.policy.categories import Category
from complaints.domain.vocabulary import Cause, Nature
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.categories import CATEGORIES
from complaints.use_cases.service import Configuration

router = PrefixedRouter(prefix="/categories")
PART = "categories"


@router.get("")
def list_categories(request: SignedIn) -> Response:
    """The categories: each of the first level, and those below it."""
    open_part(request, PART)
    configuration = read_configuration(request)
    words = request.locale.texts.settings
    heads = words.heads
    rows = [_row(request, configuration, one) for one in _in_tree(configuration.categories)]
    table = Table(
        (heads.english, heads.chinese, heads.cause, heads.nature, heads.team, heads.state),
        rows,
        empty=words.empty.categories,
    )
    buttons = [button(request, "new_category", address_of(PART, "new"), Right.CONFIGURE)]
    return show_part(request, PART, note=words.notes.categories, buttons=buttons, tables=[table])


def _in_tree(categories: Mapping[str, Category]) -> Iterator[Category]:
    """Each category of the first level, followed by those below it."""
    for code in sorted(categories):
        if categories[code].parent is None:
            yield categories[code]
            yield from (one for _, one in sorted(categories.items()) if one.parent == code)


def _row(request: PageRequest, configuration: Configuration, one: Category) -> tuple[Cell, ...]:
    return (
        Cell(
            ("— " if one.parent else "") + one.names.get("en", one.code), address_of(PART, one.code), one.code
        ),
        Cell(one.names.get("zh", "–")),
        *_members(request, configuration, one),
        active_cell(request, active=one.active),
    )


def _members(request: PageRequest, configuration: Configuration, one: Category) -> Iterator[Cell]:
    """The cause, the nature and the team. What is open follows from the categories below, or from the policy."""
    locale = request.locale
    yield Cell(locale.word("cause", one.cause) if one.cause else "–")
    yield Cell(locale.word("nature", one.nature) if one.nature else "–")
    by_policy = str(locale.texts.settings.by_policy)
    yield Cell(team_names(request, configuration.directory, [one.team]) if one.team else by_policy)


@router.get("/new")
def show_new(request: SignedIn) -> Response:
    """The empty form of a category."""
    return show_sheet(request, _new_sheet(request), {"active": True})


@router.post("/new")
def create_category(request: SignedIn, form: SentForm) -> Response:
    """Make a category."""
    return reference_forms.create(request, CATEGORIES, _new_sheet(request), form, CreateCategory)


@router.get("/{code}")
def show_category(request: SignedIn, code: str) -> Response:
    """One category."""
    open_part(request, PART)
    configuration = read_configuration(request)
    one = CATEGORIES.load(configuration, code)
    heads = request.locale.texts.settings.heads
    cause, nature, team = _members(request, configuration, one)
    facts = [
        TableFact(heads.code, Cell(code, code=True)),
        TableFact(heads.english, Cell(one.names.get("en", "–"))),
        TableFact(heads.chinese, Cell(one.names.get("zh", "–"))),
        TableFact(heads.above, Cell(one.parent, address_of(PART, one.parent)) if one.parent else Cell("–")),
        TableFact(heads.cause, cause),
        TableFact(heads.nature, nature),
        TableFact(heads.team, team),
        TableFact(heads.state, active_cell(request, active=one.active)),
    ]
    buttons = [button(request, "change", address_of(PART, code, "change"), Right.CONFIGURE)]
    title = request.locale.name(one.names, code)
    return show_part(request, PART, title=title, buttons=buttons, facts=facts)


@router.get("/{code}/change")
def show_change(request: SignedIn, code: str) -> Response:
    """The form of a category."""
    sheet = _change_sheet(request, code)
    return show_sheet(
        request, sheet, reference_forms.values_of(CATEGORIES.load(read_configuration(request), code))
    )


@router.post("/{code}/change")
def change_category(request: SignedIn, code: str, form: SentForm) -> Response:
    """Change a category, or retire it."""
    return reference_forms.change(
        request, CATEGORIES, _change_sheet(request, code), code, form, PatchCategory
    )


def _fields(request: PageRequest) -> list[FormField]:
    locale = request.locale
    nothing = ("", str(locale.texts.settings.left_open))
    causes = [nothing, *((str(one), locale.word("cause", one)) for one in Cause)]
    natures = [nothing, *((str(one), locale.word("nature", one)) for one in Nature)]
    by_policy = (("", str(locale.texts.settings.by_policy)),)
    teams = reference_forms.team_options(request, read_configuration(request).directory, first=by_policy)
    return [
        *reference_forms.name_fields(request),
        make_field(locale, "cause", FieldKind.CHOICE, options=causes),
        make_field(locale, "nature", FieldKind.CHOICE, options=natures),
        make_field(locale, "team", FieldKind.CHOICE, options=teams, removable=True),
        make_field(locale, "active", FieldKind.SWITCH),
    ]


def _new_sheet(request: PageRequest) -> Sheet:
    code = make_field(
        request.locale, "code", required=True, hint=request.locale.texts.settings.hints.category_code
    )
    return reference_forms.new_sheet(request, CATEGORIES, PART, [code, *_fields(request)])


def _change_sheet(request: PageRequest, code: str) -> Sheet:
    return reference_forms.change_sheet(request, CATEGORIES, PART, code, _fields(request))
