"""The patterns of `.regex`: a part of regular expressions that every engine answers alike, in linear time. Pure."""

from dataclasses import dataclass
from enum import Enum

_MOST_RUNS = 5
_SPECIAL = frozenset("*+?()[]{}|^$")


class Wild(Enum):
    """A place of a pattern that is no literal character."""

    ONE = "_"  # any one character
    RUN = "%"  # any number of characters


class UnusablePattern(ValueError):
    """The pattern has more than literal text, `.`, `.*`, `^`, `$` and escaped signs."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern for a whole text. `parts` are single characters and wild places."""

    parts: tuple[str | Wild, ...]

    @property
    def like(self) -> str:
        r"""The pattern for LIKE of SQL, with `\` as the sign of escape."""
        return "".join(_escape(part) if isinstance(part, str) else part.value for part in self.parts)

    def fits(self, text: str) -> bool:
        """True if the whole text fits."""
        place, part, back_part, back_place = 0, 0, -1, 0
        parts = self.parts
        while place < len(text):
            if part < len(parts) and parts[part] is Wild.RUN:
                back_part, back_place, part = part, place, part + 1
            elif part < len(parts) and parts[part] in (Wild.ONE, text[place]):
                place, part = place + 1, part + 1
            elif back_part >= 0:
                back_place += 1
                place, part = back_place, back_part + 1
            else:
                return False
        return all(left is Wild.RUN for left in parts[part:])


def read_pattern(text: str) -> Pattern:
    """The pattern that a regular expression means. Without `^` or `$`, it may begin or end anywhere in a text.

    Raises UnusablePattern for an expression that has more than patterns can say.
    """
    begins, ends = text.startswith("^"), text.endswith("$") and not _is_escaped_end(text)
    inner = text[begins : len(text) - ends]
    parts = [*([] if begins else [Wild.RUN]), *_parts(inner), *([] if ends else [Wild.RUN])]
    if sum(part is Wild.RUN for part in parts) > _MOST_RUNS:
        raise UnusablePattern
    return Pattern(tuple(parts))


def _is_escaped_end(text: str) -> bool:
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _parts(text: str) -> list[str | Wild]:
    parts: list[str | Wild] = []
    place = 0
    while place < len(text):
        sign, following = text[place], text[place + 1 : place + 2]
        if sign == "\\":
            if not following or following.isalnum():
                raise UnusablePattern
            parts.append(following)
            place += 2
        elif sign == ".":
            parts.append(Wild.RUN if following == "*" else Wild.ONE)
            place += 2 if following == "*" else 1
        elif sign in _SPECIAL:
            raise UnusablePattern
        else:
            parts.append(sign)
            place += 1
    return parts


def _escape(sign: str) -> str:
    return "\\" + sign if sign in "%_\\" else sign
