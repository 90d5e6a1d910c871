"""Tells the ended complaints of a file from the open ones, by status and closing time (rule 2.14)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.domain.importing.conversions import Converter, as_text, fold_letters
from complaints.domain.importing.options import HISTORY_MEMBERS, MAX_ATTRIBUTE_KEY, shorten
from complaints.domain.vocabulary import OPEN_STATUSES, Status

# A merged complaint needs the complaint that it was merged into, and a file cannot name it.
ENDED_STATUSES = frozenset({Status.CLOSED, Status.REJECTED, Status.WITHDRAWN})
_WORDS = {fold_letters(status): status.value for status in Status if status in OPEN_STATUSES | ENDED_STATUSES}


def read_status(raw: Any) -> str | None:
    """The status that a text means, or None without text. Raises ValueError for another word.

    Case, white space and signs between letters may differ.
    """
    text = as_text(raw)
    if not text:
        return None
    word = _WORDS.get(fold_letters(text))
    if word is None:
        shown = shorten(text)
        raise ValueError(
            f"is '{shown}', which is none of {', '.join(_WORDS.values())}: translate it, "
            f"for example with --map-value status:'{shown}'=closed (in a URL map_value.status:{shown}=closed)"
        )
    return word


def allow_empty(convert: Converter) -> Converter:
    """A converter that gives None for an empty text: an open complaint has no closing time."""
    return lambda raw: convert(raw) if as_text(raw) else None


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """A column that feeds a history member. `key` is the attribute that keeps the text."""

    key: str
    text: Callable[[Any], str]


class HistoryReader:
    """Decides for each row whether the complaint has ended.

    The status decides. Without a status, a row with a closing time has ended. With `all_ended`, so has every row
    without a status.
    """

    def __init__(self, columns: Mapping[str, KeptColumn], *, all_ended: bool) -> None:
        self._columns = columns
        self._all_ended = all_ended

    def settle(self, body: dict[str, Any], values: Any) -> None:
        """Keep `status` and the other history members in the body of an ended complaint only.

        The text of a foreign status is kept as an attribute. So are the texts of all history members of a
        complaint that is open: it starts in `received`.
        """
        given = body.pop("status", None)
        status = given or (Status.CLOSED.value if self._all_ended or "closed_at" in body else None)
        if status in ENDED_STATUSES:
            body["status"] = status
            self._keep(body, values, ["status"], unless=status)
            return
        for name in HISTORY_MEMBERS:
            body.pop(name, None)
        self._keep(body, values, HISTORY_MEMBERS, unless=Status.RECEIVED)

    def _keep(self, body: dict[str, Any], values: Any, names: Iterable[str], *, unless: str) -> None:
        for column in (self._columns[name] for name in names if name in self._columns):
            text = column.text(values)
            if text and text.casefold() != unless:
                body.setdefault("attributes", {}).setdefault(column.key[:MAX_ATTRIBUTE_KEY], text)
