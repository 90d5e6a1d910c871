"""What a caller asks of a figure: checked, and turned into a question to the storage."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from complaints.domain.errors import Fault, InvalidContent, clip
from complaints.domain.figures.answers import FigureRequest, GroupBy
from complaints.domain.figures.catalogue import Figure, load_figure
from complaints.domain.figures.days import (
    day_key,
    day_number,
    local_day,
    month_key,
    read_day,
    read_month,
    read_week,
    week_key,
)
from complaints.domain.scope import Scope
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import Cause, Channel, Nature, Priority
from complaints.storage.queries.figure_terms import Period
from complaints.storage.queries.figures import FactQuery
from complaints.use_cases.named_filters import check_name
from complaints.use_cases.service import Configuration

LONGEST_DAYS = 1_461
"""The days of the longest period: four years."""
FILTERS = (
    "team", "assignee", "first_owner", "category", "cause", "nature", "channel", "region", "source", "priority",
)  # fmt: skip
AT_END = ("backlog", "omissions")
"""Figures of the state at the end of the period, or now if it has not ended."""
_CHOICES: Mapping[str, Sequence[str]] = {
    "cause": [*Cause],
    "nature": [*Nature],
    "channel": [*Channel],
    "priority": [*Priority],
}
_WRITE_KEY: Mapping[GroupBy, Callable[[Any], str]] = {
    GroupBy.DAY: day_key,
    GroupBy.WEEK: week_key,
    GroupBy.MONTH: month_key,
    GroupBy.PRIORITY: str,
}
_READ_KEY: Mapping[GroupBy, Callable[[str], Any]] = {
    GroupBy.DAY: read_day,
    GroupBy.WEEK: read_week,
    GroupBy.MONTH: read_month,
    GroupBy.PRIORITY: Priority,
}


def zone_name(configuration: Configuration, now: datetime) -> str:
    """The zone of the policy in force."""
    return configuration.policy_at(now).timezone


def make_query(
    request: FigureRequest, *, configuration: Configuration, scope: Scope, now: datetime
) -> tuple[Figure, FactQuery]:
    """The figure, and the question for its facts. Raises NotFound for an unknown figure.

    Raises InvalidContent for a period without a day, a period over four years, an unknown filter or an unknown value.
    """
    figure = load_figure(request.figure)
    _check_period(request)
    first, end = day_number(request.from_on), day_number(request.to_on)
    if figure.name in AT_END:
        end = min(end, local_day(now, zone_of(zone_name(configuration, now)).info)[0] + 1)
    teams = configuration.directory.teams
    return figure, FactQuery(
        figure=figure.name,
        period=Period(first, end, now),
        scope=scope,
        group_by=request.group_by or figure.group_by,
        filters=_read_filters(request, configuration),
        departments={code: team.department for code, team in teams.items()},
    )


def _check_period(request: FigureRequest) -> None:
    days = (request.to_on - request.from_on).days
    if days < 1:
        raise InvalidContent.in_query("to", "to lies after from: the period ends before this day.")
    if days > LONGEST_DAYS:
        raise InvalidContent.in_query("to", f"A period has at most {LONGEST_DAYS} days.")


def _read_filters(request: FigureRequest, configuration: Configuration) -> dict[str, Sequence[Any]]:
    found: dict[str, Sequence[Any]] = {}
    for name, values in request.filters.items():
        if name not in FILTERS:
            message = f"There is no filter {clip(name, 100)!r}: there are {', '.join(FILTERS)}."
            raise InvalidContent(message, faults=[Fault("", message, name)])
        if values:
            found[name] = [one for value in values for one in _read_value(name, value, configuration)]
    return found


def _read_value(name: str, value: str, configuration: Configuration) -> Sequence[str]:
    """The values of the column that fit. A parent category finds its children too."""
    directory = configuration.directory
    match name:
        case "team":
            check_name(value, directory.teams, parameter=name, thing="team")
        case "assignee" | "first_owner":
            check_name(value, directory.users, parameter=name, thing="user")
        case "category":
            check_name(value, configuration.categories, parameter=name, thing="category")
            children = (one.code for one in configuration.categories.values() if one.parent == value)
            return (value, *children)
        case _ if name in _CHOICES:
            check_name(value, _CHOICES[name], parameter=name, thing=name)
    return (value,)


def write_key(group_by: GroupBy | None, raw: Any) -> str | None:
    """The key of a group, as answers show it. None: the facts that belong to no group."""
    if raw is None or group_by is None:
        return None
    return _WRITE_KEY.get(group_by, str)(raw)


def read_key(group_by: GroupBy, key: str) -> Any:
    """The raw key of a group. Raises InvalidContent."""
    try:
        return _READ_KEY.get(group_by, str)(key)
    except ValueError:
        message = f"{clip(key, 100)!r} is no {group_by} of this figure."
        raise InvalidContent.in_query("group", message) from None
