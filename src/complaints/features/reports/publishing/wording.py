"""The words and numbers of reports in each language, from the files in `texts`."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from importlib import resources
from types import MappingProxyType
from typing import Any

from complaints.api.problems.languages import Language
from complaints.domain.figures.answers import GroupBy
from complaints.domain.time.zones import zone_of
from complaints.features.reports.publishing.periods import PeriodKind, ReportPeriod, read_period
from complaints.features.reports.publishing.snapshots import (
    NumberChange,
    ReportRow,
    ReportSnapshot,
    ReportTable,
)

Texts = Mapping[str, Any]
SECONDS, MEDIAN, NET = "seconds", "median", "net"
_HOUR = Decimal(3600)
_SHARES = ("share", "cumulative_share", "change", "response_rate")
_NO_CURRENCY = (None, "currency")
_PERCENTILES = ("p80", "p90")


def _read_texts(language: Language) -> Texts:
    file = resources.files(__package__).joinpath(f"texts/{language}.toml")
    return MappingProxyType(tomllib.loads(file.read_text(encoding="utf-8")))


TEXTS: Mapping[Language, Texts] = {language: _read_texts(language) for language in Language}


def names_of_key(group_by: GroupBy, key: str) -> dict[str, str] | None:
    """The names of a channel, cause, nature or priority in each language. None: the texts do not have it."""
    found = {language.value: texts["keys"].get(group_by, {}).get(key) for language, texts in TEXTS.items()}
    return found if all(found.values()) else None


def write_decimal(number: Decimal, places: int) -> str:
    """A number with groups of three digits and at most so many decimal places."""
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Writer:
    """Writes the numbers, names and days of a report in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.texts = TEXTS[language]

    def percent(self, share: Decimal) -> str:
        """A share from 0 to 1 as percent, with one decimal place."""
        number = f"{(share * 100).quantize(Decimal('0.1'), ROUND_HALF_UP):f}"
        return str(self.texts["percent"].format(number=number))

    def value(self, table: ReportTable, value: Decimal | None) -> str:
        """A value of a table."""
        if value is None:
            return str(self.texts["no_value"])
        if table.is_rate:
            return self.percent(value)
        if table.unit == SECONDS:
            return str(self.texts["hours"].format(number=write_decimal(value / _HOUR, 1)))
        text = write_decimal(value, 2)
        return f"{text} {table.unit}" if table.kind == "sum" and table.unit not in _NO_CURRENCY else text

    def change(self, table: ReportTable) -> tuple[str, str]:
        """How much the total differs from that of the period before, and the share of it. A rate changes by points."""
        now, before = table.total.value, table.before.value if table.before else None
        if now is None or before is None:
            return "–", ""
        if now == before:
            return "0", ""
        sign, size = ("+" if now > before else "−"), abs(now - before)
        if table.is_rate:
            return str(self.texts["points"].format(number=f"{sign}{write_decimal(size * 100, 1)}")), ""
        share = f"{sign}{self.percent(size / abs(before))}" if before else ""
        return sign + self.value(table, size), share

    def cases(self, table: ReportTable, row: ReportRow) -> str:
        """On how many cases a value stands. Empty for a count: it is the number of its cases."""
        above = write_decimal(row.numerator, 2)
        if table.kind == MEDIAN:
            return str(self.texts["n"].format(number=above))
        if row.denominator is None:
            return ""
        if table.kind == NET:
            return str(self.texts["n"].format(number=write_decimal(row.denominator, 0)))
        text: str = self.texts["cases"].format(numerator=above, denominator=write_decimal(row.denominator, 2))
        return text

    def parts(self, table: ReportTable, row: ReportRow) -> str:
        """The further numbers of a row, each with its name. Parts of a whole that are 0 are left out."""
        texts = [
            self.texts["part"].format(name=self.part_name(name), value=self._part(table, name, value))
            for name, value in row.parts.items()
            if value is not None and (value or not row.is_partition)
        ]
        return str(self.texts["between_parts"]).join(texts)

    def part_name(self, name: str) -> str:
        """The name of a part."""
        return str(self.texts["parts"].get(name, name))

    def member(self, name: str) -> str:
        """The name of a number of a row."""
        return str(self.texts["members"].get(name) or self.part_name(name))

    def _part(self, table: ReportTable, name: str, value: Decimal) -> str:
        if name in _SHARES:
            sign = "+" if name == "change" and value > 0 else ""
            return sign + self.percent(value)
        return self.value(table, value) if name in _PERCENTILES else write_decimal(value, 2)

    def interval(self, row: ReportRow) -> str:
        """The interval of a rate, or nothing."""
        if row.interval is None:
            return ""
        low, high = map(self.percent, row.interval)
        return str(self.texts["interval"].format(low=low, high=high))

    def name(self, names: Mapping[str, str], key: str | None) -> str:
        """The name of a group: in the language, or its code."""
        return names.get(self.language) or key or str(self.texts["none"])

    def title(self, table: ReportTable | NumberChange) -> str:
        """The title of a table: its figure, and by what it is split."""
        figure = table.titles.get(self.language, table.figure)
        if table.group_by is None:
            return figure
        group = self.texts["groups"][table.group_by]
        return str(self.texts["title_by"].format(figure=figure, group=group))

    def left_out(self, row: ReportRow) -> str:
        """What a figure left out, and why; or nothing."""
        words, reasons = self.texts["tables"], self.texts["reasons"]
        parts = [
            words["left_out_one"].format(count=one.count, reason=reasons.get(one.reason, one.reason))
            for one in row.excluded
            if one.count
        ]
        return str(words["left_out"].format(what=", ".join(parts))) if parts else ""

    def period(self, code: str) -> str:
        """The name of a period."""
        return self._period_name(read_period(code))

    def _period_name(self, period: ReportPeriod) -> str:
        if period.kind is PeriodKind.QUARTER:
            return str(self.texts["quarter"].format(number=period.number, year=period.year))
        month = self.texts["months"][period.number - 1]
        return str(self.texts["month"].format(month=month, year=period.year))

    def day(self, day: date) -> str:
        """A day in words."""
        month = self.texts["months"][day.month - 1]
        return str(self.texts["day"].format(day=day.day, month=month, year=day.year))

    def days(self, snapshot: ReportSnapshot) -> str:
        """The first and the last day of a report."""
        last = snapshot.to_on - timedelta(days=1)
        return str(self.texts["period_days"].format(first=self.day(snapshot.from_on), last=self.day(last)))

    def instant(self, at: datetime, zone: str) -> str:
        """An instant as local time in a zone."""
        local = at.astimezone(zone_of(zone).info)
        return f"{self.day(local.date())} {local:%H:%M}"

    def coverage(self, snapshot: ReportSnapshot) -> str:
        """Which complaints a report is about."""
        coverage, words = snapshot.coverage, self.texts["coverage"]
        kind, _, code = coverage.code.partition(":")
        return str(words[kind].format(name=self.name(coverage.names, code)))
