"""Finds the encoding of an imported file: UTF-8, with or without a byte order mark, or GB18030."""

import codecs
from typing import NoReturn

from complaints.domain.errors import InvalidContent

_ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "ascii": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
_ACCEPTED = "accepted are UTF-8 and GB18030; save or convert the file as UTF-8"
_BLOCK = 256 * 1024


def refuse_file(message: str) -> NoReturn:
    """Raise InvalidContent for the whole file."""
    raise InvalidContent.at("", message)


def find_encoding(content: bytes, charset: str | None) -> str:
    """The name of the codec that decodes all of `content`.

    `charset` is the encoding that the sender declared, or None. Raises InvalidContent for an empty file, for
    content that is no text, and for an encoding that is not accepted.
    """
    if not content.strip():
        refuse_file("the file is empty")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        refuse_file(f"the file is UTF-16: {_ACCEPTED}")
    if b"\0" in content:
        refuse_file("the file is not text: it has NUL bytes; a workbook must be saved as CSV first")
    if charset is not None:
        return _declared_encoding(content, charset)
    if _decodes(content, "utf-8-sig"):
        return "utf-8-sig"
    if not _looks_chinese(content):
        refuse_file(f"the file is neither text in UTF-8 nor in GB18030: {_ACCEPTED}")
    return "gb18030"


def _declared_encoding(content: bytes, charset: str) -> str:
    try:
        encoding = _ENCODINGS.get(codecs.lookup(charset).name)
    except (LookupError, ValueError):
        encoding = None
    if encoding is None:
        refuse_file(f"the encoding '{charset}' is not known here: {_ACCEPTED}")
    if not _decodes(content, encoding):
        refuse_file(f"the file is not text in {charset}, as its charset says: {_ACCEPTED}")
    return encoding


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _BLOCK):
            decoder.decode(content[start : start + _BLOCK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _looks_chinese(content: bytes) -> bool:
    """True if the content is GB18030 and mostly common Chinese (symbols and level 1 of GB 2312).

    GB18030 decodes almost any bytes. Text that really is Latin-1 or Cyrillic gives rare characters then.
    """
    if not _decodes(content, "gb18030"):
        return False
    sample = content[:_BLOCK].decode("gb18030", errors="ignore")
    foreign = [char.encode("gb2312", errors="replace") for char in sample if char > "\x7f"]
    everyday = sum(0xA1 <= code[0] <= 0xD7 for code in foreign)
    return everyday >= 0.8 * len(foreign)
