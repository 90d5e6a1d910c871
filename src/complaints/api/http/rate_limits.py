"""Limits on the calls of each key, in the memory of one process, with the headers that tell callers of them.

The headers are those of the draft "RateLimit header fields for HTTP", version 10: `RateLimit-Policy` and `RateLimit`.
"""

import math
import time

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from complaints.api.problems.handlers import refusal_response
from complaints.api.problems.refusals import TooManyRequests
from complaints.use_cases.access import Caller

_MOST_COUNTERS = 10_000
_POLICY = b'"calls";q=%d;w=60'


class CallLimits:
    """Answers 429 when a key has made `calls_per_minute` calls within a minute, in this process. Pure ASGI.

    The minute begins with the first call. Each answer tells how many calls are left.
    """

    def __init__(self, app: ASGIApp, *, calls_per_minute: int) -> None:
        self._app = app
        self._item = RateLimitItemPerMinute(calls_per_minute)
        self._counters = _Counters()
        self._limiter = FixedWindowRateLimiter(self._counters)
        self._policy = (b"ratelimit-policy", _POLICY % calls_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, unless its caller has made too many."""
        caller: Caller | None = scope.get("state", {}).get("caller")
        if caller is None:
            await self._app(scope, receive, send)
            return
        admitted = self._limiter.hit(self._item, caller.name)
        count, seconds = self._counters.last  # `get_window_stats` would take twice as long as the whole rest
        left = max(0, self._item.amount - count)
        limit = (b"ratelimit", b'"calls";r=%d;t=%d' % (left, seconds))

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), self._policy, limit]}
            await send(message)

        if admitted:
            await self._app(scope, receive, send_with_limit)
            return
        refusal = TooManyRequests(
            f"This key may make {self._item.amount} calls a minute: wait {seconds} seconds.",
            headers={"Retry-After": str(seconds)},
        )
        await refusal_response(Request(scope), refusal)(scope, receive, send_with_limit)


class _Counters(Storage):
    """The counters of one process, for its event loop only. Times are of the monotonic clock.

    The storage in memory of the library starts a thread every 10 ms, which costs more than the counting.
    """

    STORAGE_SCHEME = None  # it has no address: it is made here

    def __init__(self) -> None:
        super().__init__()
        self._counters: dict[str, tuple[int, float]] = {}
        self.last = 0, 0
        """The count of the counter that counted last, and the seconds until it starts again, rounded up."""

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """No failure of the storage is expected."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count, and return the count. A counter starts again `expiry` seconds after its first count."""
        now = time.monotonic()
        count, ends_at = self._counters.get(key, (0, 0.0))
        if ends_at <= now:
            self._make_room(now)
            count, ends_at = 0, now + expiry
        self._counters[key] = count + amount, ends_at
        self.last = count + amount, math.ceil(ends_at - now)
        return count + amount

    def _make_room(self, now: float) -> None:
        if len(self._counters) >= _MOST_COUNTERS:
            self._counters = {key: known for key, known in self._counters.items() if known[1] > now}

    def get(self, key: str) -> int:
        """The count, 0 without a counter."""
        count, ends_at = self._counters.get(key, (0, 0.0))
        return count if ends_at > time.monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """The time at which the counter starts again."""
        return self._counters[key][1] if key in self._counters else time.monotonic()

    def check(self) -> bool:
        """True: memory is always there."""
        return True

    def reset(self) -> int:
        """Forget all counters, and return how many they were."""
        count = len(self._counters)
        self._counters.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one counter."""
        self._counters.pop(key, None)
