"""Rules 8.1 and 8.2: which passwords may be, and how long a failed sign-in makes the next one wait."""

from datetime import timedelta

import pytest

from complaints.domain.rules.passwords import FORGOTTEN, add_failure, find_password_fault, normalise_password
from complaints.domain.staff import User
from tests.support import START

USER = User("li.wei.of.the.north", "Li Wei of the North", email="li.wei@example.org")


@pytest.mark.parametrize(
    ("password", "allowed"),
    [
        ("eleven char", False),
        ("twelve chars", True),
        ("密码" * 6, True),
        ("x" * 12, False),
        ("ab" * 100, True),
        ("ab" * 100 + "c", False),
        ("ﬁﬁﬁﬁﬁﬀ", True),  # six ligatures are twelve letters
        ("Li.Wei.of.the.North", False),
        ("LI WEI OF THE NORTH", False),
        ("ｌｉ.wei@example.org", False),
        ("PasswordPassword", False),
        ("only lower case", True),
        ("            ", False),
    ],
)
def test_a_password_has_a_length_and_is_no_name(password: str, allowed: bool) -> None:
    """Rule 8.1. There are no rules for its composition."""
    assert (find_password_fault(normalise_password(password), USER) is None) is allowed


def test_each_failure_beyond_the_free_ones_doubles_the_wait_up_to_a_minute() -> None:
    """Rule 8.2."""
    failures, waits = None, []
    for _ in range(12):
        failures = add_failure(failures, START)
        waits.append((failures.wait_until(free=3) - START).total_seconds())
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert add_failure(failures, START + FORGOTTEN - timedelta(seconds=1)).count == 13
    assert add_failure(failures, START + FORGOTTEN).count == 1
