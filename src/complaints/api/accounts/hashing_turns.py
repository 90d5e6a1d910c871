"""Lets few requests of a process hash a password at once, in threads of their own."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from complaints.api.problems.refusals import TooManyRequests
from complaints.use_cases.accounts.throttle import TooManyFailures

AT_ONCE = 2
"""A hash takes 19 MiB and one processor for some 30 ms."""

MOST_WAITING, MOST_OF_ADDRESS = 100, 25
"""How many requests wait at most in all, and from one address."""

_RETRY_SECONDS = "5"
T = TypeVar("T")


class HashingTurns:
    """The requests of a process that wait to hash a password. Neither the event loop nor other requests wait."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(AT_ONCE)
        self._waiting = Counter[str]()

    async def run(self, work: Callable[[], T], *, address: str) -> T:
        """Do `work` in a thread, when it is the turn of this request from `address`.

        Raises TooManyRequests if too many wait, and for TooManyFailures in `work`.
        """
        if self._waiting.total() >= MOST_WAITING or self._waiting[address] >= MOST_OF_ADDRESS:
            detail = f"Too many people sign in at once: try again in {_RETRY_SECONDS} seconds."
            raise TooManyRequests(detail, headers={"Retry-After": _RETRY_SECONDS})
        with self._counted(address):
            return await self._in_turn(work)

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        self._waiting[address] += 1
        try:
            yield
        finally:
            self._waiting -= Counter((address,))  # leaves no zero behind

    async def _in_turn(self, work: Callable[[], T]) -> T:
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        except TooManyFailures as refusal:
            raise TooManyRequests(refusal.detail, headers={"Retry-After": str(refusal.seconds)}) from refusal
