"""Complaint numbers, which people read aloud: "C", a sequence number of at least 8 digits, a check digit.

The check digit uses Damm's algorithm. It finds every single wrong digit and every swap of two neighbours.
"""

import re
import unicodedata
from uuid import UUID

from stdnum import damm

_LARGEST = 10**18 - 1  # "C", 18 digits and the check digit are 20 characters
_NUMBER = re.compile(r"C([0-9]{8,18})[0-9]")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")

# Damm's table, read from the library once. The library itself needs ten times as long for each number, and a
# page shows many numbers.
_FIRST = {damm.checksum(digit): digit for digit in "0123456789"}
_NEXT = [[damm.checksum(_FIRST[check] + digit) for digit in "0123456789"] for check in range(10)]


def number_of(sequence: int) -> str:
    """The complaint number for a sequence number from 0 to 10^18 - 1: at most 20 ASCII characters.

    Raises ValueError for a sequence number outside this range.
    """
    if not 0 <= sequence <= _LARGEST:
        raise ValueError(f"a complaint's sequence number is from 0 to {_LARGEST}, not {sequence}")
    digits = f"{sequence:08d}"
    check = 0
    for digit in map(int, digits):
        check = _NEXT[check][digit]
    return f"C{digits}{check}"


def sequence_of(text: str) -> int | None:
    """The sequence number in a complaint number. None if the form or the check digit is wrong.

    Case, spaces, dashes and full-width characters make no difference.
    """
    found = _NUMBER.fullmatch(_written(text))
    if found is None:
        return None
    sequence = int(found[1])
    return sequence if number_of(sequence) == found[0] else None


def is_mistyped(text: str) -> bool:
    """True if the text has the form of a complaint number, and its check digit is wrong."""
    return _NUMBER.fullmatch(_written(text)) is not None and sequence_of(text) is None


def _written(text: str) -> str:
    """The text as a number is written: ASCII capitals without separators. Empty for a text that is too long."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper() if len(text) <= 100 else ""


def parse_reference(text: str) -> UUID | int:
    """The id of a complaint, or the sequence of its number. Raises ValueError for any other text."""
    sequence = sequence_of(text)
    try:
        return UUID(text) if sequence is None else sequence
    except ValueError:
        raise ValueError("must be the id or the number of a complaint") from None
