"""The what-if calculator: the due times of a complaint with these members, and why they are what they are."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import FormFields, FormState
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import (
    FieldKind,
    FormField,
    Options,
    SearchForm,
    make_field,
    read_members,
    show_again,
    show_values,
)
from complaints.console.pages.settings.layout import address_of, open_part, read_configuration, show_part
from complaints.console.pages.settings.policies import PART, titles_of
from complaints.console.views.policy_timeline import draw_timeline
from complaints.console.views.tables import Cell, TableFact
from complaints.domain.complaint.facts import Hold
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.vocabulary import Channel, HoldReason, Priority
from complaints.use_cases.commands.field_types import Code, Content, Instant
from complaints.use_cases.commands.messages import read_command
from complaints.use_cases.configuration.trial import LifeTrial, try_life
from complaints.use_cases.service import Configuration

router = PrefixedRouter(prefix="/policies/what-if")
_HOLDS = 2
_NO_ID = UUID(int=0)


class TriedHold(Content):
    """A hold of the complaint that is tried."""

    reason: HoldReason
    started_at: Instant
    ended_at: Instant


class TriedComplaint(Content):
    """The complaint that is tried. Without a policy its members choose one."""

    received_at: Instant
    policy: Code | None = None
    priority: Priority = Priority.NORMAL
    channel: Channel | None = None
    category: Code | None = None
    region: Code | None = None
    source: Code | None = None
    holds: tuple[TriedHold, ...] = ()


@router.get("")
def show_what_if(request: SignedIn) -> Response:
    """The calculator, with the due times once something was asked."""
    open_part(request, PART)
    configuration = read_configuration(request)
    fields = tuple(_fields(request, configuration))
    query, label = request.http.query_params, str(request.locale.texts.settings.calculate)
    if "received_at" not in query:
        first = {"received_at": request.read(lambda tx: tx.now), "policy": query.get("policy", "")}
        return _show(
            request,
            SearchForm(fields, show_values(fields, first | {"priority": "normal"}, request.locale), label),
        )
    form = FormFields({name: query.getlist(name) for name in query}, b"")
    state = FormState({one.name: form.text(one.name) for one in fields})
    try:
        life = _try(request, read_command(TriedComplaint, _members(request, form, fields)))
    except InvalidContent as refusal:
        again = show_again(form, fields, refusal, request.locale)
        return _show(request, SearchForm(fields, again, label), status=422)
    panels = draw_timeline(life.deadlines, request.locale, titles_of(life.policy))
    return _show(request, SearchForm(fields, state, label), facts=_facts(request, life), panels=panels)


def _show(request: PageRequest, search: SearchForm, *, status: int = 200, **values: Any) -> Response:
    words = request.locale.texts.settings
    return show_part(
        request,
        PART,
        "settings/what_if.html",
        title=words.what_if,
        note=words.notes.what_if,
        search=search,
        status=status,
        **{"panels": [], **values},
    )


def _members(request: PageRequest, form: FormFields, fields: tuple[FormField, ...]) -> dict[str, Any]:
    members = read_members(form, fields, request.locale)
    return {**members, "holds": [*members.get("holds", {}).values()]}


def _try(request: PageRequest, asked: TriedComplaint) -> LifeTrial:
    told = Circumstances(
        priority=asked.priority,
        category=asked.category,
        channel=asked.channel,
        region=asked.region,
        source=asked.source,
    )
    holds = [
        Hold(_NO_ID, 1, hold.reason, hold.started_at, hold.ended_at, hold.ended_at) for hold in asked.holds
    ]
    received_at: datetime = asked.received_at
    return request.read(
        lambda tx: try_life(request.service, tx, asked.policy, received_at, told=told, holds=holds)
    )


def _facts(request: PageRequest, life: LifeTrial) -> list[TableFact]:
    locale, policy = request.locale, life.policy
    words = locale.texts.settings
    address = address_of(PART, policy.code, policy.version)
    facts = [
        TableFact(
            words.heads.policy,
            Cell(locale.name(policy.title, policy.code), address, f"{policy.code} · {policy.version}"),
        )
    ]
    if life.chosen_by is not None:
        chosen = ", ".join(f"{words.fields[name]} {value}" for name, value in life.chosen_by.items())
        facts.append(TableFact(words.heads.chosen_by, Cell(chosen or words.fits_every_complaint)))
    return facts


def _fields(request: PageRequest, configuration: Configuration) -> Iterator[FormField]:
    locale, words = request.locale, request.locale.texts.settings
    anything: Options = (("", words.anything),)
    yield make_field(locale, "received_at", FieldKind.INSTANT, required=True)
    codes = sorted({policy.code for policy in configuration.policies_in_order})
    policies = (("", words.chosen_by_complaint), *((code, code) for code in codes))
    yield make_field(locale, "policy", FieldKind.CHOICE, options=policies)
    yield make_field(locale, "priority", FieldKind.CHOICE, options=_words(request, "priority", Priority))
    channels = (*anything, *_words(request, "channel", Channel))
    yield make_field(locale, "channel", FieldKind.CHOICE, options=channels)
    categories = [
        (one.code, locale.name(one.names, one.code))
        for one in configuration.categories.values()
        if one.active
    ]
    yield make_field(locale, "category", FieldKind.CHOICE, options=(*anything, *categories))
    yield make_field(locale, "region")
    yield make_field(locale, "source")
    for number in range(_HOLDS):
        reasons = (("", words.no_hold), *_words(request, "hold_reason", HoldReason))
        numbered = {
            name: f"{words.fields[f'hold_{name}']} {number + 1}"
            for name in ("reason", "started_at", "ended_at")
        }
        place = f"holds.{number}"
        yield FormField(
            name=f"{place}.reason", label=numbered["reason"], kind=FieldKind.CHOICE, options=reasons
        )
        for name in ("started_at", "ended_at"):
            yield FormField(name=f"{place}.{name}", label=numbered[name], kind=FieldKind.INSTANT)


def _words(request: PageRequest, group: str, values: Any) -> Options:
    return tuple((str(one), request.locale.word(group, one)) for one in values)
