"""Full text without a dictionary: the terms a text is found by, the same for every database.

Words of letters and digits are terms as they are. Chinese, Japanese and Korean are written without spaces,
so each run of their characters gives its pairs of neighbours, and its last character alone; with pairs,
words of two characters (漏水), the most common length in Chinese, are found exactly. Everything else
separates.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_TERM = 64  # characters: 256 bytes in UTF-8 at most
MOST_QUERY_TERMS = 64
LARGEST_INDEX_BYTES = 1_000_000  # PostgreSQL refuses a tsvector of 1 MiB
_BYTES_PER_TERM = 10  # what a tsvector keeps beside the term: its entry, one position, alignment

_CJK = (
    "\u3005-\u3007"  # 々〆〇
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u1100-\u11ff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"  # Hangul
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Han
)
_RUN = re.compile(f"(?P<cjk>[{_CJK}]+)|[^\\W_{_CJK}]+")
_PIECE = 256
_JOINS_BACKWARD = re.compile("[\u1160-\u11ff\uff9e\uff9f]")


@dataclass(frozen=True, slots=True)
class Term:
    """One term that must be in the index; with `prefix`, one that some term in the index must begin with."""

    text: str
    prefix: bool = False


def index_terms(*texts: str) -> list[str]:
    """The terms `texts` are found by, each once, in the order met.

    They fit one tsvector without fail: what goes beyond `LARGEST_INDEX_BYTES` is left out, so give the most
    important text first. Only texts of more than 60,000 different terms come that far. Never fails for any
    text.
    """
    terms: dict[str, None] = {}
    room = LARGEST_INDEX_BYTES
    for term in (term for text in texts for term in _terms(text)):
        if term in terms:
            continue
        room -= len(term.encode()) + _BYTES_PER_TERM
        if room < 0:
            break
        terms[term] = None
    return list(terms)


def query_terms(text: str) -> list[Term]:
    """What a query asks for, each once: a text fits when all of them are found. Empty when there is nothing
    to find.

    A single Chinese, Japanese or Korean character asks for any term that begins with it. At most
    `MOST_QUERY_TERMS`: what a longer query asks for beyond is left out. Never fails for any text.
    """
    terms: dict[Term, None] = {}
    for run, is_cjk in _runs(text):
        if not is_cjk:
            terms[Term(run)] = None
        elif len(run) == 1:
            terms[Term(run, prefix=True)] = None
        else:
            terms.update(dict.fromkeys(Term(pair) for pair in _pairs(run)))
        if len(terms) >= MOST_QUERY_TERMS:
            break
    return list(terms)[:MOST_QUERY_TERMS]


def _terms(text: str) -> Iterator[str]:
    for run, is_cjk in _runs(text):
        if is_cjk:
            yield from _pairs(run)
            yield run[-1]
        else:
            yield run


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The words, cut to `LONGEST_TERM`, and the runs of CJK characters, in one form of each character and
    one case.
    """
    for found in _RUN.finditer(_folded(text)):
        is_cjk = found["cjk"] is not None
        yield (found[0] if is_cjk else found[0][:LONGEST_TERM]), is_cjk


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else _composed(_composed(text).casefold())


def _composed(text: str) -> str:
    """`text` in form NFKC, piece by piece: putting a long row of combining marks in order takes time by its
    square.
    """
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + _PIECE
        while end < min(len(text), start + 2 * _PIECE) and _joins_backward(text[end]):
            end += 1
        yield text[start:end]
        start = end


def _joins_backward(character: str) -> bool:
    return unicodedata.combining(character) != 0 or _JOINS_BACKWARD.match(character) is not None
