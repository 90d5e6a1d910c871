"""A `Feature` is all that an annex declares: data, and functions that the program calls for it.

`features.registry` lists the features. `wiring` makes `Annexes` of them and hands them to the app, the loops, `check`
and the migrations. A member stands here only if something in the program reads it. An annex that adds an `EventType`
of complaints needs more: see docs/decisions/0015.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic_settings import BaseSettings

from complaints.api.problems.catalogue import PROBLEMS, Problem
from complaints.domain.policy.subject_kinds import SubjectKind
from complaints.domain.vocabulary import EventType, RecipientRole
from complaints.use_cases.access import Caller
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.violation import Violation

S = TypeVar("S", bound=BaseSettings)
Check = Callable[[Service], Iterable[Violation]]


class TableSet(Protocol):
    """The tables of an annex, as an instance of SQLAlchemy's `MetaData` (see `new_metadata`)."""

    @property
    def sorted_tables(self) -> Sequence[Any]:
        """The tables, each after the tables that it refers to."""


@dataclass(frozen=True, slots=True)
class FeatureLoop:
    """Work that is done again and again: every `seconds`, or at the times of a cron expression in UTC.

    `work` gets the service and the settings of the annex (None: it has no settings). It does a batch of limited size
    and returns how much it did. It is called again at once until it returns 0. With `needs_annexes` it also gets the
    annexes of the program: notifications send what all of them declare. With `is_long` it need not be limited: it
    also gets a function that is true once the process stops, and then returns soon.

    A loop that waits for events names its follower in `follows`. A loop that waits for other rows has a function
    `has_work`, which gets the service, the settings and a transaction that only reads. Once a second, a process looks
    for the work of all such loops in one transaction, and runs those that have some. So they need not look often
    themselves, and an idle process rests.
    """

    name: str
    work: Callable[..., int]
    seconds: float | None = None
    cron: str | None = None
    needs_annexes: bool = False
    is_long: bool = False
    follows: str | None = None
    has_work: Callable[[Service, Any, Transaction], bool] | None = None


@dataclass(frozen=True, slots=True)
class FeatureMeasure:
    """A number that the database knows: the gauge `complaints_<name>`, and a member of /readyz (never its status)."""

    name: str
    text: str
    count: Callable[[Transaction], int]


@dataclass(frozen=True, slots=True)
class Notice:
    """Who is notified of an event type: the roles, the name of the template, and the path that the text links to."""

    event_type: EventType
    roles: tuple[RecipientRole, ...]
    template: str
    link: str


@dataclass(frozen=True, slots=True)
class News:
    """A thing that a user shall hear of, although it is no event: a report is ready, an import has ended.

    `id` names the thing: the user hears of it once. `link` is the path of the page with more; None: there is none.
    `facts` has what the template needs, without personal data.
    """

    id: UUID
    login: str
    template: str
    link: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormedMessage:
    """A message to send. `id` stays the same in every attempt."""

    id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class MessageReader:
    """The owner of a subscription, and its wishes: `payload` is `thin` or `full`, `query` is as it was sent."""

    caller: Caller
    payload: str
    query: str | None = None


@dataclass(frozen=True, slots=True)
class MessageForm:
    """The form of the messages of a subscription. A face may add one: the annex that sends does not know faces.

    `build` gets events as rows of the storage, which have `id`, `complaint_id`, `type`, `at`, and `data` as JSON. It
    answers with the messages of each row, as its reader may see them. A row may have several messages, or none.
    `build_test` makes a test message from its id and the present instant.
    """

    content_type: str
    build: Callable[
        [Service, Transaction, MessageReader, Sequence[Mapping[Any, Any]]], Sequence[Sequence[FormedMessage]]
    ]
    build_test: Callable[[Service, UUID, datetime], bytes]


FindNews = Callable[[Transaction, datetime], Sequence[News]]
"""Finds the news of an annex since an instant, oldest first."""


@dataclass(frozen=True, slots=True)
class Feature:
    """An annex. `name` is the name of its folder, of its followers, and of its settings: COMPLAINTS_<NAME>_….

    `router` is served under /v1, `pages` at the root, for people without a key. Refusals there are pages too, and no
    log line has more than the first part of their paths. `problems` join the catalogue.
    `tables` are made by migrations; the row counts and the schema are compared with them. `settings` are read when
    the program starts. `complaints check` runs `checks`. `measures` are shown with those of the core. The texts of
    `notices` and `news` stand in the folder `templates`, as `<template>.en.txt` and `<template>.zh.txt`. The subjects
    of each of `subjects` have a history, deadlines and escalations like complaints. `commands` is the work of commands
    of the command line, by name: `cli` reads their options.
    """

    name: str
    router: APIRouter | None = None
    pages: APIRouter | None = None
    tables: TableSet | None = None
    loops: tuple[FeatureLoop, ...] = ()
    problems: tuple[Problem, ...] = ()
    settings: type[BaseSettings] | None = None
    checks: tuple[Check, ...] = ()
    notices: tuple[Notice, ...] = ()
    news: tuple[FindNews, ...] = ()
    templates: Path | None = None
    subjects: tuple[SubjectKind, ...] = ()
    measures: tuple[FeatureMeasure, ...] = ()
    commands: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


