"""Turns text of spreadsheets, browsers and input methods into the plain characters that it stands for."""

import unicodedata

_LONGEST = 500
_SIGNS = str.maketrans({"\u2212": "-", "\u2236": ":", "\u2215": "/", "\u2044": "/"})


class _PlainCharacters(dict[int, str]):
    """The plain form of each character, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cf":  # marks without a width, such as U+200E
            plain = ""
        elif category == "Nd":
            plain = str(unicodedata.decimal(char))
        elif category == "Pd":
            plain = "-"
        else:
            plain = " " if char.isspace() else char
        self[code] = plain
        return plain


_PLAIN = _PlainCharacters()


def to_plain(text: str) -> str:
    """The text with plain white space, digits, dashes and forms (NFKC), without invisible marks.

    Text of more than 500 characters stays as it is: it is no date, word or name.
    """
    if text.isascii() or len(text) > _LONGEST:
        return text
    composed = unicodedata.normalize("NFKC", text.translate(_SIGNS))
    return composed.translate(_PLAIN)


def fold_spaces(text: str) -> str:
    """The plain text with one space for each run of white space, and none at its ends."""
    return " ".join(to_plain(text).split())
