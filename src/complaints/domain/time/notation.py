"""The written form of targets, lengths of time and places of steps in policy documents (rule 4.5)."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from complaints.domain.time.working_time import Target, Unit
from complaints.domain.time.zones import DAY_SECONDS

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_LARGEST_SECONDS = 3660 * DAY_SECONDS
_LARGEST = {
    Unit.ELAPSED_SECONDS: _LARGEST_SECONDS,
    Unit.OPEN_SECONDS: _LARGEST_SECONDS,
    Unit.WORKING_DAYS: 3660,
    Unit.CALENDAR_DAYS: 3660,
    Unit.CALENDAR_MONTHS: 120,
}
_LARGEST_SHARE = 10
_UNITS = {
    **{("elapsed", word): (Unit.ELAPSED_SECONDS, seconds) for word, seconds in _SECONDS.items()},
    **{("working", word): (Unit.OPEN_SECONDS, seconds) for word, seconds in _SECONDS.items()},
    ("working", "day"): (Unit.WORKING_DAYS, 1),
    ("calendar", "day"): (Unit.CALENDAR_DAYS, 1),
    ("calendar", "month"): (Unit.CALENDAR_MONTHS, 1),
}
_WORDS = {
    Unit.WORKING_DAYS: "working day",
    Unit.CALENDAR_DAYS: "calendar day",
    Unit.CALENDAR_MONTHS: "calendar month",
}
_TARGET = re.compile(r"([0-9]{1,9}) +([a-z]+) +([a-z]+?)s?( +from +the +next +day)?")
_LENGTH = re.compile(r"([0-9]{1,9}) +(second|minute|hour)s?")
_SHARE = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)%")
_OFFSET = re.compile(r"([+-])([0-9]{1,6})([dhm])")
_REPEAT = re.compile(r"([0-9]{1,6})([dhm])")
_SHORTEST_REPEAT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class StepPlace:
    """The place of a step on its deadline, with its canonical name ("50%", "-3d", "+12h").

    Exactly one of three members is set. `share` is a share of the target; 1 is the due time. `offset_seconds`
    counts from the due time in the time that the deadline counts. `offset_days` are calendar days from the due
    time, at the same local time.
    """

    name: str
    share: Fraction | None = None
    offset_seconds: int | None = None
    offset_days: int | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """The time between the repetitions of a step, with its canonical name ("24h", "1d").

    Exactly one of two members is set. `seconds` count in the time that the deadline counts. `days` are calendar
    days, at the same local time.
    """

    name: str
    seconds: int | None = None
    days: int | None = None


def parse_target(text: str) -> Target:
    """The target in `text`, such as "24 elapsed hours" or "5 working days from the next day" (rule 4.5).

    Raises ValueError with a message that explains how to write a target.
    """
    found = _TARGET.fullmatch(text.strip().lower())
    known = _UNITS.get((found[2], found[3])) if found else None
    if found is None or known is None:
        raise ValueError(
            f"{_quoted(text)} is not a target; write one such as '24 elapsed hours', '8 working hours', "
            "'5 working days', '3 calendar days' or '1 calendar month', "
            "with ' from the next day' after it if it begins the day after"
        )
    unit, size = known
    amount = int(found[1]) * size
    if not 1 <= amount <= _LARGEST[unit]:
        raise ValueError(
            f"{_quoted(text)} is out of range: a target is more than nothing and at most ten years"
        )
    return Target(amount, unit, from_next_day=found[4] is not None)


def target_text(target: Target) -> str:
    """The written form of `target`: the inverse of `parse_target`."""
    tail = " from the next day" if target.from_next_day else ""
    if target.unit in _WORDS:
        return _counted(target.amount, _WORDS[target.unit]) + tail
    kind = "elapsed" if target.unit is Unit.ELAPSED_SECONDS else "working"
    count, word = _in_largest_unit(target.amount)
    return _counted(count, f"{kind} {word}") + tail


def parse_length(text: str) -> int:
    """The seconds in a length of time such as "72 hours" or "30 minutes". Raises ValueError."""
    found = _LENGTH.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= _LARGEST_SECONDS:
        raise ValueError(
            f"{_quoted(text)} is not a length of time; write one such as '72 hours' or '30 minutes'"
        )
    return seconds


def length_text(seconds: int) -> str:
    """The written form of a length of time: the inverse of `parse_length`."""
    return _counted(*_in_largest_unit(seconds))


def parse_step_place(text: str) -> StepPlace:
    """The place in `text`: a share ("80%") or an offset from the due time ("-3d", "+12h", "-30m").

    The name is canonical, so "+60m" and "+1h" are the same step. A day is a calendar day, so "+1d" is not
    "+24h". Raises ValueError with a message that explains how to write a place.
    """
    share, offset = _SHARE.fullmatch(text.strip()), _OFFSET.fullmatch(text.strip())
    place = _share_place(share[1]) if share else _offset_place(*offset.groups()) if offset else None
    if place is None:
        raise ValueError(
            f"{_quoted(text)} is not the place of a step; write a share of the target such as '80%' "
            "(more than 0%, at most 1000%) or an offset from due such as '-3d', '+12h' or '-30m'"
        )
    return place


def parse_repeat(text: str) -> Repeat:
    """The time between repetitions in `text`, such as "24h", "90m" or "1d". Raises ValueError."""
    found = _REPEAT.fullmatch(text.strip())
    place = _offset_place("+", *found.groups()) if found else None
    seconds = place.offset_seconds if place else None
    if place is None or (seconds is not None and seconds < _SHORTEST_REPEAT_SECONDS):
        raise ValueError(
            f"{_quoted(text)} is not a time between repetitions; write one such as '24h', '90m' or '1d', "
            "at least one hour and at most ten years"
        )
    return Repeat(place.name.removeprefix("+"), seconds, place.offset_days)


def _share_place(number: str) -> StepPlace | None:
    share = Fraction(Decimal(number)) / 100
    if not 0 < share <= _LARGEST_SHARE:
        return None
    return StepPlace(f"{Decimal(number).normalize():f}%", share=share)


def _offset_place(sign: str, digits: str, unit: str) -> StepPlace | None:
    amount = int(digits) * (-1 if sign == "-" else 1)
    if amount == 0:
        return None
    if unit == "d":
        return StepPlace(f"{amount:+d}d", offset_days=amount) if abs(amount) <= 3660 else None
    seconds = amount * (3600 if unit == "h" else 60)
    if abs(seconds) > _LARGEST_SECONDS:
        return None
    name = f"{seconds // 3600:+d}h" if seconds % 3600 == 0 else f"{seconds // 60:+d}m"
    return StepPlace(name, offset_seconds=seconds)


def _in_largest_unit(seconds: int) -> tuple[int, str]:
    for word in ("hour", "minute"):
        if seconds % _SECONDS[word] == 0:
            return seconds // _SECONDS[word], word
    return seconds, "second"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _quoted(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"'{shown}'"
