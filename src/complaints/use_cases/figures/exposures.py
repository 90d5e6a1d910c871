"""Exposures: the services and users that complaints are set against."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field

from complaints.domain.errors import Conflict, InvalidContent
from complaints.domain.figures.answers import FigureGroup, GroupBy
from complaints.domain.figures.catalogue import Figure, Measure
from complaints.domain.figures.days import day_number, period_days
from complaints.domain.figures.evaluation import divide
from complaints.domain.figures.exposures import average_exposure
from complaints.storage.queries.figures import FactQuery
from complaints.storage.rows import figure_exposure
from complaints.storage.rows.figure_exposure import ALL_GROUPS, Exposure
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.field_types import WHOLE, Code, Content, Day, Subject
from complaints.use_cases.figures.requests import read_key
from complaints.use_cases.service import Transaction

PERIODS = (GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH)
_MOST = 10**15


class ExposureMissing(Conflict):
    """A figure needs the number of services or users, and it is not known at the beginning of the period."""

    code: ClassVar[str] = "exposure-missing"


class PutExposure(Content):
    """The number of services or users from a day on, in all or in one group."""

    measure: Annotated[Measure, Field(description="What is counted.")]
    group_by: Annotated[
        GroupBy | None, Field(description="What `group` is the key of; a region if it is not said.")
    ] = None
    group: Annotated[Code | None, Field(description="The key of the group; without it: all.")] = None
    from_on: Annotated[Day, Field(alias="from", description="The first day, in the zone of the policy.")]
    value: Annotated[int, WHOLE, Field(ge=0, le=_MOST, description="How many there are.")]
    source: Annotated[Subject, Field(description="Where the number comes from.")]


def put_exposure(tx: Transaction, caller: Caller, command: PutExposure) -> Exposure:
    """Write an exposure in place of the one of the same measure, group and day. Raises Forbidden, InvalidContent."""
    caller.require(Right.CONFIGURE)
    group_by = command.group_by or GroupBy.REGION
    if group_by in PERIODS:
        raise InvalidContent.at(
            "/group_by", "An exposure has a day from which it counts, so no group is a period."
        )
    if command.group_by is not None and command.group is None:
        raise InvalidContent.at("/group", "group_by needs the group that the number is of.")
    made = Exposure(
        measure=command.measure,
        group_by=ALL_GROUPS if command.group is None else group_by,
        key=ALL_GROUPS if command.group is None else command.group,
        from_day=day_number(command.from_on),
        value=command.value,
        source=command.source,
        recorded_at=tx.now,
        recorded_by=caller.actor,
    )
    figure_exposure.put_exposure(tx, made)
    return made


class Exposures:
    """The exposures of one measure, by dimension and key."""

    def __init__(self, measure: Measure, found: Sequence[Exposure]) -> None:
        self._measure = measure
        self._steps: dict[str, dict[str, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
        for one in found:
            self._steps[one.group_by][one.key].append((one.from_day, one.value))

    def average_all(self, asked: FactQuery, first: int, end: int) -> Decimal:
        """The average of all, or of the groups that a filter chooses. Raises ExposureMissing.

        The numbers of groups are not added up in place of all: complaints of other groups would have no number.
        """
        chosen = self._chosen(asked)
        averages = [average_exposure(steps, first, end) for steps in chosen]
        known = [one for one in averages if one is not None]
        if not known or len(known) < len(averages):
            raise ExposureMissing(
                f"The figure needs the measure {self._measure} from the first day of the period on, for all or for "
                "each group that a filter names: PUT /v1/reports/exposures."
            )
        return sum(known, Decimal(0))

    def average_total(self, asked: FactQuery) -> Decimal | None:
        """The average of all. None if it is not known, and the groups have numbers of their own.

        Raises ExposureMissing.
        """
        try:
            return self.average_all(asked, asked.period.first, asked.period.end)
        except ExposureMissing:
            if str(asked.group_by) not in self._steps:
                raise
            return None

    def average_group(self, asked: FactQuery, key: str | None) -> Decimal | None:
        """The average of one group; None: it is not known. Where no group has a number, all count.

        Raises ExposureMissing.
        """
        period = asked.period
        if asked.group_by in PERIODS and key is not None:
            return self.average_all(asked, *_piece(asked, key))
        known = self._steps.get(str(asked.group_by))
        if not known:
            return self.average_all(asked, period.first, period.end)
        return None if key is None else average_exposure(known.get(key, []), period.first, period.end)

    def _chosen(self, asked: FactQuery) -> list[list[tuple[int, int]]]:
        for name, values in asked.filters.items():
            if known := self._steps.get(name):
                return [known.get(value, []) for value in _apart(name, values)]
        return list(self._steps[ALL_GROUPS].values())


def _apart(name: str, values: Sequence[Any]) -> list[str]:
    """Each value once, and no category whose parent is chosen too: the number of the parent has its children."""
    once = dict.fromkeys(str(value) for value in values)
    if name != GroupBy.CATEGORY:
        return [*once]
    return [one for one in once if one.partition(".")[0] == one or one.partition(".")[0] not in once]


def _piece(asked: FactQuery, key: str) -> tuple[int, int]:
    """The days of a day, week or month that lie in the period."""
    group_by = asked.group_by
    assert group_by is not None
    first, end = period_days(group_by, read_key(group_by, key))
    return max(first, asked.period.first), min(end, asked.period.end)


def set_against(
    tx: Transaction, figure: Figure, asked: FactQuery, groups: Sequence[FigureGroup], total: FigureGroup
) -> tuple[list[FigureGroup], FigureGroup]:
    """The groups and the total for every so many services or users. Raises ExposureMissing."""
    assert figure.measure is not None
    known = Exposures(figure.measure, figure_exposure.list_exposures(tx, figure.measure))
    whole = known.average_total(asked)
    made = [_per(figure, group, known.average_group(asked, group.key)) for group in groups]
    return made, _per(figure, total, whole)


def _per(figure: Figure, group: FigureGroup, exposure: Decimal | None) -> FigureGroup:
    value = None if exposure is None else divide(group.numerator, exposure, times=figure.per)
    changed: dict[str, Any] = {"value": value, "denominator": exposure}
    return replace(group, **changed)
