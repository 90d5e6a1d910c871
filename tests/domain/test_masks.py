"""Rule 9.1: a mask shows a small part of a person, and never the whole."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.masks import (
    STARS,
    mask_code,
    mask_email,
    mask_name,
    mask_person,
    mask_phone,
    mask_service_id,
)

CASES: list[tuple[Callable[[str], str], str, str]] = [
    (mask_phone, "13800000000", "138****0000"),
    (mask_phone, "138 0000 0000", "138****0000"),
    (mask_phone, "+8613912345678", "+861****5678"),
    (mask_phone, "+44 (20) 7946-0958", "+442****0958"),
    (mask_phone, "010-65529988", "010****9988"),
    (mask_phone, "65529988", "6****88"),
    (mask_phone, "65529988 ext. 12", "6****88"),
    (mask_phone, "65529988转12", "6****88"),
    (mask_phone, "6552998", "6****98"),
    (mask_phone, "10086", "****"),
    (mask_phone, "+1", "+****"),
    (mask_phone, "nobody", "****"),
    (mask_name, "王芳", "王****"),
    (mask_name, "欧阳修", "欧****"),
    (mask_name, "王", "****"),
    (mask_name, "Zhuge Kongming", "Z****"),
    (mask_name, " Al", "A****"),
    (mask_name, "A", "****"),
    (mask_name, "e\u0301", "****"),  # one character, with its accent apart
    (mask_name, "e\u0301a", "é****"),
    (mask_name, "𠮷", "****"),  # beyond 16 bits: a pair of halves in UTF-16
    (mask_name, "𠮷野", "𠮷****"),
    (mask_name, "👍🏽", "****"),  # one character and its colour
    (mask_name, "\u200b王\ufe0f", "****"),
    (mask_name, "", "****"),
    (mask_email, "kongming@longzhong.example", "k****@****.example"),
    (mask_email, "k@longzhong.cn", "****@****.cn"),
    (mask_email, "王芳@例子.中国", "王****@****.中国"),
    (mask_email, "a.b@localhost", "a****@****"),
    (mask_email, "a.b@c.thenameofsomebody", "a****@****"),
    (mask_email, "nobody", "****"),
    (mask_code, "ACCT-7788-31", "****31"),
    (mask_code, "622202 1001 1234 5678", "****5678"),
    (mask_code, "A-1", "****"),
    (mask_code, "12345", "****"),
    (mask_code, "户号一二三四五六", "****五六"),
    (mask_code, "", "****"),
    (mask_service_id, "138-0000-0000", "138****0000"),
    (mask_service_id, "FTTH-7788-31", "****31"),
    (mask_service_id, "13800000000@ppp", "****0ppp"),
]


@pytest.mark.parametrize(("mask", "text", "shown"), CASES)
def test_rule_9_1_a_mask_shows_a_small_part(mask: Callable[[str], str], text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    ("mask", "hidden"),
    [(mask_phone, 4), (mask_code, 4), (mask_service_id, 4), (mask_name, 1), (mask_email, 1)],
)
@given(text=st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), max_size=30))
def test_rule_9_1_a_mask_never_shows_the_whole(mask: Callable[[str], str], hidden: int, text: str) -> None:
    shown = mask(text)
    first, _, last = shown.partition(STARS)
    kept = len(first.removeprefix("+")) + len(last.removeprefix("@" + STARS))
    assert STARS in shown
    assert not kept or len(text) - kept >= hidden
    assert kept <= (7 if mask in (mask_phone, mask_service_id) else 12)
    assert text not in shown or not text.strip("+@.")


def test_a_mask_is_for_known_personal_data_alone() -> None:
    person = {"name": "王芳", "phone": None, "email": None, "account_no": "A-1", "vulnerable": True}
    assert mask_person(person) == {**person, "name": "王****", "account_no": STARS}
