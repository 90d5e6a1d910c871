"""Read the content of a page, add a contact, and make the link."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import NotFound
from complaints.domain.vocabulary import Channel, DeadlineKind, EventType, Status
from complaints.features.complainant_page import rules
from complaints.features.complainant_page.rules import PageContent
from complaints.use_cases.access import SYSTEM, Caller, Right
from complaints.use_cases.accounts import throttle
from complaints.use_cases.complaints.history import find_last_text
from complaints.use_cases.complaints.intake import ContactWords, IntakeResult, add_contact
from complaints.use_cases.complaints.known import load_known_complaint, load_known_id
from complaints.use_cases.complaints.page_token import find_complaint_of_token, make_page_token
from complaints.use_cases.complaints.promises import list_promises
from complaints.use_cases.complaints.views import ComplaintView, view_one
from complaints.use_cases.service import Service, Transaction

PATH = "/c"
_RESULT, _REJECTED = EventType.RESULT_NOTIFIED, EventType.REJECTED


@dataclass(frozen=True, slots=True)
class LoadedPage:
    """The content of a page, and the language of the complainant, if it is known (a BCP 47 tag)."""

    content: PageContent
    language: str | None


@dataclass(frozen=True, slots=True)
class PageLink:
    """The path of a page, and its address. `url` is None if the public address of the service is not known."""

    path: str
    url: str | None


def load_page(service: Service, tx: Transaction, token: str) -> LoadedPage:
    """The page that a token names. Raises NotFound."""
    named = load_known_complaint(tx, SYSTEM, _load_id(tx, token)).complaint
    shown = view_one(service, tx, SYSTEM, _find_survivor(tx, named))
    person = shown.persons.get("complainant")
    return LoadedPage(_content_of(service, tx, named, shown), person.language if person else None)


def _load_id(tx: Transaction, token: str) -> UUID:
    complaint_id = find_complaint_of_token(tx, token)
    if complaint_id is None:
        raise NotFound("There is no page at this address.")
    return complaint_id


def _find_survivor(tx: Transaction, complaint: Complaint) -> Complaint:
    while complaint.merged_into is not None:
        complaint = load_known_complaint(tx, SYSTEM, complaint.merged_into).complaint
    return complaint


def _content_of(service: Service, tx: Transaction, named: Complaint, shown: ComplaintView) -> PageContent:
    complaint, context = shown.complaint, service.context(tx, shown.complaint, SYSTEM)
    policy = context.policy
    effect = rules.find_effect(complaint, context)
    is_reopened = effect is rules.ContactEffect.REOPENS
    is_rejected = complaint.status is Status.REJECTED
    return PageContent(
        number=number_of(named.sequence),
        merged_into=number_of(complaint.sequence) if complaint is not named and named.merged_into else None,
        situation=rules.name_situation(complaint),
        received_at=named.received_at,
        ended_at=complaint.ended_at,
        steps=rules.list_steps(complaint, _find_promises(tx, complaint), tx.now),
        result=rules.result_of(complaint, partial(find_last_text, tx, complaint.id, _RESULT, "message")),
        refusal=find_last_text(tx, complaint.id, _REJECTED, "message") if is_rejected else None,
        is_erased=rules.is_erased(complaint) or rules.is_erased(named),
        effect=effect,
        until=rules.find_reopen_end(complaint, policy) if is_reopened else None,
        zone=policy.timezone,
    )


def _find_promises(tx: Transaction, complaint: Complaint) -> dict[UUID, str]:
    """The texts of open promises by their deadline. Most complaints have none, so nothing is read for them."""
    if not any(d.unmet and d.kind == DeadlineKind.PROMISE for d in complaint.deadlines):
        return {}
    return {d.id: one.text for d, one in list_promises(tx, SYSTEM, str(complaint.id)) if d.unmet}


def add_message(
    service: Service, tx: Transaction, token: str, text: str, *, address: str, now: datetime
) -> IntakeResult:
    """Add the words of the complainant to the complaint of a token. `now` is the wall clock.

    Raises NotFound, and TooManyFailures if the complaint, or the address, had too many messages.
    """
    complaint_id = _load_id(tx, token)
    counters = throttle.counters_of_contact(complaint_id, address=address)
    throttle.admit(tx, counters, now)
    added = add_contact(service, tx, complaint_id, ContactWords(Channel.WEB, text))
    throttle.count_try(tx, counters, now)
    return added


def link_of(service: Service, tx: Transaction, complaint_id: UUID) -> PageLink:
    """The link to the page of a complaint."""
    path = f"{PATH}/{make_page_token(tx, complaint_id)}"
    return PageLink(path, service.public_url + path if service.public_url else None)


def find_link(service: Service, tx: Transaction, caller: Caller, reference: str) -> PageLink:
    """The link to the page of a complaint, for a caller who may add contacts to it. Raises Forbidden, NotFound."""
    caller.require(Right.CONTRIBUTE)
    return link_of(service, tx, load_known_id(tx, caller, reference, Right.CONTRIBUTE))
