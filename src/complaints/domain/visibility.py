"""Characters that show nothing: white space, controls, and what Unicode says may be left out of the display."""

import re

# `Default_Ignorable_Code_Point` of Unicode (joiners, marks of direction, fillers, variation selectors, tags), and
# the letters and symbols that are blank: Braille, hieroglyphs, Khitan, music.
_BLANK = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\u2800\U00013441\U00013442\U00016fe4\U0001d159]+"
)


def has_visible_character(text: str) -> bool:
    """True if a reader sees something of `text`."""
    return any(ch.isprintable() and not ch.isspace() for ch in _BLANK.sub("", text))


def find_invisible(text: str) -> str | None:
    """The first character of `text` that shows nothing and takes no room, such as U+200B. None if there is none."""
    if text.isascii():
        return None
    found = _BLANK.search(text)
    return found[0][0] if found else None


def drop_invisible(text: str) -> str:
    """`text` without the characters that show nothing and take no room."""
    return text if text.isascii() else _BLANK.sub("", text)
