"""Templates of complaints: each copy of a template has its own identifiers, times, people, texts and history."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, Uuid

from benchmarks.data.sample_complaints import EXTERNAL_ID
from benchmarks.data.texts import Texts
from complaints.domain.complaint.history import GENESIS, canonical
from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.search_terms import index_terms, person_terms
from complaints.domain.complaint.texts import EventTexts, digest_text
from complaints.domain.vocabulary import Status
from complaints.storage.database.types import UtcDateTime
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.escalation import escalation, escalation_recipient
from complaints.storage.rows.event import event
from complaints.storage.rows.event_text import event_text
from complaints.storage.rows.external_id import complaint_external_id
from complaints.storage.rows.person import digest_of, person

TABLES = (
    complaint, complaint_external_id, person, deadline, escalation, escalation_recipient, event_text, event,
)  # fmt: skip
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_INSTANT = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]{6})?Z"
# The parts of a text that differ from copy to copy, by the name of their kind.
_OWN = re.compile(
    f"(?P<external_id>{EXTERNAL_ID}{_UUID})|(?P<text_id>{_UUID})|(?P<text_at>{_INSTANT})"
    f'|(?P<person_digest>(?<="person_digests":{{"complainant":")[0-9a-f]{{64}})'
    '|(?P<subject_digest>(?<="subject":{"digest":")[0-9a-f]{64})'
    '|(?P<description_digest>(?<="description":{"digest":")[0-9a-f]{64})'
    # The number of the complaint stands beside the severity; the number of a deadline stands beside its start.
    '|(?P<sequence>(?<="sequence":)[0-9]+(?=,"severity"))'
)
_OWN_COLUMNS = {
    complaint.c.sequence: "sequence",
    complaint.c.subject: "subject",
    complaint.c.description: "description",
    complaint.c.external_id: "external_id",
    complaint.c.history_digest: "history_digest",
    complaint_external_id.c.external_id: "external_id",
    person.c.name: "name",
    person.c.phone: "phone",
    person.c.phone_e164: "phone",
    person.c.account_no: "account_no",
}
_LONGEST_AGO = timedelta(days=10)
_SOON = timedelta(minutes=1)
Stored = Mapping[str, Any]
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """The members of one copy: its move in time, its number, the number of its first event, its texts."""

    moved: timedelta
    sequence: int
    event_sequence: int
    texts: Texts


@dataclass(frozen=True, slots=True)
class _EventTemplate:
    """An event with gaps: the text that its digest covers, and the places of the values that fill the gaps."""

    covered: str
    own: Callable[[Sequence[Any]], tuple[Any, ...]]
    sequence_at: int
    data_at: int
    digest_at: int


class Template:
    """The rows of one complaint, with places for the values that differ from copy to copy.

    `earliest` and `latest` bound by how much a copy may be moved in time. Within them its state is a state that
    the engine itself would have reached.
    """

    def __init__(self, rows: Sequence[tuple[Table, Stored]], *, on_sqlite: bool, now: datetime) -> None:
        """A template of a complaint's rows as the driver gives them, events in order. All happened before `now`."""
        self._on_sqlite = on_sqlite
        self._places: dict[tuple[str, Any], int] = {}
        self._row_pickers: list[tuple[str, Callable[[Sequence[Any]], Row]]] = []
        self._event_templates: list[_EventTemplate] = []
        for table, row in rows:
            places = [self._place_of(column, row, table) for column in table.columns]
            if table is event:
                self._event_templates.append(self._event_template(row, places))
            self._row_pickers.append((table.name, itemgetter(*places)))
        ids = [key for kind, key in self._places if kind == "id"]
        known = {key: f"{n:03x}" for n, key in enumerate(ids)}
        self._blank = [value if kind == "same" else None for kind, value in self._places]
        self._instants = [(p, at) for (kind, at), p in self._places.items() if kind == "at"]
        self._text_instants = [(p, at) for (kind, at), p in self._places.items() if kind == "text_at"]
        self._ids = [(p, known[key]) for (kind, key), p in self._places.items() if kind == "id"]
        self._text_ids = [(p, known[key]) for (kind, key), p in self._places.items() if kind == "text_id"]
        self._own = {kind: p for (kind, _), p in self._places.items() if kind in _OWN_NAMES}
        own = next(row for table, row in rows if table is complaint)
        self._first_texts = _read_texts(next(row for table, row in rows if _is_of_first_event(table, row)))
        self._person = _read_person(next(row for table, row in rows if table is person))
        self._found_by = dict.fromkeys(index_terms(own["resolution"] or "", own["root_cause"] or ""))
        self.received_at = _instant(own["received_at"])
        self.ended = own["ended_at"] is not None
        self.followed_up = own["status"] == Status.FOLLOWING_UP
        self.overdue = own["overdue_after_at"] is not None and _instant(own["overdue_after_at"]) < now
        self.events = len(self._event_templates)
        last_at = max(_instant(row["at"]) for table, row in rows if table is event)
        wake_at = _instant(own["wake_at"]) if own["wake_at"] is not None else now + _LONGEST_AGO
        self.earliest = -min(wake_at - now - _SOON, _LONGEST_AGO)
        self.latest = now - last_at

    # Making ---------------------------------------------------------------------------------------------------------

    def _place(self, kind: str, value: Any = None) -> int:
        if kind == "text_at" and not self._on_sqlite:  # PostgreSQL writes instants in columns as in texts
            kind = "at"
        return self._places.setdefault((kind, value), len(self._places))

    def _place_of(self, column: Any, row: Stored, table: Table) -> int:
        value = row[column.name]
        if table is event and column.name in ("sequence", "data", "digest"):
            return self._place(f"event {column.name}", row["ordinal"])
        if column is event_text.c.texts and _is_of_first_event(table, row):
            return self._place("first_texts")
        if column in _OWN_COLUMNS:
            return self._place(_OWN_COLUMNS[column])
        if value is None:
            return self._place("same", None)
        if isinstance(column.type, UtcDateTime):
            return self._place("at", _instant(value))
        if isinstance(column.type, Uuid):
            return self._place("id", value.replace("-", ""))
        return self._place("same", value)

    def _event_template(self, row: Stored, places: Sequence[int]) -> _EventTemplate:
        own = [self._place("text_at", _instant(row["at"]))]

        def placed(found: re.Match[str]) -> str:
            kind, text = found.lastgroup or "", found[0]
            own.append(self._place(kind, _value_of(kind, text)))
            return "%s"

        data = _OWN.sub(placed, row["data"].replace("%", "%%"))
        head_members = {"ordinal": int(row["ordinal"]), "type": row["type"], "version": int(row["version"])}
        head = (
            canonical({**head_members, "at": "\0", "actor": row["actor"]})
            .replace("%", "%%")
            .replace("\\u0000", "%s")
        )
        named = dict(zip(event.columns.keys(), places, strict=True))
        pick = itemgetter(*own, own[0])  # one more, because itemgetter gives no tuple for a single place
        return _EventTemplate(f"{head}\n{data}%.0s", pick, named["sequence"], named["data"], named["digest"])

    # Copying --------------------------------------------------------------------------------------------------------

    def fill(self, copy: Copy, random: Random, *, with_history: bool = True) -> Iterator[tuple[str, Row]]:
        """The rows of a copy, with the names of their tables. Parents come before their children.

        Without its history a copy has no events, no texts of events and no search terms.
        """
        values = self._blank.copy()
        external_id = f"T-{copy.sequence:09d}"
        self._set_ids_and_instants(values, copy.moved, random)
        own = {
            "sequence": copy.sequence,
            "subject": copy.texts.subject,
            "description": copy.texts.description,
            "external_id": external_id,
            "name": f"Person {copy.sequence}",
            "phone": f"+861{random.randrange(3 * 10**9, 10**10)}",
            "account_no": f"A{random.randrange(10**8):08d}",
        }
        if with_history:
            own["person_digest"] = digest_of(self._person | own)
            own |= self._fill_texts(copy.texts)
        for name, place in self._own.items():
            values[place] = own.get(name)
        self._chain(values, self._event_templates if with_history else [], copy.event_sequence)
        for table, pick in self._row_pickers:
            if with_history or table not in _HISTORY:
                yield table, pick(values)
        if with_history:
            named = [*index_terms(number_of(copy.sequence), external_id), *_terms_of_person(own)]
            terms = {**copy.texts.terms, **dict.fromkeys(named), **self._found_by}
            yield SEARCH, (copy.sequence, self._join_terms(terms))

    def _fill_texts(self, texts: Texts) -> dict[str, str]:
        """The texts of the first event of a copy, and their digests. The texts of later events stay as they are."""
        own = {"subject": texts.subject, "description": texts.description}
        places = {f"changes.{name}": text for name, text in own.items()}
        digests = {
            f"{name}_digest": digest_text(self._first_texts.salt, name, text) for name, text in own.items()
        }
        return {"first_texts": canonical(self._first_texts.texts | places), **digests}

    def _set_ids_and_instants(self, values: list[Any], moved: timedelta, random: Random) -> None:
        """Set identifiers and instants. An identifier begins with the time of receipt, as a real one does."""
        for place, at in self._text_instants:
            values[place] = f"{(at + moved).isoformat()}Z"
        for place, at in self._instants:
            moment = at + moved
            values[place] = (
                moment.isoformat(" ", "microseconds") if self._on_sqlite else f"{moment.isoformat()}Z"
            )
        start = int((self.received_at + moved - _EPOCH) / timedelta(milliseconds=1))
        first, last = f"{start:012x}7", f"8{random.getrandbits(60):015x}"
        for place, n in self._ids:
            values[place] = f"{first}{n}{last}"
        for place, n in self._text_ids:
            values[place] = f"{first[:8]}-{first[8:12]}-7{n}-{last[:4]}-{last[4:]}"

    def _chain(self, values: list[Any], events: Sequence[_EventTemplate], event_sequence: int) -> None:
        digest = GENESIS
        for n, template in enumerate(events):
            covered = template.covered % template.own(values)
            digest = hashlib.sha256(digest + covered.encode()).digest()
            values[template.sequence_at] = event_sequence + n
            values[template.data_at] = covered.partition("\n")[2]
            values[template.digest_at] = self._digest_value(digest)
        values[self._own["history_digest"]] = self._digest_value(digest)

    def _digest_value(self, digest: bytes) -> Any:
        return digest if self._on_sqlite else f"\\x{digest.hex()}"

    def _join_terms(self, terms: Iterable[str]) -> str:
        """The terms as the search table stores them. They are letters and digits, so none needs to be escaped."""
        return " ".join(terms) if self._on_sqlite else "'" + "' '".join(terms) + "'"


