"""The token of a complainant's page names one complaint, and only this installation can make it."""

import pytest

from complaints.use_cases.complaints.page_token import find_complaint_of_token, make_page_token
from complaints.use_cases.service import Service


def test_a_token_names_its_complaint(service: Service) -> None:
    complaint_id = service.new_id()
    token = service.read(lambda tx: make_page_token(tx, complaint_id))
    assert len(token) == 43
    assert service.read(lambda tx: find_complaint_of_token(tx, token)) == complaint_id


@pytest.mark.parametrize("place", [0, 20, 21, 30, 42])
def test_a_changed_token_names_nothing(service: Service, place: int) -> None:
    token = service.read(lambda tx: make_page_token(tx, service.new_id()))
    other = "A" if token[place] != "A" else "B"
    forged = token[:place] + other + token[place + 1 :]
    assert service.read(lambda tx: find_complaint_of_token(tx, forged)) is None


@pytest.mark.parametrize("token", ["", "a", "a" * 42, "a" * 44, "投诉", "=" * 43, "a b" * 14])
def test_other_text_is_no_token(service: Service, token: str) -> None:
    assert service.read(lambda tx: find_complaint_of_token(tx, token)) is None
