"""Which mails a complainant gets about which events (rule 10.9)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from complaints.domain.instants import read_instant, write_instant
from complaints.domain.vocabulary import ContactChannel, EventType, HoldReason
from complaints.features.notifications.complainants import tables
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.model import COMPLAINANT, Audience, MessageChannel, NewDelivery
from complaints.features.notifications.settings import NotificationSettings
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.service import Service, Transaction

_REMINDER_BEFORE = timedelta(days=1)  # the end of the hold
_SHORTEST_HOLD = timedelta(days=2)  # with a reminder
HELD_AT = "held_at"
"""The fact of a question that says when its hold began: a question about a former hold is moot."""


class ComplainantTopic(StrEnum):
    """What a mail to a complainant is about: the name of its texts."""

    ACKNOWLEDGEMENT = "acknowledgement"
    RESULT = "result"
    REJECTION = "rejection"
    QUESTION = "question"


def enqueue_for_complainants(
    service: Service, settings: NotificationSettings, tx: Transaction, events: Sequence[EventRecord]
) -> None:
    """Write the mails to complainants about these events."""
    if service.mail is None:
        return
    topics = {e.id: topic for e in events if (topic := _topic_of(settings, e)) is not None}
    told = [event for event in events if event.id in topics]
    correspondents = tables.find_correspondents(tx, {e.complaint_id for e in told if e.complaint_id})
    for event in told:
        correspondent = correspondents.get(event.complaint_id) if event.complaint_id else None
        if correspondent is None or (event.type == EventType.CREATED and correspondent.is_imported):
            continue
        for repetition, due_at in enumerate(_times_of(event, tx.now)):
            language = correspondent.language or settings.language
            new = _delivery(event, topics[event.id], language, due_at, repetition)
            enqueue(service, tx, new)


def _topic_of(settings: NotificationSettings, event: EventRecord) -> ComplainantTopic | None:
    by_mail = event.data.get("contact_channel") == ContactChannel.EMAIL
    if event.type == EventType.CREATED and settings.acknowledge:
        return ComplainantTopic.ACKNOWLEDGEMENT
    if event.type == EventType.RESULT_NOTIFIED and by_mail and settings.send_results:
        return ComplainantTopic.RESULT
    if event.type == EventType.REJECTED and by_mail and settings.send_results:
        return ComplainantTopic.REJECTION
    waits = event.type == EventType.HELD and event.data["reason"] == HoldReason.AWAITING_COMPLAINANT
    return ComplainantTopic.QUESTION if waits and settings.ask_complainants else None


def _times_of(event: EventRecord, now: datetime) -> Sequence[datetime]:
    """When the mails about an event are due: at once, and a reminder a day before a long hold ends."""
    if event.type != EventType.HELD:
        return [now]
    until = read_instant(event.data["until_at"])
    return [now, until - _REMINDER_BEFORE] if until - event.at >= _SHORTEST_HOLD else [now]


def _delivery(
    event: EventRecord, topic: ComplainantTopic, language: str, due_at: datetime, repetition: int
) -> NewDelivery:
    return NewDelivery(
        event_id=event.id,
        audience=Audience.COMPLAINANT,
        recipient=COMPLAINANT,
        template=topic,
        language=language[:35],
        channels=(MessageChannel.MAIL,),
        due_at=due_at,
        repetition=repetition,
        complaint_id=event.complaint_id,
        facts={HELD_AT: write_instant(event.at)} if topic is ComplainantTopic.QUESTION else {},
    )
