"""Who is the same complainant (domain §1, `merge`), and the form numbers and addresses are compared in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.identity import (
    Identity,
    find_account_fault,
    find_email_fault,
    find_phone_fault,
    identify,
    is_phone_region,
    normalise_account,
    normalise_email,
    normalise_phone,
    same_complainant,
)
from complaints.domain.visibility import has_visible_character


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


# Rule 5.6 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "１３８００１３８０００",
        "+86 138 0013 8000",  # no-break spaces
        "\u202a+86\u2011138\u20130013\u20148000\u202c",
        "138\u30fc0013\uff0d8000",
        "＋８６（138）00138000",
        "\ufeff138\u200b0013\u20608000\u200f",
        "〔138〕0013−8000",
        "13800138000 ext 12",
    ],
)
def test_rule_5_08_phones_are_folded_before_they_are_judged(text: str) -> None:
    assert find_phone_fault(text) is None
    assert normalise_phone(text, "CN") == "+8613800138000"


@pytest.mark.parametrize(
    ("text", "number", "extension"),
    [
        ("010-65529988 ext 12", "+861065529988", "12"),
        ("010-65529988 ext. 12", "+861065529988", "12"),
        ("(010) 65529988 Extension: 12", "+861065529988", "12"),
        ("010-65529988转12", "+861065529988", "12"),
        ("010-65529988 轉 12", "+861065529988", "12"),
        ("010-65529988 分机号12", "+861065529988", "12"),
        ("（010）65529988（转12）", "+861065529988", "12"),
        ("010-65529988x12", "+861065529988", "12"),
        ("010-65529988 X12", "+861065529988", "12"),
        ("010-65529988#12", "+861065529988", "12"),
        ("+861065529988;ext=12", "+861065529988", "12"),
        ("010-65529988-8012", "+861065529988", "8012"),
        ("010-6552-9988", "+861065529988", None),
        ("138-0013-8000", "+8613800138000", None),
    ],
)
def test_rule_5_08_an_extension_stands_apart(text: str, number: str, extension: str | None) -> None:
    assert find_phone_fault(text) is None
    identity = identify(account_no=None, phone=text, email=None, region="CN")
    assert (identity.phone_e164, identity.extension) == (number, extension)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("12", "12", True), ("12", None, True), (None, None, True), ("12", "13", False)],
)
def test_rule_5_08_two_extensions_are_two_complainants(one: str, other: str, same: bool) -> None:
    assert same_complainant(Identity(None, P, E, one), Identity(None, P, E, other)) is same


@pytest.mark.parametrize(
    "text",
    [
        "13800138000 13900139000",
        "(99) 99999-99999 99999-99999-999",
        "1" * 16,
        "+" + "1" * 16,
        "1380013 1390013",
        "13800138000转13900139000",
        "13800138000/13900139000",
        "13800138000、13900139000",
        "0" * 32,
    ],
)
def test_rule_5_08_a_field_has_one_number(text: str) -> None:
    assert find_phone_fault(text) is not None
    assert not (normalise_phone(text, "CN") or "").startswith("+")


@pytest.mark.parametrize(
    "text",
    ["00000000000", "000000", "99999999", "０００００００", "+86 000 0000 0000", "0086 00000000000", "+1 1111111111",
     "(000) 000-0000", "0000-0000", "1" * 15],
)  # fmt: skip
def test_rule_5_08_one_repeated_digit_is_nobody(text: str) -> None:
    assert find_phone_fault(text) is None
    assert normalise_phone(text, "CN") is None
    nobody = identify(account_no="0000", phone=text, email=None, region="CN")
    assert nobody == Identity()
    assert not same_complainant(nobody, nobody)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("u@müller.example", "u@xn--mller-kva.example", True),
        ("u@MÜLLER.example", "U@XN--MLLER-KVA.EXAMPLE", True),
        ("u@例子。中国", "u@xn--fsqu00a.xn--fiqs8s", True),
        ("u@mu\u0308ller.example", "u@müller.example", True),
        ("u@example.com.", "u@example.com", True),
        ("u@straße.example", "u@strasse.example", False),
        ("u@STRAẞE.example", "u@xn--strae-oqa.example", True),
        ("weiß@example.com", "weiss@example.com", False),
        ("u@xn--99999999999.example", "u@xn--99999999998.example", False),  # no A-labels at all
    ],
)
def test_rule_5_08_domains_are_compared_by_idna_2008(one: str, other: str, same: bool) -> None:
    assert find_email_fault(one) is find_email_fault(other) is None
    assert (normalise_email(one) == normalise_email(other)) is same


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("u@example.com\u200b", "U\\+200B"),
        ("u\u2060@example.com", "U\\+2060"),
        ("\ufeffu@example.com", "U\\+FEFF"),
        ("u@exam\u00adple.com", "U\\+00AD"),
        ("mailto:u@example.com", "mailto:"),
        ("MailTo : u@example.com", "mailto:"),
        ("ｍａｉｌｔｏ：u@example.com", "mailto:"),
        ("smtp:u@example.com", "one e-mail"),
        ("u@example.com；", "one e-mail"),
        ("ﬃ" * 90 + "@example.com", "at most"),
    ],
)
def test_rule_5_08_addresses_are_refused_with_a_reason(text: str, said: str) -> None:
    assert re.search(said, find_email_fault(text) or "")


def test_rule_5_08_account_numbers_are_folded() -> None:
    assert normalise_account("\u3000Ａ－１２\u200b ") == "A-12"
    assert normalise_account("\u200b") is None
    assert find_account_fault("ﷺ" * 12) is not None
    assert find_account_fault("A" * 200) is None


# Characters that show nothing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f\ufe0e", "\U000e0041\U000e007f", "\u034f", "\u061c",
     "\U000e0100", "\u180b\u180e", "\u17b4", "\u200b\u2060\ufeff", "\u00a0\u3000\t", "\U0001d173", "\x07\x1b"],
)  # fmt: skip
def test_some_characters_show_nothing(text: str) -> None:
    assert not has_visible_character(text)
    assert has_visible_character(f"{text}断网")


@pytest.mark.parametrize("text", ["x", "。", "😡", "\u0301", "👩\u200d👩", "ㅤ한", "\ue000".join("ab")])
def test_everything_else_is_seen(text: str) -> None:
    assert has_visible_character(text)
