"""Query strings: each good one is read into a value, and each bad one is refused with its parameter."""

import re
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.errors import InvalidContent
from complaints.tmf621.queries.fields import pick_fields
from complaints.tmf621.queries.json_path import Comparison, read_json_path
from complaints.tmf621.queries.matching import fits
from complaints.tmf621.queries.patterns import UnusablePattern, read_pattern
from complaints.tmf621.queries.query import (
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Condition,
    Grammar,
    Member,
    Operator,
    Query,
    SortBy,
)
from complaints.tmf621.queries.reading import read_fields, read_query

GRAMMAR = Grammar(
    {
        "name": TEXT,
        "status": Member(words=("open", "closed")),
        "creationDate": INSTANT,
        "isBundle": FLAG,
        "relatedParty.role": TEXT,
        "relatedParty.id": Member(path="relatedParty.partyOrPartyRole.id"),
        "attachment.size": Member(NUMBER.kind, path="attachment.size.amount"),
    },
    sorts=("creationDate", "name"),
)
NINE = datetime(2026, 1, 5, 1, tzinfo=UTC)


READ = [
    ("", Query()),
    ("&&", Query()),
    ("limit=0&offset=7", Query(limit=0, offset=7)),
    ("limit=101", Query(limit=100)),
    ("limit=0010", Query(limit=10)),
    ("offset=" + "9" * 5000, Query(offset=10**15)),
    ("fields=name,%20status,,name,relatedParty.role", Query(fields=("name", "status", "relatedParty"))),
    ("fields=", Query(fields=())),
    ("after=abc", Query(after="abc")),
    ("before=abc&limit=5", Query(before="abc", limit=5)),
    ("sort=name", Query(sort=(SortBy("name"),))),
    ("sort=-creationDate,name", Query(sort=(SortBy("creationDate", descending=True), SortBy("name")))),
]


def test_pages_orders_and_fields(subtests: pytest.Subtests) -> None:
    for text, query in READ:
        with subtests.test(text):
            assert read_query(text.encode(), GRAMMAR) == query


CONDITIONS = [
    ("name=a", "name", "eq", ("a",)),
    ("name.eq=a+b%20c", "name", "eq", ("a b c",)),
    ("name=%E5%AE%BD%E5%B8%A6", "name", "eq", ("宽带",)),
    ("name=a,b%2Cc", "name", "eq", ("a", "b", "c")),
    ("name=a\\,b,c", "name", "eq", ("a,b", "c")),
    ("status.ne=open,closed", "status", "ne", ("open", "closed")),
    ("creationDate.gte=2026-01-05T09:00:00%2B08:00", "creationDate", "gte", (NINE,)),
    ("creationDate.lt=2026-01-05T09:00:00+08:00", "creationDate", "lt", (NINE,)),
    ("isBundle=true", "isBundle", "eq", (True,)),
    ("relatedParty.role=customer", "relatedParty.role", "eq", ("customer",)),
    ("relatedParty.id=7", "relatedParty.partyOrPartyRole.id", "eq", ("7",)),
    ("attachment.size.gt=2.5", "attachment.size.amount", "gt", (2.5,)),
    ("name.regex=^a.*b$", "name", "regex", (read_pattern("^a.*b$"),)),
    ("filter=attachment[?(@size==300)]", "attachment.size.amount", "eq", (300.0,)),
    ("filter=$[?(@.name=='a,b')]", "name", "eq", ("a,b",)),
]


def test_conditions(subtests: pytest.Subtests) -> None:
    for text, path, operator, values in CONDITIONS:
        with subtests.test(text):
            [made] = read_query(text.encode(), GRAMMAR).conditions
            assert (made.name, made.operator, made.values) == (path, operator, values)


