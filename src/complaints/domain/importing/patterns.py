"""Regular expressions that values of an import must match. Expressions that could take long are refused.

The time for a match can grow exponentially with the length of the text. The reason is the number of ways in
which the repetitions of the expression can divide the text. So these ways are counted first.
"""

import re
from collections.abc import Callable

MAX_PATTERN = 200
MAX_VALUE = 200
_MAX_WAYS = 10_000_000
_MAX_REPEAT = 1000
_COUNTED = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A function that is true for a text if the whole text matches `pattern` and has at most 200 characters.

    Raises ValueError for text that is no regular expression. Also for an expression that could take long: with
    nested repetitions, back-references, look-ahead or look-behind.
    """
    if len(pattern) > MAX_PATTERN:
        raise ValueError(f"a pattern has at most {MAX_PATTERN} characters")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ValueError(f"it is no regular expression: {exc}") from exc
    if _Scanner(pattern).count_ways() > _MAX_WAYS:
        raise ValueError(
            "it could take too long: repeat characters and classes, not groups that repeat or choose inside"
        )
    return lambda text: len(text) <= MAX_VALUE and compiled.fullmatch(text) is not None


class _Scanner:
    """Counts the ways in which a valid pattern could divide a text among its repetitions."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern.removeprefix("(?i)")
        self._at = 0

    def count_ways(self) -> int:
        """The sum of the ways of all alternatives, up to the end of the pattern or of the group."""
        total, ways = 0, 1
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._pattern[self._at] == "|":
                self._at += 1
                total, ways = total + ways, 1
            else:
                ways = min(ways * self._piece(), _MAX_WAYS + 1)
        return min(total + ways, _MAX_WAYS + 1)

    def _piece(self) -> int:
        """The ways of a character, class or group with its repetition."""
        is_group = self._pattern[self._at] == "("
        inner = self._group() if is_group else self._single()
        low, high = self._repetition()
        if inner > 1:
            return int(min(float(inner) ** min(high, 64), _MAX_WAYS + 1)) if high else 1
        return max(high if is_group else 1, high - low + 1)

    def _group(self) -> int:
        self._at += 1
        if self._pattern.startswith("?:", self._at):
            self._at += 2
        elif self._pattern.startswith("?P<", self._at):
            self._at = self._pattern.index(">", self._at) + 1
        elif self._pattern.startswith("?", self._at):
            raise ValueError(
                "of the groups only (...), (?:...) and (?P<name>...) can be used, and (?i) in front"
            )
        ways = self.count_ways()
        self._at += 1
        return ways

    def _single(self) -> int:
        if in_class := _CLASS.match(self._pattern, self._at):
            self._at = in_class.end()
            return 1
        if self._pattern[self._at] == "\\":
            self._at += 1
            if self._pattern[self._at] in "123456789":
                raise ValueError("back-references cannot be used")
        self._at += 1
        return 1

    def _repetition(self) -> tuple[int, int]:
        """The least and the greatest number of times for the last piece, at most the length of a value."""
        rest = self._pattern[self._at : self._at + 1]
        low, high, length = {"*": (0, MAX_VALUE, 1), "+": (1, MAX_VALUE, 1), "?": (0, 1, 1)}.get(
            rest, (1, 1, 0)
        )
        counted = _COUNTED.match(self._pattern, self._at)
        if counted and (counted[1] or (counted[2] and counted[3])):
            low = int(counted[1] or 0)
            high = int(counted[3] or MAX_VALUE) if counted[2] else low
            length = len(counted[0])
        if max(low, high) > _MAX_REPEAT:
            raise ValueError(f"a repetition counts at most to {_MAX_REPEAT}")
        self._at += length
        if length and self._pattern[self._at : self._at + 1] in ("?", "+"):
            self._at += 1
        return low, high
