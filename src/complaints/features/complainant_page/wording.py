"""The words of the page in each language, from the files in `texts`, and times written out."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import MappingProxyType
from typing import Any

from complaints.api.problems.languages import Language
from complaints.domain.time.zones import zone_of

Texts = Mapping[str, Any]


def read_texts(language: Language) -> Texts:
    """The texts of a language by key."""
    file = resources.files("complaints.features.complainant_page").joinpath(f"texts/{language}.toml")
    return MappingProxyType(tomllib.loads(file.read_text(encoding="utf-8")))


TEXTS: Mapping[Language, Texts] = {language: read_texts(language) for language in Language}


@dataclass(frozen=True, slots=True)
class WrittenTime:
    """A time for people, in words, and for programs, in RFC 3339."""

    words: str
    exact: str


def write_time(instant: datetime, zone: str, language: Language) -> WrittenTime:
    """An instant as local time in a zone, with the weekday. Seconds are left out."""
    local = instant.astimezone(zone_of(zone).info)
    forms = TEXTS[language]["times"]
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
    known: str | None = TEXTS[language]["times"]["zones"].get(zone)
    return known or zone
