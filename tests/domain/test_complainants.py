"""Who is the same complainant (domain §1, `merge`), and the form numbers and addresses are compared in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.identity import (
    Identity,
    identify,
    is_phone_region,
    normalise_email,
    normalise_phone,
    same_complainant,
)


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+8613800000000", "CN", "+8613800000000"),
        ("+86 138-0000-0000", "US", "+8613800000000"),
        ("008613800000000", "CN", "+8613800000000"),
        ("0086 (138) 0000 0000", "CN", "+8613800000000"),
        ("13800000000", "CN", "+8613800000000"),
        ("138 0000 0000", "CN", "+8613800000000"),
        ("８６１３８００００００００", "CN", "+8613800000000"),
        ("＋８６ １３８００００００００", "CN", "+8613800000000"),
        ("021-6888 8888", "CN", "+862168888888"),
        ("(021) 68888888", "CN", "+862168888888"),
        ("+86 021 68888888", "CN", "+862168888888"),
        ("0086 021 68888888", "CN", "+862168888888"),
        ("+86 21 6888 8888", "DE", "+862168888888"),
        ("+44 (0)20 7946 0000", "CN", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", "CN", "+14155552671"),
        ("+39 06 698 12345", "CN", "+390669812345"),  # Italy keeps its zero
    ],
)
def test_equal_numbers_have_one_form(text: str, region: str, e164: str) -> None:
    assert normalise_phone(text, region) == e164


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("110", "CN", "110"),
        ("1-2-3", "CN", "123"),
        ("138 0000 0000", "XX", "13800000000"),
        ("+999 123 45", "CN", "+99912345"),
        ("00", "CN", "00"),
        ("+0", "CN", "0"),
        ("1" * 32, "CN", "1" * 32),
        ("+" + "1" * 31, "CN", "1" * 31),
        ("9" * 5000, "CN", "9" * 5000),
    ],
)
def test_what_cannot_be_read_is_its_digits(text: str, region: str, digits: str) -> None:
    assert normalise_phone(text, region) == digits


@pytest.mark.parametrize("text", ["", "+", "  ", "()-", "none", "无"])
def test_what_has_no_digit_is_no_number(text: str) -> None:
    assert normalise_phone(text, "CN") is None


@given(st.text(max_size=40) | st.text("0123456789+()- x#.", max_size=40), st.sampled_from(["CN", "XX"]))
def test_any_text_has_a_form_of_plain_digits_or_none(text: str, region: str) -> None:
    form = normalise_phone(text, region)
    assert form is None or form.removeprefix("+").isdecimal()


@given(st.from_regex(r"(\+|00)?[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(" -.()"))
def test_separators_do_not_matter(text: str, separator: str) -> None:
    head, tail = text[:-4], text[-4:]
    assert normalise_phone(f" {head}{separator}{tail} ", "CN") == normalise_phone(text, "CN")


@pytest.mark.parametrize(
    ("code", "known"), [("CN", True), ("HK", True), ("cn", False), ("XX", False), ("", False)]
)
def test_phone_regions(code: str, known: bool) -> None:
    assert is_phone_region(code) is known


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (" Li.Wei@Example.COM ", "li.wei@example.com"),
        ("ｌｉ@example.com", "li@example.com"),
        ("李伟@例子.中国", "李伟@例子.中国"),
        ("", None),
        ("  ", None),
    ],
)
def test_equal_addresses_have_one_form(text: str, form: str | None) -> None:
    assert normalise_email(text) == form


A, B = "A-1", "B-2"
P, Q = "+8613800000000", "+8613900000000"
E, F = "li@example.com", "wang@example.com"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((A, None, None), (A, None, None), True),
        ((A, P, E), (A, Q, F), True),  # the account decides, whoever called
        ((A, P, E), (B, P, E), False),
        ((A, P, E), (None, P, F), True),  # only one names the account: the phone decides
        ((A, P, E), (None, Q, E), False),
        ((A, None, E), (None, P, E), True),
        ((A, None, E), (None, P, F), False),
        ((None, P, None), (None, P, None), True),
        ((None, None, E), (None, None, F), False),
        ((A, None, None), (None, P, None), False),  # nothing that both name
        ((None, None, None), (None, None, None), False),
    ],
)
def test_the_first_that_both_name_decides(
    one: tuple[str | None, ...], other: tuple[str | None, ...], same: bool
) -> None:
    assert same_complainant(Identity(*one), Identity(*other)) is same
    assert same_complainant(Identity(*other), Identity(*one)) is same


def test_an_identity_is_in_the_form_compared() -> None:
    identity = identify(account_no=" 0042 ", phone="138 0000 0000", email="Li@Example.com", region="CN")
    assert identity == Identity("0042", P, E)


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_what_is_blank_is_not_named(blank: str | None) -> None:
    assert identify(account_no=blank, phone=blank, email=blank, region="CN") == Identity()
