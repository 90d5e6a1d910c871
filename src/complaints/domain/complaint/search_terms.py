"""Search terms of texts and queries, without a dictionary and the same for every database.

A word of letters and digits is a term. Chinese, Japanese and Korean have no spaces between words. So a run of
their characters gives a term for each pair of neighbours, and a term for its last character. Pairs find words
of two characters (漏水) exactly, and this is the most common length in Chinese. All other characters separate
terms.

Terms of persons begin with a mark that no term of a text or a query has. So a query finds persons only if it asks
for such terms, and they can be removed alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import add

from complaints.domain.complaint.identity import normalise_email, normalise_phone, split_phones
from complaints.domain.complaint.numbers import number_of, sequence_of

LONGEST_TERM = 64  # characters: 256 bytes in UTF-8 at most
MOST_QUERY_TERMS = 64
LARGEST_INDEX_BYTES = 1_000_000  # PostgreSQL refuses a tsvector of 1 MiB
_BYTES_PER_TERM = 10  # a tsvector stores an entry, one position and alignment with each term
_SURELY_FIT = LARGEST_INDEX_BYTES // (4 * LONGEST_TERM + _BYTES_PER_TERM)

_CJK = (
    "\u3005-\u3007"  # 々〆〇
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana
    "\u1100-\u11ff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb"  # Hangul
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"  # Han
)
_RUN = re.compile(f"([{_CJK}]+)|([^\\W_{_CJK}]+)")
_PIECE = 256
# Of private use: neither separates words in FTS5, and no word of a text or a query has it.
_OF_NAMES, _OF_CONTACTS = "\ue000", "\ue001"
_LONGEST_WITH_PERSONS = 1_000
_JOINS_BACKWARD = re.compile("[\u1160-\u11ff\uff9e\uff9f]")


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a query. The index must hold this term; with `prefix`, a term that begins with it."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A part of a query with alternatives. The index must hold all terms of at least one alternative."""

    alternatives: tuple[tuple[Term, ...], ...]


QueryPart = Term | AnyOf


def index_terms(*texts: str) -> list[str]:
    """The terms under which `texts` are found, each term once, in order of appearance. Accepts any text.

    The terms always fit into one tsvector: terms beyond `LARGEST_INDEX_BYTES` are left out. So the most
    important text must come first. Only texts with more than 60,000 different terms reach the limit.
    """
    terms: dict[str, None] = {}
    for text in texts:
        for cjk, word in _runs(text):
            if cjk:
                terms.update(dict.fromkeys(map(add, cjk, cjk[1:])))
                terms[cjk[-1]] = None
            else:
                terms[word[:LONGEST_TERM]] = None
    return list(terms if len(terms) < _SURELY_FIT else _cut_to_index(terms))


def query_terms(text: str) -> list[Term]:
    """The terms of a query, each term once. A text matches if it has all terms. Accepts any query.

    A single Chinese, Japanese or Korean character matches every term that begins with it. A query gives at
    most `MOST_QUERY_TERMS` terms; further terms are left out. A query without letters and digits gives none.
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


def person_terms(*, name: str, contacts: Iterable[str], phones: Iterable[str]) -> list[str]:
    """The terms under which callers who may see persons find a complaint.

    `contacts` are e-mail addresses and account numbers, `phones` phone numbers: as given, and in comparable form.
    """
    texts = dict.fromkeys([*contacts, *map(_digits, phones)])
    return [*_marked(_OF_NAMES, index_terms(name)), *_marked(_OF_CONTACTS, index_terms(*filter(None, texts)))]


def _digits(text: str) -> str:
    plain = text.removeprefix("+")
    if plain.isascii() and plain.isdigit():
        return plain
    return "".join(re.findall(r"[0-9]", _fold(text)))


def name_query(name: str) -> list[QueryPart]:
    """The query for complaints of a person with all words of `name`."""
    return [Term(_OF_NAMES + term.text, term.prefix) for term in query_terms(name)]


def full_query(text: str, *, region: str | None) -> list[QueryPart]:
    """The query for everything that a caller may search: texts, complaint numbers, and persons.

    `region` is the phone region in which numbers are read; None leaves persons out. Raises nothing: a query
    without letters and digits gives no part, and parts beyond `MOST_QUERY_TERMS` are left out.
    """
    sequence = sequence_of(text)
    if sequence is not None:
        number = Term(number_of(sequence).lower())
        return [AnyOf((tuple(query_terms(text)), (number,)))]
    if region is None:
        return [*query_terms(text)]
    parts: list[QueryPart] = []
    for piece, is_phone in _pieces(text):
        terms = tuple(query_terms(piece))
        if is_phone:
            parts.append(AnyOf((terms, *_as_phone(piece, terms, region))))
        else:
            parts += [AnyOf(tuple((one,) for one in _anywhere(term))) for term in terms]
    return parts[:MOST_QUERY_TERMS]


def _pieces(text: str) -> list[tuple[str, bool]]:
    """The pieces of a query, each with True for a phone number. Addresses are indexed with U-labels."""
    if len(text) > _LONGEST_WITH_PERSONS:
        return [(text, False)]
    words = (normalise_email(word) or word if "@" in word else word for word in text.split())
    return split_phones(" ".join(words))


def _as_phone(piece: str, terms: Sequence[Term], region: str) -> Iterator[tuple[Term, ...]]:
    yield tuple(Term(_OF_CONTACTS + term.text) for term in terms)
    numbers = (_digits(piece), (normalise_phone(piece, region) or "").removeprefix("+"))
    for digits in dict.fromkeys(filter(None, numbers)):
        yield (Term(_OF_CONTACTS + digits[:LONGEST_TERM]),)


def _anywhere(term: Term) -> Iterator[Term]:
    for mark in ("", _OF_NAMES, _OF_CONTACTS):
        yield Term(mark + term.text, term.prefix)


def _marked(mark: str, terms: Iterable[str]) -> Iterator[str]:
    return (mark + term for term in terms)


def _cut_to_index(terms: Iterable[str]) -> Iterator[str]:
    room = LARGEST_INDEX_BYTES
    for term in terms:
        room -= len(term.encode()) + _BYTES_PER_TERM
        if room < 0:
            return
        yield term


def _runs(text: str) -> list[tuple[str, str]]:
    """Pairs of a run of CJK characters and a word, in one Unicode form and one case. One of both is empty."""
    return _RUN.findall(_fold(text))


def _fold(text: str) -> str:
    return text.lower() if text.isascii() else _compose(_compose(text).casefold())


def _compose(text: str) -> str:
    """`text` in the Unicode form NFKC, composed in pieces.

    The time to order a run of combining marks grows with the square of its length. Pieces keep it short.
    """
    if len(text) <= _PIECE:
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _split(text))


def _split(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + _PIECE
        while end < min(len(text), start + 2 * _PIECE) and _joins_backward(text[end]):
            end += 1
        yield text[start:end]
        start = end


def _joins_backward(character: str) -> bool:
    return unicodedata.combining(character) != 0 or _JOINS_BACKWARD.match(character) is not None
