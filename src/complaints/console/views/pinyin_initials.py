"""The initials of a name, so that `lw` finds 李伟: the first letters of its words, and of its characters in pinyin.

GB 2312 orders its 3,755 usual characters by pinyin, so the code of a character tells its first letter. It knows one
reading of each; surnames with another reading stand in a table. The 3,008 rarer characters are ordered by their
radical: they fit any letter.
"""

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache

ANY = "?"
"""Stands for a character whose first letter is not known."""

# The first character of each letter, in the order of GB 2312. No syllable begins with i, u or v.
_FIRST = "啊芭擦搭蛾发噶哈击喀垃妈拿哦啪期然撒塌挖昔压匝"
_LETTERS = "abcdefghjklmnopqrstwxyz"
_STARTS = [character.encode("gb2312") for character in _FIRST]
_END = "座".encode("gb2312")  # the last of the usual characters
_SURNAMES = {
    "单": "s", "解": "x", "仇": "q", "查": "z", "翟": "z", "区": "o", "乐": "y", "种": "c", "缪": "m", "覃": "q",
    "秘": "b", "繁": "p", "召": "s", "隗": "w", "褚": "c",
}  # fmt: skip
_PARTS = re.compile(r"[a-z0-9]+|[^\W\d_a-z]", re.IGNORECASE)


@lru_cache(maxsize=8192)
def initials_of(name: str) -> str:
    """The initials of a name in lower case, with `ANY` for a character of unknown reading."""
    parts = _PARTS.findall(unicodedata.normalize("NFKC", name).lower())
    return "".join(
        _SURNAMES[part] if place == 0 and part in _SURNAMES else _initial(part)
        for place, part in enumerate(parts)
    )


def _initial(part: str) -> str:
    if part.isascii():
        return part[0]
    try:
        code = part.encode("gb2312")
    except UnicodeEncodeError:
        return ANY
    if not _STARTS[0] <= code <= _END:
        return ANY
    return _LETTERS[bisect_right(_STARTS, code) - 1]


def has_initials(name: str, letters: str) -> bool:
    """True if the initials of a name begin with `letters`, which are in lower case."""
    initials = initials_of(name)
    return len(letters) <= len(initials) and all(
        own in (ANY, letter) for own, letter in zip(initials, letters, strict=False)
    )
