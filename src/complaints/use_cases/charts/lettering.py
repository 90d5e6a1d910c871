"""How wide a text is, and how it is broken into lines. There are no fonts here, so widths are careful guesses."""

import re
import unicodedata
from collections.abc import Iterator

SIZE = 13
"""The height of letters, in units of the drawing."""
LINE = 17
"""The distance between two lines."""
_NARROW, _WIDE = frozenset("iljtfr.,:;'|!()[]/ "), frozenset("mwMW@%—")
_NARROW_SHARE, _USUAL_SHARE, _CAPITAL_SHARE, _WIDE_SHARE, _FULL_SHARE = 0.45, 0.66, 0.78, 1.0, 1.04
_BOLD = 1.12
_PIECE = re.compile(r"\s+|[^\s./_-]+[./_-]*|[./_-]+")


def measure_text(text: str, *, bold: bool = False) -> float:
    """The width of a text in units. It is rather too large than too small."""
    width = sum(_share_of(one) for one in text) * SIZE
    return width * _BOLD if bold else width


def _share_of(one: str) -> float:
    if unicodedata.combining(one):
        return 0
    if unicodedata.east_asian_width(one) in "WFA" and not one.isascii():
        return _FULL_SHARE
    if one in _NARROW:
        return _NARROW_SHARE
    if one in _WIDE:
        return _WIDE_SHARE
    return _CAPITAL_SHARE if one.isupper() else _USUAL_SHARE


def wrap_text(text: str, width: float) -> list[str]:
    """The lines of a text, each at most `width` wide. Nothing is left out: a word that is too long is broken."""
    lines = [""]
    for piece in _pieces_of(" ".join(text.split())):
        for part in (piece,) if measure_text(piece) <= width else piece:
            if lines[-1] and measure_text(lines[-1] + part.rstrip()) > width:
                lines.append("")
            lines[-1] += part if lines[-1] else part.lstrip()
    return [line.rstrip() for line in lines]


def _pieces_of(text: str) -> Iterator[str]:
    """The parts between which a line may end: words, and each Chinese character."""
    for piece in _PIECE.findall(text):
        if any(unicodedata.east_asian_width(one) in "WF" for one in piece):
            yield from piece
        else:
            yield piece
