"""Tells GB18030 from other encodings by the characters that a file has in each.

GB18030 decodes almost any bytes, also Korean and Russian ones. Frequent characters then become rare ones. So each
encoding reads the same lines, and gives the probability of what it reads. This works with a single name, too.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from complaints.domain.importing.common_characters import (
    CHINESE,
    JAPANESE,
    KOREAN,
    PUNCTUATION,
    TRADITIONAL_CHINESE,
)

_ASCII = -3.7  # all weights are natural logarithms of probabilities, for one character each
_IN_FAVOUR = 3.0  # another encoding must be twenty times as probable


class _Reading(NamedTuple):
    """An encoding with groups of characters and their weights. The first group counts that has the character."""

    codec: str
    groups: tuple[tuple[frozenset[str], float], ...]
    rest: float

    def weigh(self, content: bytes) -> float:
        """The weight of the content. Minus infinity if it cannot be read in this encoding."""
        try:
            text = content.decode(self.codec)
        except UnicodeDecodeError:
            return float("-inf")
        weights: dict[str, float] = {}
        for char in text:
            if char not in weights:
                weights[char] = self._weigh_char(char)
        return sum(map(weights.__getitem__, text))

    def _weigh_char(self, char: str) -> float:
        if char.isascii():
            return _ASCII
        return next((weight for group, weight in self.groups if char in group), self.rest)


def looks_chinese(lines: Iterable[bytes]) -> bool:
    """True if the lines are more probable in GB18030 than in any other encoding."""
    content = b"\n".join(lines)
    weight = _chinese().weigh(content)
    return weight > float("-inf") and all(other.weigh(content) <= weight + _IN_FAVOUR for other in _others())


@cache
def _chinese() -> _Reading:
    """GB18030: frequent characters, levels 1 and 2 of GB 2312, and the double bytes of GBK."""
    high = range(0xA1, 0xFF)
    groups = (
        (CHINESE, -7.4),
        (PUNCTUATION, -6.5),
        (TRADITIONAL_CHINESE, -9.9),
        (_block("gb2312", rows=range(0xB0, 0xD8), cells=high), -9.9),
        (_block("gb2312", rows=range(0xD8, 0xF8), cells=high), -11.0),
        (_block("gbk", rows=range(0x81, 0xFF), cells=range(0x80, 0xFF)), -13.0),
    )
    return _Reading("gb18030", groups, -16.0)


@cache
def _others() -> tuple[_Reading, ...]:
    """The other encodings. The last one stands for all with one byte for each character."""
    ideographs = _between("\u4e00", "\u9fff")
    taiwan = ((CHINESE | TRADITIONAL_CHINESE, -7.4), (PUNCTUATION, -6.5), (ideographs, -9.7))
    korean = ((KOREAN, -5.8), (PUNCTUATION, -6.5), (_between("가", "힣"), -9.6))
    japanese = (
        (_between("\u3041", "\u30fe"), -5.8),
        (JAPANESE, -6.8),
        (PUNCTUATION, -6.5),
        (ideographs, -11.0),
        (_between("\uff61", "\uff9f"), -5.2),
    )
    cyrillic = (
        (frozenset("оеаинтсрвлкмдпу"), -2.9), (_between("а", "ё"), -5.1), (_between("А", "Я"), -5.4),
    )  # fmt: skip
    western = (
        (frozenset("éèàçêôîûâëïöäüßñóíáúãõåæøœ"), -3.4), (frozenset("’“”–…€°«»£ÉÀÄÖÜÑÇÅØ"), -5.5),
    )  # fmt: skip
    arabic = ((frozenset("اليمنرتبهوسدعفقكحة"), -3.1), (_between("ء", "ي"), -5.0))
    thai = ((frozenset("านรกอเงมยลวดทสต่้ปคบัีุิช"), -3.4), (_between("ก", "๙"), -5.5))
    return (
        _Reading("cp949", korean, -14.0),
        _Reading("big5hkscs", taiwan, -14.0),
        *(_Reading(codec, japanese, -14.0) for codec in ("euc_jp", "shift_jis")),
        *(_Reading(codec, cyrillic, -9.0) for codec in ("koi8_r", "cp1251", "iso8859_5")),
        _Reading("cp1252", western, -7.5),
        _Reading("cp1256", arabic, -8.0),
        _Reading("cp874", thai, -8.0),
        _Reading("latin_1", (), -4.85),
    )


def _between(first: str, last: str) -> frozenset[str]:
    return frozenset(map(chr, range(ord(first), ord(last) + 1)))


def _block(codec: str, *, rows: range, cells: range) -> frozenset[str]:
    """The characters of a double-byte encoding with these first and second bytes."""
    return frozenset(bytes((row, cell)).decode(codec, errors="ignore") for row in rows for cell in cells)
