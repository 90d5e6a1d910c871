"""Reads the lines of an imported file from any byte on, so that an import goes on where it stopped."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from complaints.domain.importing.encoding import refuse_file

MAX_LINES = 5_000_000
# A line takes the blank lines after it along: a file of nothing but line breaks is read in one step.
_UNIVERSAL = re.compile(rb"[^\r\n]*[\r\n]+|[^\r\n]+")
_NEWLINE = re.compile(rb"[^\n]*\n+|[^\n]+")


class Place(NamedTuple):
    """A place in a file: after its first `row` rows, at the offset `byte`."""

    row: int = 0
    byte: int = 0


START: Final = Place()


class Lines:
    """The lines of a file as text, each with its line break and the blank lines after it.

    `end` is the offset in bytes after the last line. `next_number` is the number of the line after it, from 1.
    `universal`: a carriage return alone ends a line too. No character of UTF-8 or GB18030 has a line break in it,
    so bytes can be cut before they are decoded.
    """

    def __init__(self, content: bytes, encoding: str, *, start: int = 0, universal: bool) -> None:
        self._content = content
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        self._pattern = _UNIVERSAL if universal else _NEWLINE
        self._left = MAX_LINES
        self.end = start
        self.next_number = 1 + content.count(b"\n", 0, start)

    def __iter__(self) -> Iterator[str]:
        """The lines from `end` on. Raises InvalidContent for more than 5,000,000 lines."""
        for found in self._pattern.finditer(self._content, self.end):
            self._left -= 1
            if self._left < 0:
                refuse_file(f"the file has more than {MAX_LINES:,} lines: import it in parts")
            self.end = found.end()
            text = found[0].decode(self._encoding)
            self.next_number += text.count("\n") or text.count("\r")
            yield text
