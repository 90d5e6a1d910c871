"""The language and the time zone of a reader: texts, times, durations and numbers for people.

The texts stand in `texts/<language>/<name>.toml`. Both languages have the same files with the same keys.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from complaints.api.problems.languages import Language
from complaints.api.problems.translations import say
from complaints.domain.instants import read_instant
from complaints.domain.time.zones import zone_of

# An instant in UTC, as messages of refusals name it.
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class Texts:
    """Texts by key, in groups: `texts.overdue.title`. Raises AttributeError for a key that does not exist."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = MappingProxyType(
            {key: Texts(value) if isinstance(value, dict) else value for key, value in found.items()}
        )

    def __getattr__(self, key: str) -> Any:
        try:
            return self._found[key]
        except KeyError:
            raise AttributeError(f"there is no text {key!r}") from None

    def __getitem__(self, key: str) -> Any:
        return self._found[key]

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)


@cache
def read_texts(language: Language) -> Texts:
    """The texts of a language, by the name of the file and the key."""
    directory = resources.files("complaints.console") / "texts" / language
    files = sorted(
        (file for file in directory.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name
    )
    return Texts({file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in files})


@dataclass(frozen=True, slots=True)
class Locale:
    """How a reader sees texts and times. `zone` is a name of the IANA list."""

    language: Language
    zone: str

    @property
    def texts(self) -> Texts:
        """The texts in the language of the reader."""
        return read_texts(self.language)

    @property
    def tag(self) -> str:
        """The language as an HTML `lang` attribute."""
        return "zh-CN" if self.language is Language.CHINESE else "en"

    def word(self, group: str, value: object) -> str:
        """The word for a value of the vocabulary, such as ("status", "on_hold"). An unknown value stays as it is."""
        words = self.texts.words
        if group not in words or str(value) not in words[group]:
            return str(value)
        return str(words[group][str(value)])

    def name(self, names: Mapping[str, str], code: str) -> str:
        """The name in the language of the reader, else in English, else the code."""
        return names.get(self.language) or names.get("en") or code

    def number(self, value: int) -> str:
        """A whole number with a comma between thousands."""
        return f"{value:,}"

    def local(self, instant: datetime) -> datetime:
        """An instant in the zone of the reader."""
        return instant.astimezone(zone_of(self.zone).info)

    def time(self, instant: datetime, *, now: datetime | None = None) -> str:
        """An instant in words, in the zone of the reader. Without the date if it is the local day of `now`."""
        local = self.local(instant)
        if now is not None and local.date() == self.local(now).date():
            return f"{local:%H:%M}"
        year = None if now is None else self.local(now).year
        return f"{self.day(local.date(), this_year=year)} {local:%H:%M}"

    def moment(self, instant: datetime, now: datetime) -> str:
        """As `time`, with a word for the local day of `now`, so that it can stand among other days."""
        said = self.time(instant, now=now)
        is_today = self.local(instant).date() == self.local(now).date()
        return str(self.texts.common.dates.today).format(time=said) if is_today else said

    def time_at(self, instant: datetime, zone: str) -> str:
        """An instant in words in another zone, with the date and the name of the zone."""
        return f"{Locale(self.language, zone).time(instant)} {zone}"

    def refusal(self, message: str) -> str:
        """The message of a refusal, in the language of the reader and with its instants in the zone of the reader."""
        return _INSTANT.sub(lambda found: self._time_of(found[0]), say(message, self.language))

    def _time_of(self, text: str) -> str:
        """The time in words. A message can quote a value that only looks like an instant: it stays as it is."""
        try:
            return self.time(read_instant(text))
        except ValueError:
            return text

    def day(self, day: date, *, this_year: int | None = None) -> str:
        """A date with its weekday. The year is left out if it is `this_year`."""
        words = self.texts.common.dates
        form = words.short if day.year == this_year else words.long
        return str(form).format(
            weekday=words.weekdays[day.weekday()],
            month=words.months[day.month - 1],
            day=day.day,
            year=day.year,
        )

    def duration(self, length: timedelta | float) -> str:
        """A length of time by its two largest units: `2 d 11 h`, `3 h 10 min`. Less than a minute: `0 min`."""
        seconds = length.total_seconds() if isinstance(length, timedelta) else length
        minutes = int(abs(seconds)) // 60
        days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
        words = self.texts.common.units
        parts = [(days, words.day), (hours, words.hour), (rest, words.minute)]
        while len(parts) > 1 and parts[0][0] == 0:
            parts.pop(0)
        shown = [str(unit).format(count=count) for count, unit in parts[:2] if count or len(parts) == 1]
        return " ".join(shown)
