"""From deliveries to mails for complainants, as things stand when they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.api.problems.languages import Language
from complaints.api.problems.written_times import name_zone, write_time
from complaints.domain.complaint.facts import Complaint, Deadline
from complaints.domain.complaint.numbers import number_of
from complaints.domain.instants import write_instant
from complaints.domain.policy.policy import Policy
from complaints.domain.vocabulary import DeadlineKind, EventType, HoldReason
from complaints.features.notifications.complainants import tables
from complaints.features.notifications.complainants.planning import HELD_AT, ComplainantTopic
from complaints.features.notifications.complainants.wording import MailContent, words_in
from complaints.features.notifications.model import Message, MessageDelivery, MessageRefusal
from complaints.features.notifications.sending import Parcel
from complaints.features.notifications.texts import match_language
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints.history import find_last_text
from complaints.use_cases.complaints.known import load_known_complaint
from complaints.use_cases.complaints.page_token import make_page_token
from complaints.use_cases.complaints.signed_addresses import AddressPurpose, make_signed_address
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.service import Service, Transaction

_NO_ADDRESS = MessageRefusal("The complainant has no mail address any more.")
_TOLD_BY = {
    ComplainantTopic.RESULT: EventType.RESULT_NOTIFIED,
    ComplainantTopic.REJECTION: EventType.REJECTED,
}
_AT_INTAKE = (DeadlineKind.FIRST_RESPONSE, DeadlineKind.RESOLUTION)


def compose_for_complainants(
    service: Service, tx: Transaction, deliveries: Sequence[MessageDelivery]
) -> Sequence[Parcel]:
    """A mail for each delivery. One that the complainant does not need any more is moot."""
    return [_pack(service, tx, one) for one in deliveries]


def _pack(service: Service, tx: Transaction, delivery: MessageDelivery) -> Parcel:
    assert delivery.complaint_id is not None  # each mail to a complainant is about a complaint
    found = load_known_complaint(tx, SYSTEM, delivery.complaint_id).complaint
    view = view_one(service, tx, SYSTEM, found)
    person = view.persons.get("complainant")
    if person is None or person.email is None:
        return Parcel((delivery,), _NO_ADDRESS)
    content = _ComplainantMail.of(service, tx, delivery, view.complaint).content()
    if content is None:
        return Parcel((delivery,), None)
    return Parcel((delivery,), _message(service, tx, delivery, person.email, content))


def _message(
    service: Service, tx: Transaction, delivery: MessageDelivery, address: str, content: MailContent
) -> Message:
    assert delivery.complaint_id is not None
    mailbox = service.mail.reply_to if service.mail else None
    is_answer = delivery.template == ComplainantTopic.ACKNOWLEDGEMENT
    return Message(
        id=delivery.id,
        audience=delivery.audience,
        address=address,
        language=content.language,
        title=content.title,
        text=content.write("txt"),
        html=content.write("html"),
        reply_to=mailbox and make_signed_address(tx, mailbox, AddressPurpose.CONTACT, delivery.complaint_id),
        in_reply_to=tables.find_message_id(tx, delivery.complaint_id) if is_answer else None,
    )


@dataclass(frozen=True, slots=True)
class _ComplainantMail:
    """What the words of one mail are made of."""

    service: Service
    tx: Transaction
    delivery: MessageDelivery
    complaint: Complaint
    policy: Policy
    words: Mapping[str, Any]

    @classmethod
    def of(
        cls, service: Service, tx: Transaction, delivery: MessageDelivery, complaint: Complaint
    ) -> "_ComplainantMail":
        policy = service.configuration(tx).policy_of(complaint)
        return cls(service, tx, delivery, complaint, policy, words_in(delivery.language))

    def content(self) -> MailContent | None:
        """The mail; None: it makes no sense any more."""
        if self.topic is ComplainantTopic.ACKNOWLEDGEMENT:
            return self._acknowledgement()
        if self.topic is ComplainantTopic.QUESTION:
            return self._question()
        return self._decision()

    @property
    def topic(self) -> ComplainantTopic:
        return ComplainantTopic(self.delivery.template)

    def _acknowledgement(self) -> MailContent:
        text = self.policy.acknowledgement_for(self.delivery.language, number=self.number)
        unmet = [d for d in self.complaint.deadlines if d.unmet and d.kind in _AT_INTAKE]
        steps = [(self.words["acknowledgement"][d.kind], self._by(d)) for d in unmet]
        return self._mail((text,), steps=tuple(steps))

    def _question(self) -> MailContent | None:
        hold = self.complaint.current_hold
        if hold is None or hold.reason is not HoldReason.AWAITING_COMPLAINANT:
            return None
        held_at = write_instant(hold.started_at)
        if self.delivery.facts.get(HELD_AT, held_at) != held_at:
            return None  # a later hold, which has a question and a reminder of its own
        words = self.words["question"]
        until = words["until"].format(time=self._time(hold.until_at))
        first = (words["reminder"],) if self.delivery.repetition else ()
        return self._mail((*first, words["intro"], until), has_times=True)

    def _decision(self) -> MailContent | None:
        """The result or the rejection, in the words of the person who decided. None: they were erased."""
        words = self.words[self.topic]
        message = find_last_text(self.tx, self.complaint.id, _TOLD_BY[self.topic], "message")
        if message is None:
            return None
        follow_ups = [d for d in self.complaint.deadlines if d.unmet and d.kind == DeadlineKind.FOLLOW_UP]
        steps = [(words["follow_up"], self._by(d)) for d in follow_ups[:1]]
        return self._mail((words["intro"],), quote=message, steps=tuple(steps))

    @property
    def language(self) -> Language:
        """The language in which the mail is written."""
        return match_language(self.delivery.language)

    @property
    def number(self) -> str:
        return number_of(self.complaint.sequence)

    def _by(self, deadline: Deadline) -> str:
        by: str = self.words["common"]["by"].format(time=self._time(deadline.due_at))
        return by

    def _time(self, instant: datetime) -> str:
        return write_time(instant, self.policy.timezone, self.language).words

    def _way_to_answer(self) -> str:
        """By mail if the mailbox is read, or else on the page of the complaint, or not at all."""
        reads_mail = self.service.mail is not None and self.service.mail.reply_to is not None
        way = "reply" if reads_mail else "page_reply" if self.service.public_url else "no_reply"
        words: str = {**self.words["common"], **self.words[self.topic]}[way]
        return words

    def _mail(
        self,
        paragraphs: tuple[str, ...],
        *,
        quote: str | None = None,
        steps: tuple[tuple[str, str], ...] = (),
        has_times: bool = False,
    ) -> MailContent:
        common = self.words["common"]
        zone = name_zone(self.policy.timezone, self.language)
        url = self.service.public_url
        return MailContent(
            language=self.language,
            title=self.words[self.topic]["title"].format(number=self.number),
            paragraphs=paragraphs,
            quote=quote,
            steps=steps,
            link=f"{url}/c/{make_page_token(self.tx, self.complaint.id)}" if url else None,
            way_to_answer=self._way_to_answer(),
            footer=(
                *((common["times"].format(zone=zone),) if steps or has_times else ()),
                common["automatic"].format(number=self.number),
            ),
        )
