"""The periods of reports: months and quarters in local dates of the zone of the policy. Pure functions."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from complaints.domain.errors import InvalidContent
from complaints.domain.figures.answers import GroupBy
from complaints.domain.time.zones import from_microseconds, zone_of

_FORM = re.compile(r"([0-9]{4})-(?:(0[1-9]|1[0-2])|Q([1-4]))")
_FIRST_YEAR, _LAST_YEAR = 1990, 2999


class PeriodKind(StrEnum):
    """The length of a period."""

    MONTH = "month"
    QUARTER = "quarter"


_MONTHS = {PeriodKind.MONTH: 1, PeriodKind.QUARTER: 3}


@dataclass(frozen=True, slots=True, order=True)
class ReportPeriod:
    """A calendar month or quarter. `number` counts in the year, from 1."""

    kind: PeriodKind
    year: int
    number: int

    @property
    def code(self) -> str:
        """The period as text: `2026-10` for a month, `2026-Q4` for a quarter."""
        number = f"{self.number:02d}" if self.kind is PeriodKind.MONTH else f"Q{self.number}"
        return f"{self.year}-{number}"

    @property
    def from_on(self) -> date:
        """The first day."""
        return date(self.year, (self.number - 1) * _MONTHS[self.kind] + 1, 1)

    @property
    def to_on(self) -> date:
        """The day after the last day."""
        return self._moved(1).from_on

    @property
    def before(self) -> "ReportPeriod":
        """The period before."""
        return self._moved(-1)

    @property
    def after(self) -> "ReportPeriod":
        """The next period."""
        return self._moved(1)

    @property
    def year_before(self) -> "ReportPeriod":
        """The same period of the year before."""
        return ReportPeriod(self.kind, self.year - 1, self.number)

    def _moved(self, by: int) -> "ReportPeriod":
        in_year = 12 // _MONTHS[self.kind]
        place = self.year * in_year + self.number - 1 + by
        return ReportPeriod(self.kind, place // in_year, place % in_year + 1)

    def ends_at(self, timezone: str) -> datetime:
        """The instant at which the period is over: local midnight, in UTC."""
        return from_microseconds(zone_of(timezone).instant(self.to_on.toordinal()))

    def due_at(self, timezone: str, hours: int) -> datetime:
        """The instant so many hours after the end of the period, in UTC."""
        return self.ends_at(timezone) + timedelta(hours=hours)


def read_period(text: str, *, pointer: str = "/period", parameter: str | None = None) -> ReportPeriod:
    """The period of a text. Raises InvalidContent for a text that names none, in a member or a query parameter."""
    found = _FORM.fullmatch(text)
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        message = f"A period is a month such as 2026-10, or a quarter such as 2026-Q4, from {_FIRST_YEAR} on."
        raise (
            InvalidContent.in_query(parameter, message) if parameter else InvalidContent.at(pointer, message)
        )
    kind = PeriodKind.MONTH if found[2] else PeriodKind.QUARTER
    return ReportPeriod(kind, int(found[1]), int(found[2] or found[3]))


def period_at(instant: datetime, kind: PeriodKind, timezone: str) -> ReportPeriod:
    """The period in which an instant lies."""
    local = instant.astimezone(zone_of(timezone).info)
    return ReportPeriod(kind, local.year, (local.month - 1) // _MONTHS[kind] + 1)


def list_keys(from_on: date, to_on: date, group_by: GroupBy) -> list[str]:
    """The keys of the days or weeks from a day up to and without `to_on`, in order. Weeks may lie in it in part."""
    days = (from_on + timedelta(days=number) for number in range((to_on - from_on).days))
    if group_by is GroupBy.DAY:
        return [day.isoformat() for day in days]
    weeks = (day.isocalendar() for day in days)
    return list(dict.fromkeys(f"{week.year}-W{week.week:02}" for week in weeks))


def list_due(
    kind: PeriodKind, timezone: str, hours: int, *, begins_at: datetime, now: datetime
) -> list[ReportPeriod]:
    """The periods whose reports fell due from `begins_at` until `now`, oldest first."""
    period = period_at(begins_at.astimezone(UTC) - timedelta(hours=hours), kind, timezone)
    due: list[ReportPeriod] = []
    while (at := period.due_at(timezone, hours)) <= now:
        if at >= begins_at:
            due.append(period)
        period = period.after
    return due
