"""Conditions on the members that trouble tickets show, as TMF621 names them. Each name has its place in `_MEMBERS`.

A ticket shows values of the complaint, and values that the attribute `tmf621` keeps. A caller who may not see the
attributes of a complaint is shown no kept values, so conditions do not see them either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    true,
    union_all,
)

from complaints.domain.complaint.numbers import number_of, sequence_of
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import DeadlineKind, Priority, Severity, Visibility
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.json_members import JsonValue, any_element, any_member, json_at
from complaints.storage.queries.ticket_comparisons import CompareBy, Comparing, TicketComparison
from complaints.storage.rows.attachment import attachment
from complaints.storage.rows.complaint import complaint
from complaints.storage.rows.deadline import deadline
from complaints.storage.rows.external_id import complaint_external_id
from complaints.storage.rows.person import COMPLAINANT, REPORTER, person
from complaints.storage.rows.scope_condition import condition as scope_condition

c, p, x, a, d = complaint.c, person.c, complaint_external_id.c, attachment.c, deadline.c
_KEPT = "tmf621"
_PARTY = "partyOrPartyRole"
# Python's `strip` and `casefold` for the words of severity and priority, whose letters are those of English.
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_FOLDED_LETTERS = {"\u212a": "k", "\u017f": "s"}


@dataclass(frozen=True, slots=True)
class WordTable:
    """What the words mean that tickets keep: `exact` as they stand, `folded` without blanks around and without case.

    `shown` are the words for meanings for which no fitting word is kept.
    """

    folded: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    exact: Mapping[str, str] = field(default_factory=dict)

    def meaning_of(self, word: str) -> str | None:
        """What a word means; None: nothing."""
        return self.exact.get(word) or self.folded.get(word.strip().casefold())


@dataclass(frozen=True, slots=True)
class TicketSight:
    """The complaints whose attributes a caller sees: in `scope`, and those that `login` has or took first."""

    scope: Scope = ALL_COMPLAINTS
    login: str | None = None


class TicketConditions:
    """Makes the conditions of one list. The words are those of severities, priorities and types of tickets."""

    def __init__(
        self,
        tx: Transaction,
        sight: TicketSight,
        *,
        severities: WordTable,
        priorities: WordTable,
        types: WordTable,
    ) -> None:
        self._on_sqlite = tx.connection.dialect.name == "sqlite"
        self._sight = sight
        self._severities, self._priorities, self._types = severities, priorities, types

    def make(self, comparison: TicketComparison) -> ColumnElement[bool]:
        """The condition of one comparison. Raises KeyError for a member that cannot be compared."""
        fits = _MEMBERS[comparison.member]
        if comparison.by is not CompareBy.NE:
            return fits(self, Comparing(self._on_sqlite, comparison.by, comparison.values))
        equal = fits(self, Comparing(self._on_sqlite, CompareBy.EQ, comparison.values))
        return func.coalesce(equal, false()).is_(false())

    # Plain members ---------------------------------------------------------------------------------------------

    def fit_id(self, asked: Comparing) -> ColumnElement[bool]:
        """The id of the complaint, as it is written."""
        if asked.by is CompareBy.EQ:
            known = [one for text in asked.texts() if (one := _read_id(text)) is not None]
            return c.id.in_(known) if known else false()
        return asked(self._id_text())

    def fit_name(self, asked: Comparing) -> ColumnElement[bool]:
        """The subject, or a kept name that is longer. A name without visible characters is not compared."""
        kept = self._kept_text("name")
        is_longer = (func.length(kept) > func.length(c.subject)) & (
            func.substr(kept, 1, func.length(c.subject)) == c.subject
        )
        return asked(case((is_longer & (func.length(c.subject) >= _LONGEST_SUBJECT), kept), else_=c.subject))

    def fit_description(self, asked: Comparing) -> ColumnElement[bool]:
        """The description, else the subject."""
        return asked(func.coalesce(c.description, c.subject))

    def fit_type(self, asked: Comparing) -> ColumnElement[bool]:
        """`@type`."""
        return asked(func.coalesce(self._kept_text("@type"), literal_column("'TroubleTicket'")))

    def fit_severity(self, asked: Comparing) -> ColumnElement[bool]:
        """The word for the severity."""
        kept, column, normal = self._kept_text("severity"), cast(c.severity, Text), Severity.NORMAL.value
        meant = func.coalesce(self._meaning(kept, self._severities), literal(normal, Text))
        shown = case((meant == column, kept), else_=_word_for(column, self._severities))
        possible = [self._severities.meaning_of(text) or normal for text in asked.texts()]
        return column.in_(possible) & asked(shown) if possible else asked(shown)

    def fit_priority(self, asked: Comparing) -> ColumnElement[bool]:
        """The word for the priority. A kept word without a meaning stands if nobody chose the priority."""
        kept = self._kept_text("priority")
        meant = self._meaning(kept, self._priorities)
        is_chosen = c.priority_given | c.priority_raised_by.is_not(None)
        says_same = or_(meant == _PRIORITY, meant.is_(null()) & ~is_chosen)
        shown = case((kept.is_not(None) & says_same, kept), else_=_word_for(_PRIORITY, self._priorities))
        possible = [self._priorities.meaning_of(text) for text in asked.texts()]
        # A word with a meaning shows at that priority alone: then no kept words of others are read.
        return _PRIORITY.in_(possible) & asked(shown) if possible and all(possible) else asked(shown)

    def fit_ticket_type(self, asked: Comparing) -> ColumnElement[bool]:
        """The kept type, unless it is the word for another category than the present one."""
        kept = self._kept_text("ticketType")
        meant = self._meaning(kept, self._types)
        if asked.by is CompareBy.EQ:
            return or_(*(self._has_type(text, kept, meant) for text in asked.texts()))
        says_same = or_(meant.is_(null()), meant == c.category)
        return asked(
            case(
                (kept.is_not(None) & says_same, kept),
                else_=func.coalesce(c.category, kept, literal_column(f"'{_UNTYPED}'")),
            )
        )

    def _has_type(
        self, text: str, kept: ColumnElement[Any], meant: ColumnElement[Any]
    ) -> ColumnElement[bool]:
        """The same for one text. The words of all categories are looked up for complaints of one category only."""
        code = self._types.meaning_of(text)
        stands = true() if code is None else or_(c.category.is_(None), c.category == code)
        ways = [
            and_(kept == text, stands),
            and_(c.category == text, or_(kept.is_(None), meant != c.category)),
        ]
        if text == _UNTYPED:
            ways.append(and_(c.category.is_(None), kept.is_(None)))
        return or_(*ways)

    def fit_specification(self, asked: Comparing) -> ColumnElement[bool]:
        """The code of the category, else the kept id of a specification."""
        if asked.by is CompareBy.EQ:
            kept = self._kept("troubleTicketSpecification", "id").scalar
            return or_(asked(c.category), c.category.is_(None) & asked(self._seen(kept)))
        kept = self._kept("troubleTicketSpecification", "id").scalar
        return asked(func.coalesce(c.category, self._seen(kept)))

    def fit_expected(self, asked: Comparing) -> ColumnElement[bool]:
        """The due time of the resolution in the present cycle."""
        due: Select[Any] = select(literal_column("1")).where(
            d.complaint_id == c.id,
            d.kind == DeadlineKind.RESOLUTION,
            d.cycle == c.cycle,
            asked(d.due_at),
        )
        return due.correlate(complaint).exists()

    # Lists -----------------------------------------------------------------------------------------------------

    def fit_identifier(self, asked: Comparing) -> ColumnElement[bool]:
        """The name of the ticket in any system."""
        known: Any = union_all(
            select(x.complaint_id).where(asked(x.external_id)), select(c.id).where(asked(c.external_id))
        )
        kept = any_element(self._kept("externalIdentifier"), lambda one: asked(one.at("id").scalar))
        return or_(c.id.in_(known), self._if_seen(self._may_hold(asked) & kept))

    def fit_owner(self, asked: Comparing) -> ColumnElement[bool]:
        """The system of an identifier."""
        known = select(x.complaint_id).where(asked(x.system))
        kept = any_element(
            self._kept("externalIdentifier"),
            lambda one: one.at("id").exists & asked(one.at("owner").scalar),
        )
        return or_(c.external_id.is_not(None) & asked(c.source), c.id.in_(known), self._if_seen(kept))

    def fit_party_role(self, asked: Comparing) -> ColumnElement[bool]:
        """The role of a related party. A kept party without id is a person of the complaint, and names its role."""
        parties = self._kept("relatedParty")

        def names_person(one: JsonValue) -> ColumnElement[bool]:
            return or_(*(_has_role(one, role) & self._has_person(name) for role, name in _PERSONS.items()))

        kept = any_element(
            parties, lambda one: asked(one.at("role").scalar) & or_(~_is_person(one), names_person(one))
        )

        def is_named(role: str) -> ColumnElement[bool]:
            return self._if_seen(any_element(parties, lambda one: _is_person(one) & _has_role(one, role)))

        own = [
            self._has_person(name) & ~is_named(role) for role, name in _PERSONS.items() if asked.holds(role)
        ]
        return or_(self._if_seen(kept), *own)

    def fit_party_id(self, asked: Comparing) -> ColumnElement[bool]:
        """The account of a person, the id that stands for a person without account, or the id of a kept party."""
        kept = any_element(
            self._kept("relatedParty"),
            lambda one: _is_object(one, _PARTY) & asked(one.at(_PARTY, "id").scalar),
        )
        return or_(
            c.id.in_(select(p.complaint_id).where(asked(p.account_no))),
            self._fit_made_id(asked),
            self._if_seen(kept),
        )

    def _fit_made_id(self, asked: Comparing) -> ColumnElement[bool]:
        """The id of a person without an account: that of the complaint and the role."""
        found = list[ColumnElement[bool]]()
        for role, name in _PERSONS.items():
            nameless = select(p.complaint_id).where(p.role == name, p.account_no.is_(None))
            if asked.by is CompareBy.EQ:
                ends = [text.removesuffix(f":{role}") for text in asked.texts() if text.endswith(f":{role}")]
                ids = [one for text in ends if (one := _read_id(text)) is not None]
                if ids:
                    found.append(c.id.in_(nameless.where(p.complaint_id.in_(ids))))
            else:
                made = self._id_text().op("||")(literal_column(f"':{role}'"))
                found.append(asked(made) & c.id.in_(nameless))
        return or_(false(), *found)

    def fit_party_name(self, asked: Comparing) -> ColumnElement[bool]:
        """The name of a person, or of a kept party."""
        kept = any_element(
            self._kept("relatedParty"),
            lambda one: one.at(_PARTY, "id").exists & asked(one.at(_PARTY, "name").scalar),
        )
        return or_(c.id.in_(select(p.complaint_id).where(asked(p.name))), self._if_seen(kept))

    def fit_attachment_name(self, asked: Comparing) -> ColumnElement[bool]:
        """The name of a file. The name of an internal file shows only where attributes do."""
        is_seen = or_(a.visibility != Visibility.INTERNAL, self._is_seen())
        return self._fit_attachment(asked(a.name) & is_seen, lambda one: asked(one.at("name").scalar))

    def fit_attachment_type(self, asked: Comparing) -> ColumnElement[bool]:
        """The media type of a file."""
        return self._fit_attachment(asked(a.media_type), lambda one: asked(one.at("mimeType").scalar))

    def fit_attachment_size(self, asked: Comparing) -> ColumnElement[bool]:
        """The size of a file, in the unit in which it is shown."""
        return self._fit_attachment(asked(a.size), lambda one: asked(one.at("size", "amount").number))

    def _fit_attachment(
        self, own: ColumnElement[bool], kept: Callable[[JsonValue], ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        files = select(a.complaint_id).where(own, a.erased_at.is_(None))
        return or_(c.id.in_(files), self._if_seen(any_element(self._kept("attachment"), kept)))

    def fit_characteristic_name(self, asked: Comparing) -> ColumnElement[bool]:
        """The name of a characteristic: of the complaint, of an attribute, or a kept one."""
        own: list[ColumnElement[bool]] = []
        own += [true() for name in ("complaintState", "complaintNumber") if asked.holds(name)]
        own += [c[name].is_not(None) for name in ("outcome", "root_cause") if asked.holds(name)]
        listed = self._kept("troubleTicketCharacteristic")
        return or_(
            *own,
            any_member(
                c.attributes,
                lambda name, _: name.not_in(_NO_ATTRIBUTES) & asked(name),
                on_sqlite=self._on_sqlite,
            ),
            any_element(listed, lambda one: one.at("value").exists & asked(one.at("name").scalar)),
        )

    def fit_characteristic_value(self, asked: Comparing) -> ColumnElement[bool]:
        """The value of a characteristic, if it is a text, a truth value or a whole number."""
        numbers = [one for text in asked.texts() if (one := _read_number(text)) is not None]
        listed = self._kept("troubleTicketCharacteristic")
        return or_(
            asked(cast(c.status, Text)),
            asked(cast(c.outcome, Text)),
            asked(c.root_cause),
            c.sequence.in_(numbers) if numbers else false(),
            any_member(
                c.attributes,
                lambda name, value: name.not_in(_NO_ATTRIBUTES) & asked(value.scalar),
                on_sqlite=self._on_sqlite,
            ),
            any_element(listed, lambda one: self._is_only_kept(one) & asked(one.at("value").scalar)),
        )

    def _is_only_kept(self, one: JsonValue) -> ColumnElement[bool]:
        """True if no attribute has the name of a kept characteristic."""
        name = one.at("name").scalar
        return ~any_member(c.attributes, lambda key, _: key == name, on_sqlite=self._on_sqlite)

    def fit_kept(self, *path: str) -> Callable[[Comparing], ColumnElement[bool]]:
        """A member that is kept as it was sent."""
        return lambda asked: asked(self._seen(self._kept(*path).scalar))

    def fit_entity(self, *path: str) -> Callable[[Comparing], ColumnElement[bool]]:
        """A member of a related entity."""
        return lambda asked: self._if_seen(
            any_element(self._kept("relatedEntity"), lambda one: asked(one.at(*path).scalar))
        )

    # Kept values -----------------------------------------------------------------------------------------------

    def _kept(self, *path: str) -> JsonValue:
        return json_at(c.attributes, (_KEPT, *path), on_sqlite=self._on_sqlite)

    def _kept_text(self, name: str) -> ColumnElement[Any]:
        return self._seen(self._kept(name).text)

    def _seen(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        return value if self._sight == TicketSight() else case((self._is_seen(), value))

    def _if_seen(self, fits: ColumnElement[bool]) -> ColumnElement[bool]:
        return fits if self._sight == TicketSight() else self._is_seen() & fits

    def _is_seen(self) -> ColumnElement[bool]:
        """True if the caller sees the attributes of the complaint."""
        in_scope = scope_condition(self._sight.scope, complaint)
        login = self._sight.login
        return in_scope if login is None else or_(in_scope, c.assignee == login, c.first_owner == login)

    def _meaning(self, kept: ColumnElement[Any], words: WordTable) -> ColumnElement[Any]:
        """What a kept word means: NULL for a word without a meaning, and if none is kept."""
        if self._on_sqlite:
            folded = func.lower(func.trim(kept, literal(_BLANKS)))
        else:
            folded = func.lower(func.btrim(kept, literal(_BLANKS)).collate("C"))
        for letter, plain in _FOLDED_LETTERS.items():
            folded = func.replace(folded, literal(letter, Text), literal(plain, Text))
        meant = _look_up(folded, words.folded)
        return case((kept.in_([*words.exact]), kept), else_=meant) if words.exact else meant

    def _may_hold(self, asked: Comparing) -> ColumnElement[bool]:
        """False for most complaints whose attributes cannot hold an asked text, without reading their JSON."""
        texts = asked.texts()
        if asked.by is not CompareBy.EQ or not all(text.isascii() and text.isalnum() for text in texts):
            return true()
        written = cast(c.attributes, Text)
        find = func.instr if self._on_sqlite else func.strpos
        return or_(*(find(written, literal(text, Text)) > literal_column("0") for text in texts))

    def _has_person(self, name: str) -> ColumnElement[bool]:
        found: Select[Any] = select(literal_column("1")).where(p.complaint_id == c.id, p.role == name)
        return found.correlate(complaint).exists()

    def _id_text(self) -> ColumnElement[Any]:
        if not self._on_sqlite:
            return cast(c.id, Text)
        text: ColumnElement[Any] = cast(c.id, Text)
        parts = [func.substr(text, start, length) for start, length in _ID_PARTS]
        joined: ColumnElement[Any] = parts[0]
        for part in parts[1:]:
            joined = joined.op("||")(literal_column("'-'")).op("||")(part)
        return joined


_PRIORITY = case(*((c.priority == one, literal_column(f"'{one.value}'", Text)) for one in Priority))
_UNTYPED = "complaint"
_ID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_LONGEST_SUBJECT = 500
_PERSONS = {"customer": COMPLAINANT, "reporter": REPORTER}
_NO_ATTRIBUTES = (
    _KEPT, "complaintState", "complaintNumber", "outcome", "root_cause", "contact_channel", "hold_until",
    "reject_reason",
)  # fmt: skip


def _look_up(found: ColumnElement[Any], words: Mapping[str, str]) -> ColumnElement[Any]:
    if not words:
        return null()
    return case(
        {word: literal(str(meaning), Text) for word, meaning in words.items()}, value=found, else_=null()
    )


def _word_for(column: ColumnElement[Any], words: WordTable) -> ColumnElement[Any]:
    return _look_up(column, words.shown)


def _is_object(one: JsonValue, name: str) -> ColumnElement[bool]:
    return func.coalesce(one.at(name).is_object, false())


def _is_person(one: JsonValue) -> ColumnElement[bool]:
    """True if a kept party is named by the person of its role."""
    return _is_object(one, _PARTY) & ~one.at(_PARTY, "id").exists


def _has_role(one: JsonValue, role: str) -> ColumnElement[bool]:
    return func.lower(one.at("role").scalar) == literal_column(f"'{role}'")


def _read_id(text: str) -> UUID | None:
    """The id that is written in the usual form."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def _read_number(text: str) -> int | None:
    """The number of a complaint that is written exactly like this."""
    sequence = sequence_of(text)
    return sequence if sequence is not None and number_of(sequence) == text else None


