"""Errors that callers can understand. The domain knows their kind; the API turns a kind into an HTTP status."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

_LONGEST_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in the sent data. `pointer` is a JSON Pointer (RFC 6901); "" means the whole data.

    `parameter` is the name of a query parameter or header, if the fault is there: `place`. Then `pointer` is "".
    """

    pointer: str
    message: str
    parameter: str | None = None
    place: Literal["query", "header"] = "query"


def escape_pointer(name: str) -> str:
    """A member name as a reference token of a JSON Pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def clip(text: str, limit: int = 500) -> str:
    """`text`, cut to at most `limit` code points, because a message must not repeat long input."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def find_nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is nearest to a misspelt name, or None. Case makes no difference.

    Both are compared up to 200 characters, because the time grows with the square of the length.
    """
    by_folded = {item.casefold(): item for item in known if len(item) <= _LONGEST_COMPARED}
    near = difflib.get_close_matches(name[:_LONGEST_COMPARED].casefold(), by_folded, n=1)
    return by_folded[near[0]] if near else None


def ask_if_meant(name: str, known: Iterable[str]) -> str | None:
    """The question `did you mean 'x'?` with the known name that is nearest to `name`. None if no name is near."""
    near = find_nearest(name, known)
    return f"did you mean '{near}'?" if near else None


def describe_unknown(thing: str, name: str, hint: str | None) -> str:
    """The message about a name that nothing has. `thing` is a noun, such as `team`, and `hint` says what to do."""
    end = f": {hint}" if hint else "."
    return f"There is no {thing} {clip(name, 100)!r}{end}"


class ComplaintError(Exception):
    """A refused request, explained to the caller.

    `kind` is invalid, forbidden, not-found, conflict, stale or unavailable. `code` names the problem in the
    catalogue (`/problems/<code>`). `faults` lists the faulty members. `allowed` lists the actions that are
    possible now, if an action was refused; otherwise it is None.
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

    @classmethod
    def in_query(cls, parameter: str, message: str) -> Self:
        """The error for a single faulty query parameter."""
        return cls(message, faults=[Fault("", message, parameter)])

    @classmethod
    def in_header(cls, name: str, message: str) -> Self:
        """The error for a single faulty header."""
        return cls(message, faults=[Fault("", message, name, "header")])


class InvalidContent(ComplaintError):
    """The sent data is not acceptable. `faults` lists the faulty members."""

    @classmethod
    def at(cls, pointer: str, message: str) -> "InvalidContent":
        """The error for a single faulty member at `pointer`."""
        return cls(message, faults=[Fault(pointer, message)])


class Forbidden(ComplaintError):
    """The caller does not have the necessary right."""

    kind = "forbidden"
    code = "forbidden"


class NotFound(ComplaintError):
    """The requested object does not exist, or the caller is not allowed to see it."""

    kind = "not-found"
    code = "not-found"


class Conflict(ComplaintError):
    """The request contradicts the stored data."""

    kind = "conflict"
    code = "conflict"


class TransitionRefused(Conflict):
    """The action is not possible in the present state of the complaint. `allowed` lists the possible actions."""

    code = "transition-refused"


class StaleVersion(ComplaintError):
    """The caller named an older version of the complaint than the present version."""

    kind = "stale"
    code = "stale-version"


class Unavailable(ComplaintError):
    """A necessary part, such as the database, cannot be reached now. Nothing was done, or the result is unknown."""

    kind = "unavailable"
    code = "service-unavailable"
