"""An event of the history in words: its title, what it is about, and what somebody wrote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.console.views.inbox_rows import describe_step
from complaints.console.views.names import ShownNames
from complaints.domain.complaint.members import PLAIN_MEMBERS
from complaints.domain.complaint.texts import ERASED
from complaints.domain.rules.actions import MANUAL_STEP
from complaints.domain.rules.contacts import CONTACT_STEP
from complaints.domain.vocabulary import EventType, LinkType
from complaints.use_cases.complaints.history import EventRecord

_Data = Mapping[str, Any]
_BEGINNINGS = frozenset({EventType.CREATED, EventType.IMPORTED_ENDED})
_QUOTED = ("message", "text", "note", "reason", "subject", "description")
_STORY = ("subject", "description")
"""Changes that are texts. The head of the page has those of a new complaint."""
_RESULTS = ("resolution", "root_cause")
_CODED_REASONS = frozenset({EventType.HELD, EventType.UPDATED})
"""Events whose reason is no text that somebody wrote."""
_WORDS_OF_CHANGES = {
    "priority": "priority",
    "severity": "severity",
    "cause": "cause",
    "nature": "nature",
    "outcome": "outcome",
    "channel": "channel",
}
_PLAIN_PATHS = {member.name: member.path for member in PLAIN_MEMBERS}
"""The names of the plain members in the API, by which their labels are found."""
_PLAIN_CHANGES = frozenset({*_PLAIN_PATHS, "external_ids"}) - {*_STORY}
_STEPS_WITHOUT_LADDER = (MANUAL_STEP, CONTACT_STEP)
_PEOPLE = ("assignee", "first_owner")


@dataclass(frozen=True, slots=True)
class QuotedText:
    """A text that somebody wrote. `label` says what it is. `text` is None if it was erased."""

    label: str
    text: str | None


@dataclass(frozen=True, slots=True)
class EventWords:
    """Says events in the language of the reader. `numbers` are those of linked complaints by id as text.

    `deadlines` are the names of the deadlines by id as text.
    """

    names: ShownNames
    numbers: Mapping[str, str]
    deadlines: Mapping[str, str]
    now: datetime

    def title(self, record: EventRecord) -> str:
        """What happened. An unknown type of event stays as it is."""
        titles = self.names.locale.texts.events.type
        return str(titles[record.type]) if record.type in titles else record.type

    def about(self, record: EventRecord) -> list[str]:
        """Short facts: by which channel, which deadline, to whom, until when, what changed."""
        data = record.data
        return [
            *self._told(record, data),
            *self._marked(record, data),
            *self._filed(data),
            *self._stepped(data),
            *self._timed(record, data),
            *self._ruled(data),
            *self._changed(record, data),
        ]

    def texts(self, record: EventRecord) -> list[QuotedText]:
        """What somebody wrote, in the order in which a person reads it."""
        data, changes = record.data, record.data.get("changes", {})
        names = [name for name in _QUOTED if name != "reason" or record.type not in _CODED_REASONS]
        found = [(name, data[name]) for name in names if isinstance(data.get(name), str)]
        changed = _RESULTS if record.type in _BEGINNINGS else (*_STORY, *_RESULTS)
        found += [(name, changes[name]) for name in changed if isinstance(changes.get(name), str)]
        labels = self.names.locale.texts.events.text
        return [QuotedText(str(labels[name]), None if text == ERASED else text) for name, text in found]

    def others(self, record: EventRecord) -> list[tuple[str, str]]:
        """The other complaints of an event: how each belongs to it, and its number or id."""
        data, found = record.data, []
        words = self.names.locale.texts.events.other
        for name in ("complaint_id", "into", "moved_from", "merged_id"):
            if isinstance(other := data.get(name), str):
                word = str(data["type"]) if name == "complaint_id" and "type" in data else name
                is_link = word in list(LinkType)
                said = self.names.locale.word("link_type", word) if is_link else str(words[word])
                found.append((said, self.numbers.get(other, other)))
        return found

    def _told(self, record: EventRecord, data: _Data) -> Iterator[str]:
        """What a contact brought, and how it was made."""
        locale, words = self.names.locale, self.names.locale.texts.events.about
        channel = data.get("contact_channel") or data.get("channel")
        if record.type in _BEGINNINGS:
            channel = data.get("changes", {}).get("channel")
        if channel:
            yield locale.word("channel", channel)
        if data.get("outcome"):
            yield locale.word("contact_outcome", data["outcome"])
        for name in ("csat", "nps"):
            if data.get(name) is not None:
                yield str(words[name]).format(score=data[name])

    def _marked(self, record: EventRecord, data: _Data) -> Iterator[str]:
        """The reason of a hold, who chose an assignee, and the marks that an event may have."""
        words = self.names.locale.texts.events.about
        if record.type == EventType.HELD:
            yield self.names.locale.word("hold_reason", data["reason"])
        yield from (str(words[name]) for name in ("early", "taken_back") if data.get(name))
        if data.get("by"):
            yield str(words.by[data["by"]])
        if data.get("left"):
            yield str(words.left).format(name=self.names.user(data["left"]))
        if data.get("external_ids"):
            yield self.names.pairs(data["external_ids"])

    def _filed(self, data: _Data) -> Iterator[str]:
        """The name of a file, for whom it or a note is, and what the scanner found."""
        words = self.names.locale.texts.events.about
        if name := data.get("file_name"):
            yield str(words.erased) if name == ERASED else name
        if data.get("visibility"):
            yield self.names.locale.word("visibility", data["visibility"])
        if data.get("finding"):
            yield data["finding"]

    def _stepped(self, data: _Data) -> Iterator[str]:
        """Which deadline, which step of its ladder, and to whom."""
        words = self.names.locale.texts.events.about
        named = self.deadlines.get(str(data.get("deadline_id")), "")
        if named or data.get("kind"):
            yield named or self.names.kind(data["kind"])
        if data.get("step") and data["step"] not in _STEPS_WITHOUT_LADDER:
            locale = self.names.locale
            yield describe_step(data["step"], locale, due=locale.texts.clock.step.at_due)
        if data.get("level"):
            yield str(words.level).format(level=data["level"])
        yield from (str(words[name]) for name in ("late", "superseded") if data.get(name))
        if data.get("recipients") and not data.get("superseded"):
            yield str(words.to).format(names=self.names.users(data["recipients"]))

    def _timed(self, record: EventRecord, data: _Data) -> Iterator[str]:
        """Until when, for when, and which attempt was planned."""
        words = self.names.locale.texts.events.about
        if until := data.get("until_at") or data.get("pause_ended_at"):
            yield str(words.until).format(time=self._time(until))
        planned = data.get("deadlines", ())
        if record.type == EventType.PROMISE_MADE and planned:
            yield str(words.promised_for).format(time=self._time(planned[0]["due_at"]))
        attempt = max((one.get("attempt", 1) for one in planned), default=1)
        if record.type == EventType.UPDATED and attempt > 1:
            yield str(words.attempt).format(number=attempt)

    def _ruled(self, data: _Data) -> Iterator[str]:
        """The policy before and after, and the policy that would fit now."""
        words = self.names.locale.texts.events.about
        if data.get("policy_after"):
            yield str(words.policy).format(before=data.get("policy_before"), after=data["policy_after"])
        if data.get("other_policy"):
            yield str(words.other_policy).format(policy=data["other_policy"])

    def _changed(self, record: EventRecord, data: _Data) -> Iterator[str]:
        """The members that changed. Of a new complaint only its priority: the facts beside the history say the rest."""
        changes, labels = data.get("changes", {}), self.names.locale.texts.members
        is_new = record.type in _BEGINNINGS
        for name, value in changes.items():
            if is_new and name != "priority":
                continue
            if (said := self._value(name, value)) is not None:
                is_assumed = name == "outcome" and changes.get("outcome_assumed")
                assumed = str(self.names.locale.texts.complaint.assumed)
                yield f"{labels[_PLAIN_PATHS.get(name, name)]}: {assumed.format(outcome=said) if is_assumed else said}"
        if changes.get("compensation_amount"):
            yield f"{labels.compensation}: {changes['compensation_amount']} {changes.get('compensation_currency', '')}"
        for role, changed in (data.get("persons") or {}).items():
            yield f"{labels[role]}: {', '.join(str(labels[name]) for name in changed)}"

    def _value(self, name: str, value: Any) -> str | None:
        """A new value in words; None if the history does not say it."""
        nothing = str(self.names.locale.texts.events.about.nothing)
        if name in _WORDS_OF_CHANGES:
            return self.names.locale.word(_WORDS_OF_CHANGES[name], value) if value else None
        if name in _PEOPLE:
            return self.names.user(value) or nothing
        if name == "team":
            return self.names.team(value)
        if name == "category":
            return self.names.category(value) or nothing
        if name in _PLAIN_CHANGES:
            said = self.names.pairs(value) if isinstance(value, Mapping) else self.names.value(value)
            return said or nothing
        return None

    def _time(self, text: str) -> str:
        return self.names.locale.moment(datetime.fromisoformat(text), self.now)
