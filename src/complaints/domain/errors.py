"""Refusals. The domain knows their kind; the edges know what HTTP makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what was sent. `pointer` is a JSON Pointer (RFC 6901) into it, "" for the whole."""

    pointer: str
    message: str


def escape_pointer(name: str) -> str:
    """One member name as a reference token of a JSON Pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def clip(text: str, limit: int = 500) -> str:
    """`text`, cut to at most `limit` code points: messages do not repeat at length what was sent."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class ComplaintError(Exception):
    """A refusal a caller can understand. `kind` is one of invalid, forbidden, not-found, conflict, stale,
    unavailable.

    `code` names the problem in the catalogue (`/problems/<code>`); `faults` says which members are at fault;
    `allowed` lists the actions that are legal now, where an action was refused.
    """

    kind: ClassVar[str] = "invalid"
    code: ClassVar[str] = "invalid-content"

    def __init__(
        self, detail: str, *, faults: Sequence[Fault] = (), allowed: Sequence[str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.allowed = None if allowed is None else tuple(allowed)


class InvalidContent(ComplaintError):
    """What was sent cannot be accepted; `faults` names the members."""

    @classmethod
    def at(cls, pointer: str, message: str) -> "InvalidContent":
        """A refusal of the one member at `pointer`."""
        return cls(message, faults=[Fault(pointer, message)])


class Forbidden(ComplaintError):
    """The caller lacks the right."""

    kind = "forbidden"
    code = "forbidden"


class NotFound(ComplaintError):
    """There is no such thing, or the caller may not know of it."""

    kind = "not-found"
    code = "not-found"


class Conflict(ComplaintError):
    """It contradicts what is there."""

    kind = "conflict"
    code = "conflict"


class TransitionRefused(Conflict):
    """The action is not legal from the complaint's present state; `allowed` lists those that are."""

    code = "transition-refused"


class StaleVersion(ComplaintError):
    """The caller acted on an older version of the complaint than the present one."""

    kind = "stale"
    code = "stale-version"


class Unavailable(ComplaintError):
    """Something the engine needs is out of reach for now; nothing was done, or its outcome is unknown."""

    kind = "unavailable"
    code = "service-unavailable"
