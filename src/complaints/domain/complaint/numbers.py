"""Complaint numbers: what people read aloud. "C", a sequence number of eight digits or more, and a check
digit.

The check is Damm's: it catches every wrong digit and every swap of two neighbours.
"""

import re
import unicodedata

from stdnum import damm

_LARGEST = 10**18 - 1  # "C", 18 digits and the check digit are 20 characters
_NUMBER = re.compile(r"C([0-9]{8,18})[0-9]")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015]+")

# Damm's table, read off the library, which takes ten times as long for a number: a page shows many.
_FIRST = {damm.checksum(digit): digit for digit in "0123456789"}
_NEXT = [[damm.checksum(_FIRST[check] + digit) for digit in "0123456789"] for check in range(10)]


def number_of(sequence: int) -> str:
    """The number of the complaint with this sequence number (0 to 10^18 - 1). At most 20 ASCII characters."""
    if not 0 <= sequence <= _LARGEST:
        raise ValueError(f"a complaint's sequence number is from 0 to {_LARGEST}, not {sequence}")
    digits = f"{sequence:08d}"
    check = 0
    for digit in map(int, digits):
        check = _NEXT[check][digit]
    return f"C{digits}{check}"


def sequence_of(text: str) -> int | None:
    """The sequence number in a complaint number; None when it is malformed or its check digit is wrong.

    Case, spaces, dashes and full-width characters, as people write them, do not matter.
    """
    if len(text) > 100:
        return None
    written = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    found = _NUMBER.fullmatch(written)
    if found is None:
        return None
    sequence = int(found[1])
    return sequence if number_of(sequence) == written else None
