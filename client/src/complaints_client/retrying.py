"""Which answers are worth a repetition, and how long to wait before it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import SystemRandom

import httpx2

from complaints_client.errors import NoAnswer, code_of, problem_of, refusal_of

_WORTH_REPEATING = {408, 429, 500, 502, 503, 504}
_STILL_RUNNING = "idempotency-in-progress"
_LONGEST_ASKED = 86_400.0  # seconds
_dice = SystemRandom()


@dataclass(frozen=True)
class Patience:
    """How long a call is repeated. All members are in seconds.

    No repetition begins later than `seconds` after the start of the call; `float("inf")` never gives up.
    The pauses double from `first_pause` to `longest_pause`, each shortened by chance to between a half and the whole.
    A `Retry-After` of the server counts instead, lengthened by chance by up to a quarter.
    """

    seconds: float = 60.0
    first_pause: float = 0.25
    longest_pause: float = 10.0


def send_repeatedly(
    send: Callable[[], httpx2.Response], patience: Patience, *, key: str | None
) -> httpx2.Response:
    """Send until an answer comes that is not worth a repetition. Raises NoAnswer when the patience ends."""
    ends_at = time.monotonic() + patience.seconds
    attempt = 0
    while True:
        asked, failure = None, ""
        try:
            response = send()
            if not is_worth_repeating(response):
                return response
            asked, failure = read_retry_after(response), str(refusal_of(response))
        except httpx2.RequestError as error:
            failure = f"{type(error).__name__}: {error}"
        pause = choose_pause(patience, attempt, asked=asked)
        attempt += 1
        if time.monotonic() + pause > ends_at:
            raise NoAnswer(f"No answer after {attempt} attempts; the last one: {failure}", key=key)
        time.sleep(pause)


def is_worth_repeating(response: httpx2.Response) -> bool:
    """True if the same request may succeed later."""
    if response.status_code == 409:
        return code_of(problem_of(response)) == _STILL_RUNNING
    return response.status_code in _WORTH_REPEATING


def choose_pause(patience: Patience, attempt: int, *, asked: float | None) -> float:
    """The seconds before the next attempt; `attempt` counts from 0, `asked` is what the server asked for."""
    if asked is not None:
        return max(asked, patience.first_pause) * _dice.uniform(1.0, 1.25)
    longest = min(patience.longest_pause, patience.first_pause * 2.0 ** min(attempt, 30))
    return longest * _dice.uniform(0.5, 1.0)


def read_retry_after(response: httpx2.Response) -> float | None:
    """The seconds that `Retry-After` asks for: a number, or a date that is compared with the server's `Date`."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_ASKED)
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(response.headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())
