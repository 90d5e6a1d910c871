"""Texts of mails: bytes in any encoding, headers with encoded words, and HTML become plain text. Pure functions."""

import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from html import unescape

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_CHINESE = {"gb2312", "gbk", "gb18030", "hz", "x-gbk", "cp936"}
_BREAKS = re.compile(r"\A/?(?:p|div|br|tr|li|h[1-6]|table|blockquote|ul|ol|hr)\b", re.IGNORECASE)
_HIDDEN = re.compile(r"\A(script|style|title)\b", re.IGNORECASE)
_BLANKS = re.compile(r"[^\S\n]+")
_MANY_LINES = re.compile(r"\n{3,}")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def decode_text(content: bytes, charset: str | None = None) -> str:
    """The text of bytes. A charset that is missing, unknown or wrong gives way to UTF-8, then to GB18030.

    Characters that no encoding explains become U+FFFD. Control characters are left out, but no line break and no tab.
    """
    for codec in _codecs(charset):
        try:
            return _FORBIDDEN.sub("", content.decode(codec))
        except ValueError:
            continue
    return _FORBIDDEN.sub("", content.decode("utf-8", "replace"))


def _codecs(charset: str | None) -> Iterator[str]:
    if charset and charset.lower() in _CHINESE:
        yield "gb18030"  # has all characters of the others
    elif charset and _is_text_codec(charset):
        yield charset
    yield "utf-8"
    yield "gb18030"


def _is_text_codec(charset: str) -> bool:
    """True if Python has this encoding. Some of its codecs are none for text, and `idna` and `punycode` are slow."""
    try:
        found = codecs.lookup(charset)
    except (LookupError, ValueError):
        return False
    return found._is_text_encoding and found.name not in {
        "idna",
        "punycode",
        "unicode_escape",
        "raw_unicode_escape",
    }


def decode_header(value: bytes) -> str:
    """The text of a header on one line, with its encoded words (RFC 2047) decoded."""
    text = " ".join(decode_text(value).split())
    return " ".join(_decode_words(_BETWEEN_WORDS.sub(r"\1", text)).split())


def _decode_words(text: str) -> str:
    """Words that follow each other are decoded together: some programs cut characters between two of them."""
    found, end, waiting, charset = [], 0, b"", ""
    for match in _WORD.finditer(text):
        if waiting and (match.start() != end or match[1].lower() != charset):
            found.append(decode_text(waiting, charset))
            waiting = b""
        found.append(text[end : match.start()])
        waiting += _decode_word(match[2], match[3])
        charset, end = match[1].lower(), match.end()
    if waiting:
        found.append(decode_text(waiting, charset))
    return "".join(found) + text[end:]


def _decode_word(encoding: str, word: str) -> bytes:
    raw = word.encode("utf-8", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw


def text_of_html(html: str) -> str:
    """The readable text of HTML. It reads each character once, also where tags are not closed."""
    pieces, at = [], 0
    while (begin := html.find("<", at)) >= 0:
        pieces.append(html[at:begin])
        end = html.find(">", begin)
        if end < 0:
            at = len(html)
            break
        tag, at = html[begin + 1 : end], end + 1
        if hidden := _HIDDEN.match(tag):
            at = _after_hidden(html, at, hidden[1])
        pieces.append("\n" if _BREAKS.match(tag) else "")
    pieces.append(html[at:])
    lines = _BLANKS.sub(" ", unescape("".join(pieces)).replace("\r", "")).split("\n")
    return _MANY_LINES.sub("\n\n", "\n".join(line.strip() for line in lines)).strip()


def _after_hidden(html: str, at: int, name: str) -> int:
    """The place after the closing tag; the end if there is none."""
    closing = re.compile(rf"</{name}\b", re.IGNORECASE).search(html, at)
    end = html.find(">", closing.end()) if closing else -1
    return end + 1 if end >= 0 else len(html)


def without_quote(text: str) -> str:
    """A text without the quoted lines at its end, and without the line that introduces them."""
    lines = text.rstrip().split("\n")
    kept = len(lines)
    while kept and (lines[kept - 1].startswith(">") or not lines[kept - 1].strip()):
        kept -= 1
    if kept < len(lines) and kept and lines[kept - 1].rstrip().endswith((":", "\N{FULLWIDTH COLON}")):
        kept -= 1
    return "\n".join(lines[:kept]).strip() or text.strip()
