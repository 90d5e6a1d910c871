"""Expected patterns: ordinary ones work, those that could take long are refused before they are tried."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.importing.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"\d+", "250635", "comcas"),
        (r"\d+", "1", "1 "),
        (r"\d*", "", "x"),
        (r"[A-Z]{2,4}-\d{3,5}", "CALL-881", "CALL-88"),
        (r"(?:\d{1,3}\.){3}\d{1,3}", "192.168.0.1", "192.168.0"),
        (r"(?P<year>\d{4})-(\d\d)", "2015-04", "2015-4"),
        (r"(?i)call-\d+", "CALL-1", "CULL-1"),
        (r"(\d{4}-)?\d+", "2015-7", "2015-"),
        (r"INC\d{6}|REQ\d{6}", "REQ000001", "CHG000001"),
        (r"[]x]+", "]x]", "y"),
        (r"[^\]]+", "abc", "a]c"),
        (r"a{,3}", "aaa", "aaaa"),
        (r"a{b", "a{b", "ab"),
        (r"\(\d+\)", "(1)", "1"),
        (r"[\w.]+@[\w.]+\.\w+", "a.b@example.org", "a.b"),
        (r"\d+?", "12", "a"),
        (r"(abc)*", "abcabc", "abca"),
    ],
)
def test_the_whole_value_must_match(pattern: str, good: str, bad: str) -> None:
    matches = compile_pattern(pattern)
    assert matches(good)
    assert not matches(bad)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a+)+$", "too long"),
        ("(a|aa)+", "too long"),
        ("(a|b)*c", "too long"),
        ("(.*)*", "too long"),
        ("((a?){20}){20}", "too long"),
        (".*.*.*.*x", "too long"),
        ("(?:x*y*)+", "too long"),
        ("((a{1000}){1000}){1000}", "too long"),
        (r"(\d)\1", "back-references"),
        ("(?=a)a", "of the groups only"),
        ("(?<=a)b", "of the groups only"),
        ("(?>a)b", "of the groups only"),
        ("a(?#note)", "of the groups only"),
        ("a{1001}", "at most to 1000"),
        ("(", "no regular expression"),
        ("a{99999999999}", "no regular expression"),
        ("[a", "no regular expression"),
        ("a" * 201, "at most 200"),
    ],
)
def test_a_pattern_of_no_use_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compile_pattern(pattern)


def test_a_value_longer_than_what_is_compared_does_not_match() -> None:
    matches = compile_pattern(r"\d+")
    assert matches("1" * 200)
    assert not matches("1" * 201)


@given(
    st.from_regex(r"([ab\d][*+?]?|\(a\)|\[ab\]\{1,3\}|\|){1,12}", fullmatch=True), st.text("ab1", max_size=12)
)
def test_an_accepted_pattern_means_what_it_means_elsewhere(pattern: str, text: str) -> None:
    try:
        matches = compile_pattern(pattern)
    except ValueError:
        return
    assert matches(text) == (re.fullmatch(pattern, text) is not None)
