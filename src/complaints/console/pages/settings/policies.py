"""The policies: their versions, and one version on a line of time with its ladders and targets."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import unified_diff
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from complaints.console.locale import Locale
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.layout import (
    address_of,
    button,
    open_part,
    person_cell,
    read_configuration,
    show_part,
)
from complaints.console.views.clock_badges import Tone
from complaints.console.views.policy_timeline import (
    calendar_words,
    describe_step,
    draw_timeline,
    name_of_kind,
    pause_words,
    target_words,
)
from complaints.console.views.tables import Button, Cell, Table, TableFact
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import HolidayTable, Policy
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.vocabulary import Priority
from complaints.use_cases.access import Right
from complaints.use_cases.configuration import policies
from complaints.use_cases.configuration.policies import ListedPolicy
from complaints.use_cases.configuration.trial import try_life
from complaints.use_cases.service import Configuration, Transaction

router = APIRouter()
PART = "policies"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)  # `effective_at` of the built-in policy
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("/policies")
def list_policies(request: SignedIn) -> Response:
    """Every version of every policy, with what is in force now and next."""
    open_part(request, PART)
    words = request.locale.texts.settings

    def find(tx: Transaction) -> tuple[list[ListedPolicy], datetime]:
        configuration = request.service.cache.current(tx, certain=True)
        return policies.list_policies(tx, configuration), tx.now

    listed, now = request.read(find)
    found = sorted(listed, key=lambda one: (one.policy.code, -one.policy.version))
    tables = [
        _versions_table(request, list(versions), now)
        for _, versions in groupby(found, key=lambda one: one.policy.code)
    ]
    buttons = [
        button(request, "try_out", address_of(PART, "what-if"), Right.READ),
        button(request, "new_policy", address_of(PART, "document"), Right.CONFIGURE),
    ]
    return show_part(request, PART, note=words.notes.policies, buttons=buttons, tables=tables)


def _versions_table(request: PageRequest, versions: Sequence[ListedPolicy], now: datetime) -> Table:
    locale = request.locale
    heads = locale.texts.settings.heads
    newest = versions[0].policy
    return Table(
        title=f"{locale.name(newest.title, newest.code)} ({newest.code})",
        heads=(heads.version, heads.state, heads.in_force_from, heads.applies_to, heads.applied),
        rows=[
            (
                Cell(
                    str(heads.version_number).format(version=one.policy.version),
                    address_of(PART, one.policy.code, one.policy.version),
                ),
                state_cell(one, now, locale),
                Cell(_beginning(one.policy, locale)),
                Cell(applies_words(one.policy, locale)),
                Cell(locale.time(one.applied_at), note=one.applied_by),
            )
            for one in versions
        ],
    )


def state_cell(listed: ListedPolicy, now: datetime, locale: Locale) -> Cell:
    """Whether a version is in force now, later, or no longer."""
    states = locale.texts.settings.policy_states
    if listed.in_force:
        return Cell(states.now, tone=Tone.MET)
    if listed.policy.effective_at > now:
        return Cell(states.next, tone=Tone.SOON)
    return Cell(states.past, tone=Tone.CANCELLED)


def _beginning(policy: Policy, locale: Locale) -> str:
    """The instant from which a policy is in force. The built-in one is in force from the beginning."""
    if policy.effective_at <= _BEGINNING:
        return str(locale.texts.settings.from_the_beginning)
    return locale.time(policy.effective_at)


def applies_words(policy: Policy, locale: Locale) -> str:
    """The complaints that a policy fits."""
    words = locale.texts.settings
    if not policy.applies_to:
        return str(words.every_complaint)
    return " · ".join(
        f"{words.fields[name]}: "
        + str(words.list_comma).join(
            locale.word("channel", value) if name == "channel" else value for value in values
        )
        for name, values in policy.applies_to.items()
    )


@router.get("/policies/{code}/{version}")
def show_policy(
    request: SignedIn, code: str, version: Version, priority: Annotated[Priority, Query()] = Priority.NORMAL
) -> Response:
    """One version, drawn for a complaint of a priority that is received now."""
    open_part(request, PART)

    def find(tx: Transaction) -> Response:
        configuration = request.service.cache.current(tx, certain=True)
        listed, text = policies.load_policy(tx, configuration, code, version)
        policy = listed.policy
        life = try_life(
            request.service, tx, code, tx.now, told=Circumstances(priority=priority), version=version
        )
        panels = draw_timeline(life.deadlines, request.locale, titles_of(policy))
        return show_part(
            request,
            PART,
            "settings/policy.html",
            title=request.locale.name(policy.title, code),
            buttons=_buttons_of(request, policy),
            facts=list(_facts_of(request, configuration, listed, tx.now)),
            tables=[make(policy, request.locale) for make in (_target_table, _ladder_table, _route_table)],
            panels=panels,
            priorities=[(one, request.locale.word("priority", one)) for one in Priority],
            priority=priority,
            drawn_at=tx.now,
            text=text,
        )

    return request.read(find)


def titles_of(policy: Policy) -> dict[str, dict[str, str]]:
    """The names of the own kinds of a policy, by kind and language."""
    return {rule.kind: dict(rule.title) for rule in policy.own_rules if rule.title}


def _buttons_of(request: PageRequest, policy: Policy) -> list[Button]:
    own = (policy.code, policy.version)
    found = [
        button(request, "try_out", f"{address_of(PART, 'what-if')}?policy={policy.code}", Right.READ),
        button(
            request,
            "next_version",
            f"{address_of(PART, 'document')}?code={policy.code}&version={policy.version}",
            Right.CONFIGURE,
        ),
    ]
    if policy.version > 1:
        found.insert(1, button(request, "differences", address_of(PART, *own, "differences"), Right.READ))
    return found


def _facts_of(
    request: PageRequest, configuration: Configuration, listed: ListedPolicy, now: datetime
) -> Iterator[TableFact]:
    locale, policy = request.locale, listed.policy
    heads = locale.texts.settings.heads
    yield TableFact(heads.version, Cell(f"{policy.code} · {policy.version}"))
    yield TableFact(heads.state, state_cell(listed, now, locale))
    yield TableFact(heads.in_force_from, Cell(_beginning(policy, locale)))
    if policy.effective_until is not None:
        yield TableFact(heads.in_force_until, Cell(locale.time(policy.effective_until)))
    yield TableFact(heads.applies_to, Cell(applies_words(policy, locale)))
    yield TableFact(heads.zone, Cell(policy.timezone))
    kind, _, login = listed.applied_by.partition(":")
    person = person_cell(configuration.directory, login) if kind == "user" else Cell(listed.applied_by)
    yield TableFact(heads.applied, Cell(locale.time(listed.applied_at), note=person.text))
    yield TableFact(heads.longest_hold, Cell(target_words(policy.hold_maximum, locale)))
    yield TableFact(heads.reopen_window, Cell(target_words(policy.reopen_window, locale)))
    again = heads.again_after.format(target=target_words(policy.unreachable_retry, locale))
    yield TableFact(
        heads.unreachable, Cell(again, note=heads.attempts.format(count=policy.unreachable_attempts))
    )
    for name, tables in policy.holiday_tables.items():
        yield TableFact(heads.holidays, Cell(name, note=_holiday_words(tables, locale)))
    for source in policy.sources:
        yield TableFact(heads.source, Cell(source))


def _holiday_words(tables: Sequence[HolidayTable], locale: Locale) -> str:
    words = locale.texts.settings
    return " · ".join(
        f"{table.year}: {table.source} ({words.confirmed if table.confirmed else words.not_confirmed})"
        for table in tables
    )


# Targets and ladders ----------------------------------------------------------------------------------------


def _target_table(policy: Policy, locale: Locale) -> Table:
    """What must be done how soon, by the members of the complaint."""
    words = locale.texts.settings
    heads, titles = words.heads, titles_of(policy)
    rows = [
        (
            Cell(name_of_kind(kind, locale, titles)),
            Cell(_condition_words(choice, locale)),
            Cell(target_words(choice.target, locale), note=pause_words(rule, locale)),
            _calendar_cell(policy, rule.calendar, locale),
        )
        for kind, rule in policy.rules.items()
        for choice in rule.targets
    ]
    follow_up = policy.rules["follow_up"]
    plans = [(_condition_words(one, locale), one.plan) for one in policy.follow_ups_where]
    plans += [(locale.word("priority", priority), plan) for priority, plan in policy.follow_ups.items()]
    comma = str(words.list_comma)
    rows += [
        (
            Cell(locale.word("deadline_kind", "follow_up")),
            Cell(condition),
            Cell(comma.join(target_words(one, locale) for one in plan), note=words.after_result),
            _calendar_cell(policy, follow_up.calendar, locale),
        )
        for condition, plan in plans
    ]
    closures = [(_condition_words(one, locale), one.target) for one in policy.closure_where]
    closures.append((str(words.every_complaint), policy.closure))
    rows += [
        (
            Cell(locale.word("deadline_kind", "closure")),
            Cell(condition),
            Cell(target_words(target, locale), note=words.after_last_follow_up),
            _calendar_cell(policy, policy.rules["closure"].calendar, locale),
        )
        for condition, target in closures
    ]
    return Table(
        title=words.targets,
        heads=(heads.deadline, heads.complaints, heads.target, heads.calendar),
        rows=rows,
    )


def _calendar_cell(policy: Policy, calendar: WorkCalendar, locale: Locale) -> Cell:
    """A calendar in words, with a link to its months."""
    is_own = calendar.name in policy.calendars
    link = address_of(PART, policy.code, policy.version, "calendars", calendar.name) if is_own else ""
    return Cell(calendar_words(calendar, locale), link)


def _route_table(policy: Policy, locale: Locale) -> Table:
    """The team that gets a complaint: the first route that fits."""
    words = locale.texts.settings
    heads, anything = words.heads, str(words.anything)
    rows = [
        (
            Cell(locale.word("cause", one.cause) if one.cause else anything),
            Cell(one.category or anything),
            Cell(one.region or anything),
            Cell(one.team, address_of("teams", one.team)),
        )
        for one in policy.routes
    ]
    default = (
        *(Cell(anything) for _ in range(3)),
        Cell(policy.default_team, address_of("teams", policy.default_team)),
    )
    return Table(
        title=words.routes,
        note=words.notes.routes,
        heads=(heads.cause, words.fields.category, words.fields.region, heads.team),
        rows=[*rows, default],
    )


def _condition_words(choice: Circumstances, locale: Locale) -> str:
    words = locale.texts.settings
    if not choice.conditions:
        return str(words.every_complaint)
    grouped = ("priority", "channel")
    return " · ".join(
        locale.word(name, value) if name in grouped else value for name, value in choice.conditions.items()
    )


def _ladder_table(policy: Policy, locale: Locale) -> Table:
    """The ladders: when a step is taken, and who hears of it."""
    words = locale.texts.settings
    heads = words.heads
    titles = titles_of(policy)
    steps = [
        (name_of_kind(kind, locale, titles), describe_step(step, locale))
        for kind, rule in policy.rules.items()
        for step in rule.ladder
    ]
    return Table(
        title=words.ladders,
        heads=(heads.deadline, heads.step, heads.level, heads.recipients, heads.more),
        rows=[
            (Cell(name), Cell(one.place), Cell(str(one.level)), Cell(one.recipients), Cell(one.more or "–"))
            for name, one in steps
        ],
    )


# Differences ------------------------------------------------------------------------------------------------


@router.get("/policies/{code}/{version}/differences")
def show_differences(request: SignedIn, code: str, version: Version) -> Response:
    """What a version changed in the document of the version before it."""
    open_part(request, PART)
    configuration = read_configuration(request)
    words = request.locale.texts.settings

    def find(tx: Transaction) -> tuple[str, str]:
        texts = [policies.load_policy(tx, configuration, code, one)[1] for one in (version - 1, version)]
        return texts[0], texts[1]

    before, after = request.read(find)
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))[2:]
    return show_part(
        request,
        PART,
        "settings/differences.html",
        title=str(words.differences_title).format(code=code, version=version, before=version - 1),
        lines=[(_tone_of(line), line) for line in lines],
        back=address_of(PART, code, version),
    )


def _tone_of(line: str) -> str:
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
