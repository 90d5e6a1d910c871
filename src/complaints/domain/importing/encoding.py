"""Finds the encoding of an imported file: UTF-8, with or without a byte order mark, or GB18030."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import NoReturn

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.encoding_guess import looks_chinese

_ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "ascii": "utf-8-sig",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
_ACCEPTED = (
    "accepted are UTF-8 and GB18030; save or convert the file as UTF-8, or name the encoding: --charset, by HTTP "
    "the charset of Content-Type"
)
_BLOCK = 256 * 1024
_SAMPLE = 32 * 1024
# Two or more characters of Chinese in UTF-8, and no other such byte beside them. GB18030 hardly ever has these.
_CHINESE_UTF8 = re.compile(
    rb"(?<![\x80-\xff])(?:[\xe3-\xe9][\x80-\xbf]{2}|\xef[\xbc-\xbf][\x80-\xbf]){2,}(?![\x80-\xff])"
)
_ESCAPES = (b"\x1b$", b"\x1b(")


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
    if any(escape in content for escape in _ESCAPES):
        refuse_file(f"the file has escape sequences, as ISO-2022 encodings have: {_ACCEPTED}")
    if charset is not None:
        return _declared_encoding(content, charset)
    if _decodes(content, "utf-8-sig"):
        return "utf-8-sig"
    _refuse_utf8_within(content)
    if not _decodes(content, "gb18030") or not looks_chinese(_sample(content)):
        refuse_file(f"the file is neither text in UTF-8 nor in GB18030: {_ACCEPTED}")
    return "gb18030"


def _declared_encoding(content: bytes, charset: str) -> str:
    try:
        encoding = _ENCODINGS.get(codecs.lookup(charset).name)
    except (LookupError, ValueError):
        encoding = None
    if encoding is None:
        refuse_file(f"the encoding '{charset}' is not known here: {_ACCEPTED}")
    if encoding == "gb18030":
        _refuse_utf8_within(content)
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


def _sample(content: bytes) -> Iterator[bytes]:
    """Lines with other characters than ASCII, about 32 KiB."""
    size = 0
    for line in io.BytesIO(content):
        if not line.isascii():
            yield line
            size += len(line)
            if size > _SAMPLE:
                return


def _refuse_utf8_within(content: bytes) -> None:
    """Refuse a file that is no UTF-8, or was declared to be none, but has parts in UTF-8."""
    if found := _CHINESE_UTF8.search(content):
        refuse_file(
            f"line {_line_of(content, found.start())} is UTF-8, {_describe_rest(content)}. Convert the one part "
            f"or the other; {_ACCEPTED}"
        )


def _describe_rest(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError as exc:
        line = _line_of(content, exc.start)
        return f"line {line} is not: the file seems to be put together from two, which mix UTF-8 and GB18030"
    return "which is not what its charset says"


def _line_of(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1
