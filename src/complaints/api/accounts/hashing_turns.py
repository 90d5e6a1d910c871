"""Lets few requests of a process hash a password at once, in threads of their own."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from complaints.api.problems.refusals import TooManyRequests
from complaints.use_cases.accounts.throttle import TooManyFailures

AT_ONCE = 2
"""A hash takes 19 MiB and one processor for some 30 ms."""

MOST_WAITING = 100
_RETRY_SECONDS = "5"
T = TypeVar("T")


class HashingTurns:
    """The requests of a process that wait to hash a password. Neither the event loop nor other requests wait."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(AT_ONCE)

    async def run(self, work: Callable[[], T]) -> T:
        """Do `work` in a thread, when it is its turn. Raises TooManyRequests, also for TooManyFailures in `work`."""
        if self._limiter.statistics().tasks_waiting >= MOST_WAITING:
            detail = f"Too many people sign in at once: try again in {_RETRY_SECONDS} seconds."
            raise TooManyRequests(detail, headers={"Retry-After": _RETRY_SECONDS})
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        except TooManyFailures as refusal:
            raise TooManyRequests(refusal.detail, headers={"Retry-After": str(refusal.seconds)}) from refusal