def _refuse_repeated(kind: str, names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"two {kind} have the same name: {', '.join(repeated)}")


@dataclass(frozen=True, slots=True)
class Annexes:
    """The features of a program, and their settings by type. Raises ValueError if a feature cannot join the others.

    `message_forms` has the forms of messages that faces add, by name.
    """

    features: tuple[Feature, ...] = ()
    settings: Mapping[type[BaseSettings], BaseSettings] = field(default_factory=dict)
    message_forms: Mapping[str, MessageForm] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse names and codes that are used twice, and settings of another name."""
        _refuse_repeated("features", [feature.name for feature in self.features])
        _refuse_repeated("problems", [problem.code for problem in self._all_problems()])
        kinds = [kind for feature in self.features for kind in feature.subjects]
        _refuse_repeated("kinds of subjects", [kind.name for kind in kinds])
        _refuse_repeated("prefixes of numbers", [kind.prefix for kind in kinds])
        for feature in self.features:
            prefix = f"COMPLAINTS_{feature.name.upper()}_"
            if feature.settings and feature.settings.model_config.get("env_prefix") != prefix:
                raise ValueError(f"the settings of {feature.name} need the prefix {prefix}")

    @property
    def names(self) -> frozenset[str]:
        """The names of the features."""
        return frozenset(feature.name for feature in self.features)

    @property
    def subject_kinds(self) -> Mapping[str, SubjectKind]:
        """The kinds of subjects that the features declare, by name."""
        return {kind.name: kind for feature in self.features for kind in feature.subjects}

    @property
    def measures(self) -> tuple[FeatureMeasure, ...]:
        """The measures that the features declare."""
        return tuple(measure for feature in self.features for measure in feature.measures)

    @property
    def news(self) -> tuple[FindNews, ...]:
        """The functions that find the news of the features."""
        return tuple(find for feature in self.features for find in feature.news)

    @property
    def table_names(self) -> tuple[str, ...]:
        """The names of all tables of the features."""
        sets = [feature.tables for feature in self.features if feature.tables is not None]
        return tuple(table.name for tables in sets for table in tables.sorted_tables)

    @property
    def page_prefixes(self) -> frozenset[str]:
        """The first parts of the paths of all pages for people, such as `/c`."""
        routers = [feature.pages for feature in self.features if feature.pages is not None]
        paths = [route.path for router in routers for route in router.routes if isinstance(route, APIRoute)]
        return frozenset("/" + path.split("/")[1] for path in paths)

    @property
    def problems(self) -> Mapping[str, Problem]:
        """The catalogue of problems with the problems of the annexes: by code, in the order of their status."""
        ordered = sorted(self._all_problems(), key=lambda problem: problem.status)
        return {problem.code: problem for problem in ordered}

    def find_command(self, name: str) -> Callable[..., Any]:
        """The work of a command. Raises KeyError if no feature has it."""
        return {key: work for feature in self.features for key, work in feature.commands.items()}[name]

    def settings_for(self, feature: Feature) -> BaseSettings | None:
        """The settings of a feature. None: it has no settings."""
        return self.settings[feature.settings] if feature.settings else None

    @property
    def template_folders(self) -> tuple[Path, ...]:
        """The folders with the texts of notices, in the order of the features."""
        return tuple(feature.templates for feature in self.features if feature.templates is not None)

    def notices_for(self, event_type: EventType) -> tuple[Notice, ...]:
        """What all features declare about an event type, in the order of the features."""
        declared = (notice for feature in self.features for notice in feature.notices)
        return tuple(notice for notice in declared if notice.event_type is event_type)

    def _all_problems(self) -> list[Problem]:
        return [*PROBLEMS.values(), *(problem for feature in self.features for problem in feature.problems)]


NO_ANNEXES = Annexes()


def annexes_of(request: Request) -> Annexes:
    """The annexes of the program, for a route."""
    annexes: Annexes = request.app.state.annexes
    return annexes


def settings_of(request: Request, kind: type[S]) -> S:
    """The settings of an annex, for its routes. Raises KeyError if the annex is not registered."""
    found = annexes_of(request).settings[kind]
    assert isinstance(found, kind)  # `wiring` made it of this type
    return found
