"""Full text without a dictionary: the terms a text is found by, the same for every database.

Words of letters and digits are terms as they are. Chinese, Japanese and Korean are written without spaces,
so each run of their characters gives its pairs of neighbours, and its last character alone; with pairs,
words of two characters (漏水), the most common length in Chinese, are found exactly. Everything else
separates.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import add

LONGEST_TERM = 64  # characters: 256 bytes in UTF-8 at most
MOST_QUERY_TERMS = 64
LARGEST_INDEX_BYTES = 1_000_000  # PostgreSQL refuses a tsvector of 1 MiB
_BYTES_PER_TERM = 10  # what a tsvector keeps beside the term: its entry, one position, alignment
_SURELY_FIT = LARGEST_INDEX_BYTES // (4 * LONGEST_TERM + _BYTES_PER_TERM)

_CJK = (
    "\u3005-\u3007"  # 々〆〇
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u1100-\u11ff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"  # Hangul
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Han
)
_RUN = re.compile(f"([{_CJK}]+)|([^\\W_{_CJK}]+)")
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
    for text in texts:
        for cjk, word in _runs(text):
            if cjk:
                terms.update(dict.fromkeys(map(add, cjk, cjk[1:])))
                terms[cjk[-1]] = None
            else:
                terms[word[:LONGEST_TERM]] = None
    return list(terms if len(terms) < _SURELY_FIT else _fitting(terms))


def query_terms(text: str) -> list[Term]:
    """What a query asks for, each once: a text fits when all of them are found. Empty when there is nothing
    to find.

    A single Chinese, Japanese or Korean character asks for any term that begins with it. At most
    `MOST_QUERY_TERMS`: what a longer query asks for beyond is left out. Never fails for any text.
    """
    terms: dict[Term, None] = {}
    for cjk, word in _runs(text):
        if word:
            terms[Term(word[:LONGEST_TERM])] = None
        elif len(cjk) == 1:
            terms[Term(cjk, prefix=True)] = None
        else:
            terms.update(dict.fromkeys(map(Term, map(add, cjk, cjk[1:]))))
        if len(terms) >= MOST_QUERY_TERMS:
            break
    return list(terms)[:MOST_QUERY_TERMS]


def _fitting(terms: Iterable[str]) -> Iterator[str]:
    room = LARGEST_INDEX_BYTES
    for term in terms:
        room -= len(term.encode()) + _BYTES_PER_TERM
        if room < 0:
            return
        yield term


def _runs(text: str) -> list[tuple[str, str]]:
    """The runs of CJK characters, each beside "", and the words, each after "", in one form and one case."""
    return _RUN.findall(_folded(text))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else _composed(_composed(text).casefold())


def _composed(text: str) -> str:
    """`text` in form NFKC, piece by piece: putting a long row of combining marks in order takes time by its
    square.
    """
    if len(text) <= _PIECE:
        return unicodedata.normalize("NFKC", text)
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
