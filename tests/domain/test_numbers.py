"""Complaint numbers: short, ASCII, with a check that catches slips of the tongue and the hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.domain.complaint.numbers import number_of, sequence_of

SEQUENCES = st.integers(0, 10**18 - 1)


@pytest.mark.parametrize(
    ("sequence", "number"),
    [(0, "C000000000"), (1, "C000000013"), (572, "C000005724"), (123456789, "C1234567894")],
)
def test_a_number_is_the_padded_sequence_and_a_check_digit(sequence: int, number: str) -> None:
    assert number_of(sequence) == number
    assert sequence_of(number) == sequence


@given(SEQUENCES)
def test_every_number_is_short_ascii_and_leads_back(sequence: int) -> None:
    number = number_of(sequence)
    assert number.isascii()
    assert len(number) <= 20
    assert sequence_of(number) == sequence


@pytest.mark.parametrize("sequence", [-1, 10**18])
def test_a_sequence_that_has_no_number_is_refused(sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence number"):
        number_of(sequence)


@pytest.mark.parametrize(
    "text",
    [
        " c000000013 ",
        "C 0000 0001 3",
        "C-0000-0001-3",
        "c0000\t00013",
        "Ｃ０００００００１３",
        "C‑00000001–3",
    ],
)
def test_a_number_may_be_written_as_people_do(text: str) -> None:
    assert sequence_of(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "C",
        "1",
        "000000013",
        "D000000013",
        "C00000013",
        "C0000000013",  # padded beyond eight digits
        "C000000012",
        "C00000001x",
        "C000000013C",
        "C٠٠٠٠٠٠٠١٣",
        "C" + "1" * 20,
        "C" + "0" * 5000,
        "0192f5a4-7c1e-7000-8000-000000000000",
        "\0C000000013",
    ],
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert sequence_of(text) is None


@given(SEQUENCES, st.integers(1, 30), st.integers(0, 9))
def test_a_wrong_digit_is_caught(sequence: int, place: int, digit: int) -> None:
    number = number_of(sequence)
    at = 1 + place % (len(number) - 1)
    wrong = f"{number[:at]}{digit}{number[at + 1 :]}"
    assert (sequence_of(wrong) is None) == (wrong != number)


@given(SEQUENCES, st.integers(1, 30))
def test_two_neighbours_swapped_are_caught(sequence: int, place: int) -> None:
    number = number_of(sequence)
    at = 1 + place % (len(number) - 2)
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert (sequence_of(swapped) is None) == (swapped != number)


@given(st.text(max_size=200))
def test_any_text_is_a_number_or_none(text: str) -> None:
    sequence = sequence_of(text)
    assert sequence is None or number_of(sequence)