BAD = [
    ("limit=-1", "limit", "whole number"),
    ("limit=", "limit", "whole number"),
    ("limit=1.0", "limit", "whole number"),
    ("limit=%D9%A1", "limit", "whole number"),
    ("offset=abc", "offset", "whole number"),
    ("limit=1&limit=2", "limit", "once"),
    ("fields=a&fields=b", "fields", "once"),
    ("after=a&before=b", "after", "only one"),
    ("after=a&offset=0", "offset", "only one"),
    ("before=" + "x" * 2001, "before", "cursor"),
    ("sort=colour", "sort", "creationDate, name"),
    ("sort=name,-name", "sort", "each once"),
    ("name=", "name", "1 to 500"),
    ("name=a,,b", "name", "1 to 500"),
    ("name=" + "x" * 501, "name", "1 to 500"),
    ("name=" + ",".join("x" * 51), "name", "50 values"),
    ("name", "name", "="),
    ("naem=a", "naem", "did you mean 'name'?"),
    ("=a", "?", "unknown"),
    ("relatedParty.rol=a", "relatedParty.rol", "did you mean 'relatedParty.role'?"),
    ("creationDate>2026-01-05", "creationDate>2026-01-05", "="),
    ("creationDate>=2026-01-05", "creationDate>", "did you mean 'creationDate'?"),
    ("name.gt=a", "name.gt", "eq, ne, regex"),
    ("name.like=a", "name.like", "unknown"),
    ("creationDate.regex=2026", "creationDate.regex", "eq, ne, gt"),
    ("isBundle.gt=true", "isBundle.gt", "eq, ne"),
    ("status=opn", "status", "open, closed"),
    ("creationDate=today", "creationDate", "RFC 3339"),
    ("creationDate=2026-01-05", "creationDate", "RFC 3339"),
    ("isBundle=1", "isBundle", "true or false"),
    ("attachment.size=big", "attachment.size", "number"),
    ("attachment.size=1e9", "attachment.size", "number"),
    ("name.regex=(a+)+$", "name.regex", "pattern"),
    ("name.regex=a*", "name.regex", "pattern"),
    ("name.regex=[a-z]", "name.regex", "pattern"),
    ("name.regex=" + ".*a" * 6, "name.regex", "pattern"),
    ("name=a;b", "name", "semicolon"),
    ("name=a%3Bb", "name", "semicolon"),
    ("name=a;status=open", "name", "semicolon"),
    ("filter=a;b", "filter", "semicolon"),
    ("filter=$..name", "filter", "one comparison"),
    ("filter=attachment[?(@size>300)]", "filter", "one comparison"),
    ("filter=attachment[?(@size=='300')]", "filter", "another type"),
    ("filter=$[?(@.name==1)]", "filter", "another type"),
    ("filter=attachment[?(@sise==300)]", "filter", "did you mean 'attachment.size'?"),
    ("name=%", None, "percent"),
    ("name=%zz", None, "percent"),
    ("%2=a", None, "percent"),
    ("name=%FF", None, "UTF-8"),
    ("name=%ED%A0%80", None, "UTF-8"),
    ("name=a%00", None, "NUL"),
    ("&".join(["name=a"] * 2000), None, "50 parameters"),
    ("&".join(["name=" + ",".join("x" * 50)] * 2 + ["name.ne=a"]), None, "100 values"),
    ("&".join(["name.regex=a"] * 21), None, "20 patterns"),
]


def test_a_bad_query_is_refused(subtests: pytest.Subtests) -> None:
    for text, parameter, said in BAD:
        with subtests.test(text[:60]):
            with pytest.raises(InvalidContent) as refused:
                read_query(text.encode(), GRAMMAR)
            assert said in refused.value.detail
            assert [fault.parameter for fault in refused.value.faults] == ([parameter] if parameter else [])
            assert len(refused.value.detail) < 500


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        read_query(text, GRAMMAR)
    except InvalidContent as refused:
        refused.detail.encode()


def test_the_fields_of_one_object() -> None:
    assert read_fields(b"") is None
    assert read_fields(b"fields=name,note") == ("name", "note")
    with pytest.raises(InvalidContent, match="field is unknown here; did you mean 'fields'"):
        read_fields(b"field=name")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (None, "id href @type name note"),
        ((), "id href @type"),
        (("name",), "id href @type name"),
        (("colour",), "id href @type"),
        (("note", "id"), "id href @type note"),
    ],
)
def test_the_chosen_members(fields: tuple[str, ...] | None, names: str) -> None:
    shown = {"id": "1", "href": "/1", "@type": "T", "name": "a", "note": []}
    assert " ".join(pick_fields(shown, fields)) == names


# Patterns -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "like"),
    [
        ("a", "%a%"),
        ("^a", "a%"),
        ("a$", "%a"),
        ("^$", ""),
        ("^a.b.*c$", "a_b%c"),
        ("100%_", r"%100\%\_%"),
        (r"^a\.b\$", "a.b$%"),
        (r"^\\$", r"\\"),
        (r"a\,b", "%a,b%"),
    ],
)
def test_a_pattern_as_like(expression: str, like: str) -> None:
    assert read_pattern(expression).like == like


NO_PATTERNS = ["a+", "a?", "*", "a|b", "(a)", "a{2}", "[a]", "a^", "$a", "\\", "\\d", "\\n"]


def test_more_than_a_pattern(subtests: pytest.Subtests) -> None:
    for expression in NO_PATTERNS:
        with subtests.test(expression), pytest.raises(UnusablePattern):
            read_pattern(expression)


