"""Full text terms: what is in a text is found by them, in Chinese and in English, and nothing breaks them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.search_terms import (
    LARGEST_INDEX_BYTES,
    LONGEST_TERM,
    MOST_QUERY_TERMS,
    Term,
    index_terms,
    query_terms,
)


def finds(query: str, *texts: str) -> bool:
    """What the database does with the terms: all of them must be there."""
    index = index_terms(*texts)
    terms = query_terms(query)
    return bool(terms) and all(
        any(entry.startswith(term.text) for entry in index) if term.prefix else term.text in index
        for term in terms
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("No signal since Monday", ["no", "signal", "since", "monday"]),
        ("漏水", ["漏水", "水"]),
        ("宽带漏水了", ["宽带", "带漏", "漏水", "水了", "了"]),
        ("CRM系统", ["crm", "系统", "统"]),
        ("4G网络 4G", ["4g", "网络", "络"]),
        ("慢", ["慢"]),
        ("ＣＲＭ　系统", ["crm", "系统", "统"]),
        ("Straße ﬁne", ["strasse", "fine"]),
        ("don't e-mail a_b", ["don", "t", "e", "mail", "a", "b"]),
        ("カード ｶﾞｽ", ["カー", "ード", "ド", "ガス", "ス"]),
        ("인터넷 느림", ["인터", "터넷", "넷", "느림", "림"]),
        ("网速😡慢", ["网速", "速", "慢"]),
        ("一二，三四", ["一二", "二", "三四", "四"]),
        ("𠮷野家", ["𠮷野", "野家", "家"]),
        ("cafe\u0301", ["café"]),
        ("a" * 70, ["a" * 64]),
        ("", []),
        ("😡 !? \0 \ud800 &|!:*'", []),
    ],
)
def test_index_terms(text: str, terms: list[str]) -> None:
    assert index_terms(text) == terms


def test_the_terms_of_several_texts_are_each_there_once() -> None:
    assert index_terms("漏水 again", "", "again 漏水 Again") == ["漏水", "水", "again"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("漏水", [Term("漏水")]),
        ("宽带漏水", [Term("宽带"), Term("带漏"), Term("漏水")]),
        ("漏", [Term("漏", prefix=True)]),
        ("漏 CRM系统 漏", [Term("漏", prefix=True), Term("crm"), Term("系统")]),
        ("Signal SIGNAL", [Term("signal")]),
        ("a" * 70, [Term("a" * 64)]),
        ("", []),
        ("😡 -- \0 \udfff '", []),
    ],
)
def test_query_terms(text: str, terms: list[Term]) -> None:
    assert query_terms(text) == terms


COMPLAINT = "家里宽带漏水后CRM系统显示故障，No Signal since Monday!😡 请尽快维修"


@pytest.mark.parametrize(
    "query",
    [
        "漏水",
        "宽带漏水",
        "系统",
        "CRM系统",
        "crm",
        "漏",
        "修",
        "家",
        "维修 monday",
        "SIGNAL",
        "😡漏水",
        "ｃｒｍ",
        "，漏水，",
    ],
)
def test_what_is_in_the_text_is_found(query: str) -> None:
    assert finds(query, COMPLAINT)


@pytest.mark.parametrize("query", ["漏电", "水漏", "signa", "tuesday", "漏水 tuesday", "电", "😡", ""])
def test_what_is_not_in_the_text_is_not(query: str) -> None:
    assert not finds(query, COMPLAINT)


HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=40)


@given(HAN, st.data())
def test_every_part_of_a_chinese_run_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert finds(text[start:end], text)


@given(st.text(max_size=300))
def test_any_text_is_found_by_itself_unless_it_has_nothing_to_find(text: str) -> None:
    assert bool(index_terms(text)) == bool(query_terms(text))
    if query_terms(text):
        assert finds(text, text)


UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}


@given(st.text(max_size=300))
def test_terms_are_letters_and_digits_in_one_case_and_short(text: str) -> None:
    for term in index_terms(text):
        assert 0 < len(term) <= LONGEST_TERM
        assert term == term.casefold()
        assert not any(unicodedata.category(character) in UNSEEN for character in term)
        assert "'" not in term
        assert "\\" not in term


@given(st.text(max_size=100), st.integers(1, 300))
def test_decomposed_text_has_the_same_terms_wherever_it_stands(text: str, before: int) -> None:
    """However the text is cut for normalising, no character is."""
    padding = "x" * before + " "
    both = [index_terms(padding + unicodedata.normalize(form, text)) for form in ("NFC", "NFD")]
    assert both[0] == both[1]


BIG = 100_000


def every_pair_different(size: int) -> str:
    """Chinese text of `size` characters in which hardly a pair comes twice."""
    return "".join(chr(0x4E00 + (n * (n + 1) // 2) % 20_000) for n in range(size))


@pytest.mark.parametrize(
    "text",
    [
        every_pair_different(BIG),
        "".join(chr(0x20000 + (n * (n + 1) // 2) % 40_000) for n in range(BIG)),
        " ".join(f"{n:x}" for n in range(20_000)),
        "\ufdfa" * BIG,
        "a" * BIG,
        "漏水" * (BIG // 2),
    ],
    ids=["pairs", "rare-pairs", "words", "expanding", "one-word", "repeating"],
)
def test_the_terms_of_the_largest_description_fit_a_tsvector(text: str) -> None:
    terms = index_terms("主题 subject", text)
    assert terms[:3] == ["主题", "题", "subject"]
    assert sum(len(term.encode()) + 10 for term in terms) <= LARGEST_INDEX_BYTES < 2**20
    assert max(len(term.encode()) for term in terms) < 2046
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("\u0300\u0323" * (BIG // 2), []),
        ("漏" + "\u0300\u0323" * (BIG // 2), ["漏"]),
        ("\uff9e" * BIG, []),
        ("n\u0303" * BIG, ["ñ" * LONGEST_TERM]),
    ],
    ids=["marks", "marked", "half-width-marks", "accents"],
)
def test_rows_of_marks_that_take_long_to_put_in_order_in_one_piece(text: str, terms: list[str]) -> None:
    assert index_terms(text) == terms


def test_a_long_query_is_cut() -> None:
    assert len(query_terms(every_pair_different(1000))) == MOST_QUERY_TERMS
    assert len(query_terms(" ".join(str(n) for n in range(1000)))) == MOST_QUERY_TERMS