Fits = Callable[[TicketConditions, Comparing], ColumnElement[bool]]
_MEMBERS: Mapping[str, Fits] = {
    "id": TicketConditions.fit_id,
    "@type": TicketConditions.fit_type,
    "name": TicketConditions.fit_name,
    "description": TicketConditions.fit_description,
    "severity": TicketConditions.fit_severity,
    "priority": TicketConditions.fit_priority,
    "ticketType": TicketConditions.fit_ticket_type,
    "creationDate": lambda _, asked: asked(c.received_at),
    "lastUpdate": lambda _, asked: asked(c.updated_at),
    "resolutionDate": lambda _, asked: asked(c.resolved_at),
    "expectedResolutionDate": TicketConditions.fit_expected,
    "externalIdentifier.id": TicketConditions.fit_identifier,
    "externalIdentifier.owner": TicketConditions.fit_owner,
    "relatedParty.role": TicketConditions.fit_party_role,
    "relatedParty.partyOrPartyRole.id": TicketConditions.fit_party_id,
    "relatedParty.partyOrPartyRole.name": TicketConditions.fit_party_name,
    "attachment.name": TicketConditions.fit_attachment_name,
    "attachment.mimeType": TicketConditions.fit_attachment_type,
    "attachment.size.amount": TicketConditions.fit_attachment_size,
    "channel.id": lambda made, asked: made.fit_kept("channel", "id")(asked),
    "channel.name": lambda made, asked: made.fit_kept("channel", "name")(asked),
    "relatedEntity.role": lambda made, asked: made.fit_entity("role")(asked),
    "relatedEntity.entity.id": lambda made, asked: made.fit_entity("entity", "id")(asked),
    "relatedEntity.entity.name": lambda made, asked: made.fit_entity("entity", "name")(asked),
    "troubleTicketSpecification.id": TicketConditions.fit_specification,
    "troubleTicketCharacteristic.name": TicketConditions.fit_characteristic_name,
    "troubleTicketCharacteristic.value": TicketConditions.fit_characteristic_value,
}