@given(
    st.lists(st.sampled_from(["a", "b", ".", ".*", r"\.", "%"]), max_size=8).map("".join),
    st.sampled_from(["", "^"]),
    st.sampled_from(["", "$"]),
    st.text("ab.%\n", max_size=8),
)
def test_a_pattern_finds_the_same_as_a_regular_expression(
    inner: str, begin: str, end: str, text: str
) -> None:
    try:
        pattern = read_pattern(begin + inner + end)
    except UnusablePattern:
        assert inner.count(".*") > 3
        return
    # `\Z`, because `$` of Python also fits before a last line break.
    expression = f"{begin}(?:{inner}){end and chr(92) + 'Z'}"
    assert pattern.fits(text) is (re.search(expression, text, re.DOTALL) is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    pattern = read_pattern("^" + ".*a" * 4 + ".*b$")
    started = perf_counter()
    assert not pattern.fits("a" * 20_000)
    assert perf_counter() - started < 1


# JSONPath -------------------------------------------------------------------------------------------------------------


JSON_PATHS = [
    ("attachment[?(@size==300)]", Comparison("attachment.size", "300", is_quoted=False)),
    ("attachment[?(@.size==300)]", Comparison("attachment.size", "300", is_quoted=False)),
    ("$.attachment[?(@.size == -3.5)]", Comparison("attachment.size", "-3.5", is_quoted=False)),
    ("$.note[?(@.author=='A b')]", Comparison("note.author", "A b", is_quoted=True)),
    ('note[?(@author=="A")]', Comparison("note.author", "A", is_quoted=True)),
    ("$[?(@.priority=='High')]", Comparison("priority", "High", is_quoted=True)),
    ("$[?(@.@type=='T')]", Comparison("@type", "T", is_quoted=True)),
    (
        "relatedParty[?(@.partyOrPartyRole.id=='1')]",
        Comparison("relatedParty.partyOrPartyRole.id", "1", True),
    ),
    ("", None),
    ("$", None),
    ("[?(@.a==1)]", None),
    ("$.a", None),
    ("a[*]", None),
    ("a[?(@.b!=1)]", None),
    ("a[?(@.b==c)]", None),
    ("a[?(@.b=='c' || 1==1)]", None),
    ("a[?(@.b==1)].c", None),
    ("a[?(@.b=='c\\'')]", None),
    ("a" * 400 + "[?(", None),
]


def test_json_paths(subtests: pytest.Subtests) -> None:
    for text, found in JSON_PATHS:
        with subtests.test(text):
            assert read_json_path(text) == found


# Conditions in memory -------------------------------------------------------------------------------------------------

SHOWN = {
    "name": "Slow line",
    "creationDate": "2026-01-05T09:00:00+08:00",
    "isBundle": False,
    "relatedParty": [
        {"role": "customer", "partyOrPartyRole": {"id": "7"}},
        {"role": "reporter", "partyOrPartyRole": {"id": "8"}},
    ],
    "attachment": [{"size": {"amount": 300}}],
}


IN_MEMORY = [
    ("name=Slow line", True),
    ("name=slow line", False),
    ("name=a,Slow line", True),
    ("name.ne=a,Slow line", False),
    ("name.ne=a", True),
    ("name.regex=^Slow", True),
    ("name.regex=^line", False),
    ("status=open", False),
    ("status.ne=open", True),
    ("creationDate=2026-01-05T01:00:00Z", True),
    ("creationDate.gt=2026-01-05T01:00:00Z", False),
    ("creationDate.gte=2026-01-05T01:00:00Z", True),
    ("creationDate.lt=2026-01-05T01:00:00Z,2026-02-05T01:00:00Z", True),
    ("isBundle=false", True),
    ("isBundle=true", False),
    ("relatedParty.id=8", True),
    ("relatedParty.id=8&relatedParty.role=customer", True),
    ("relatedParty.role.ne=customer", False),
    ("relatedParty.id=9", False),
    ("filter=attachment[?(@size==300)]", True),
    ("filter=attachment[?(@size==301)]", False),
]


def test_conditions_in_memory(subtests: pytest.Subtests) -> None:
    for text, is_fit in IN_MEMORY:
        with subtests.test(text):
            asked = read_query(quote(text, safe="=&").encode(), GRAMMAR)
            assert fits(SHOWN, asked.conditions) is is_fit


@pytest.mark.parametrize(
    ("value", "asked", "is_fit"),
    [(5, "5", True), (True, "true", True), (1.5, "1.5", False), (None, "", False)],
)
def test_values_that_are_no_texts(value: Any, asked: str, is_fit: bool) -> None:
    assert fits({"value": value}, [Condition(("value",), Operator.EQ, (asked,), "value")]) is is_fit


def test_an_empty_cursor_order_or_filter_asks_nothing() -> None:
    assert read_query(b"before=&after=&sort=&filter=&offset=3", GRAMMAR) == read_query(b"offset=3", GRAMMAR)
