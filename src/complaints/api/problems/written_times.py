"""Times and time zones in words, for pages and mails to complainants: each of them writes a time in the same way."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

from complaints.api.problems.languages import Language
from complaints.domain.time.zones import zone_of

FORMS: Mapping[str, Any] = tomllib.loads(
    resources.files("complaints.api.problems").joinpath("written_times.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time for people, in words, and for programs, in RFC 3339."""

    words: str
    exact: str


def write_time(instant: datetime, zone: str, language: Language) -> WrittenTime:
    """An instant as local time in a zone, with the weekday. Seconds are left out."""
    local = instant.astimezone(zone_of(zone).info)
    forms = FORMS[language]
    words = forms["form"].format(
        weekday=forms["weekdays"][local.weekday()],
        month=forms["months"][local.month - 1],
        day=local.day,
        year=local.year,
        time=f"{local:%H:%M}",
    )
    return WrittenTime(words, local.isoformat(timespec="seconds"))


def name_zone(zone: str, language: Language) -> str:
    """The name of a time zone for people: its usual name, or the name in the IANA list."""
    known: str = FORMS[language]["zones"].get(zone, zone)
    return known
