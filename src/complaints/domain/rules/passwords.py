"""The rules for passwords (rule 8.1), and how long a failed sign-in makes the next one wait (rule 8.2)."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from complaints.domain.staff import User

SHORTEST, LONGEST = 12, 200
FORGOTTEN = timedelta(hours=1)
"""Failures older than this count no more."""

_LONGEST_WAIT = timedelta(minutes=1)
_COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "123123123123",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopasdf",
        "1qaz2wsx3edc",
        "1q2w3e4r5t6y",
        "passwordpassword",
        "password1234",
        "password12345",
        "password123456",
        "administrator",
        "iloveyou1234",
        "changemenow1",
        "welcome12345",
    }
)


def normalise_password(password: str) -> str:
    """The form in which passwords are compared: NFKC, so that each keyboard gives the same characters."""
    return unicodedata.normalize("NFKC", password)


def find_password_fault(password: str, user: User) -> str | None:
    """Why a user may not have this password, in its normal form; None if it may be (rule 8.1)."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters."
    if password.casefold() in {name.casefold() for name in (user.login, user.name, user.email or "")}:
        return "A password is not the login, the name or the e-mail address."
    if password.casefold() in _COMMON or len(set(password)) == 1:
        return "This password is one of the most common ones: choose another."
    return None


@dataclass(frozen=True, slots=True)
class FailureCount:
    """How often sign-in failed for the same reason to count, and when it failed last."""

    count: int
    failed_at: datetime

    def wait_until(self, *, free: int) -> datetime:
        """The instant from which the next try is admitted (rule 8.2).

        The first `free` failures make nobody wait. Each further one doubles the wait, up to a minute.
        """
        if self.count < free:
            return self.failed_at
        return self.failed_at + min(timedelta(seconds=2 ** min(self.count - free, 6)), _LONGEST_WAIT)


def add_failure(before: FailureCount | None, now: datetime) -> FailureCount:
    """The count after one more failure at `now`."""
    known = before.count if before and now - before.failed_at < FORGOTTEN else 0
    return FailureCount(known + 1, now)