SEARCH = "complaint_search"
_HISTORY = frozenset({event.name, event_text.name})
_OWN_NAMES = frozenset(
    {*_OWN_COLUMNS.values(), "person_digest", "first_texts", "subject_digest", "description_digest"}
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all instants here are in UTC, without a zone


def _read_person(row: Stored) -> dict[str, Any]:
    """The person of a template, whose row the driver gave as text."""
    return {**row, "vulnerable": row["vulnerable"] in (1, "true"), "salt": _bytes_of(row["salt"])}


def _is_of_first_event(table: Table, row: Stored) -> bool:
    return table is event_text and int(row["ordinal"]) == 1


def _read_texts(row: Stored) -> EventTexts:
    return EventTexts(_bytes_of(row["salt"]), json.loads(row["texts"]))


def _bytes_of(given: Any) -> bytes:
    return bytes.fromhex(given.removeprefix("\\x")) if isinstance(given, str) else given


def _terms_of_person(own: Mapping[str, Any]) -> list[str]:
    phone = own["phone"]
    return person_terms(name=own["name"], contacts=[own["account_no"]], phones=[phone, phone])


def _value_of(kind: str, text: str) -> Any:
    """The value that distinguishes two places of one kind. Every other kind has one place."""
    if kind == "text_at":
        return _instant(text)
    return text.replace("-", "") if kind == "text_id" else None


def _instant(text: str) -> datetime:
    """An instant from the text of a driver or of an event; in UTC, without a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=None)


def read_templates(connection: Connection, now: datetime) -> list[Template]:
    """A template of every complaint in the database. All that happened to them happened before `now`."""
    on_sqlite = connection.dialect.name == "sqlite"
    owner = {row["id"]: row["complaint_id"] for row in _rows(connection, escalation)}
    grouped: dict[str, list[tuple[Table, Stored]]] = defaultdict(list)
    for table in TABLES:
        for row in _rows(connection, table):
            key = row.get("complaint_id") or owner.get(row.get("escalation_id")) or row["id"]
            grouped[key].append((table, row))
    bare = now.replace(tzinfo=None)
    return [Template(rows, on_sqlite=on_sqlite, now=bare) for rows in grouped.values()]


def _rows(connection: Connection, table: Table) -> list[Stored]:
    """Rows as the database writes them."""
    text = "" if connection.dialect.name == "sqlite" else "::text"
    columns = ", ".join(f'"{column.name}"{text} AS "{column.name}"' for column in table.columns)
    order = ' ORDER BY event."sequence"' if table is event else ""  # its column, not its text
    # Percent signs are the driver's own only in statements with parameters.
    rows = connection.exec_driver_sql(f"SELECT {columns} FROM {table.name}{order}").mappings()
    return [dict(row) for row in rows]
