"""The outcome of a request: the reply of the receiver, or the reason why none came.

This module loads no library for HTTP: that takes 0.1 s, and many processes send nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReceiverReply:
    """The answer of a receiver. `headers` have names in small letters; `body` is cut after 64 KiB.

    The body may contain secrets of the receiver: show it to nobody and write it to no log.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """True for a status from 200 to 299."""
        return 200 <= self.status <= 299


class SendingFailed(Exception):
    """No answer came. `reason` is short, and safe to show: refused-url, refused-address, timeout or connection."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
