"""The facts of one complaint beside its clocks: who, what, where, by which policy, and with which result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.console.locale import Locale
from complaints.console.views.explained_time import name_of_policy
from complaints.console.views.names import ShownNames
from complaints.domain.complaint.facts import Complaint, Person
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.policy import Policy
from complaints.use_cases.complaints.repeats import EarlierComplaint
from complaints.use_cases.complaints.views import ComplaintView, LinkView

_PERSON_TEXTS = ("name", "phone", "email", "account_no")
_ROLES = ("complainant", "reporter")
_REPLANNED_BY = "replanned_by"


@dataclass(frozen=True, slots=True)
class ComplaintFact:
    """A fact: `name` is the key of its label, and `text` its value in words."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person of a complaint. `role` is `complainant` or `reporter`."""

    role: str
    facts: Sequence[ComplaintFact]
    vulnerable: bool


@dataclass(frozen=True, slots=True)
class LinkFact:
    """Another complaint: how it belongs to this one, and its number."""

    words: str
    number: str


@dataclass(frozen=True, slots=True)
class ComplaintHead:
    """What stands above everything else. `reasons` say why it has its priority."""

    number: str
    subject: str
    description: str
    status: str
    priority: str
    priority_word: str
    reasons: str
    version: int
    cycle: int
    channel: str
    first_owner: str
    received_at: datetime


def head_of(complaint: Complaint, names: ShownNames) -> ComplaintHead:
    """The head of the page."""
    locale = names.locale
    reasons = [locale.word("priority_reason", one) for one in complaint.priority_reasons]
    return ComplaintHead(
        number=number_of(complaint.sequence),
        subject=names.text(complaint.subject),
        description=names.text(complaint.description),
        status=locale.word("status", complaint.status),
        priority=str(complaint.priority),
        priority_word=locale.word("priority", complaint.priority),
        reasons=", ".join(reasons),
        version=complaint.version,
        cycle=complaint.cycle,
        channel=locale.word("channel", complaint.channel),
        first_owner=names.user(complaint.first_owner),
        received_at=complaint.received_at,
    )


def persons_of(persons: Mapping[str, Person], names: ShownNames) -> list[PersonFacts]:
    """The complainant, then the reporter, with or without masks."""
    return [PersonFacts(role, list(_person(persons[role], names)), persons[role].vulnerable)
            for role in _ROLES if role in persons]  # fmt: skip


def _person(person: Person, names: ShownNames) -> Iterator[ComplaintFact]:
    for name in _PERSON_TEXTS:
        if value := getattr(person, name):
            yield ComplaintFact(name, value)
    if person.preferred_contact:
        yield ComplaintFact("preferred_contact", names.locale.word("channel", person.preferred_contact))
    if person.language:
        yield ComplaintFact("language", person.language)


def facts_of(view: ComplaintView, policy: Policy, names: ShownNames) -> list[ComplaintFact]:
    """The plain facts of a complaint. Facts without a value are left out."""
    return [fact for fact in _facts(view.complaint, policy, names) if fact.text]


def _facts(complaint: Complaint, policy: Policy, names: ShownNames) -> Iterator[ComplaintFact]:
    locale = names.locale
    yield ComplaintFact("team", names.team(complaint.team))
    yield ComplaintFact("assignee", names.user(complaint.assignee) or str(locale.texts.lists.nobody))
    yield ComplaintFact("first_owner", names.user(complaint.first_owner))
    yield ComplaintFact("category", names.category(complaint.category))
    yield ComplaintFact("cause", locale.word("cause", complaint.cause) if complaint.cause else "")
    yield ComplaintFact("nature", locale.word("nature", complaint.nature) if complaint.nature else "")
    yield ComplaintFact("severity", locale.word("severity", complaint.severity))
    yield ComplaintFact(
        "service", " · ".join(filter(None, (complaint.service_type, names.text(complaint.service_id))))
    )
    yield ComplaintFact("region", complaint.region or "")
    yield ComplaintFact("channel", locale.word("channel", complaint.channel))
    yield ComplaintFact("source", complaint.source)
    yield ComplaintFact("external_ids", names.pairs(complaint.ids_by_system))
    yield ComplaintFact("tags", names.value(complaint.tags))
    yield ComplaintFact("attributes", names.pairs(complaint.attributes))
    yield ComplaintFact("policy", name_of_policy(policy, locale))
    yield ComplaintFact("policy_chosen_by", _chosen_by(complaint.policy_chosen_by, names))


def _chosen_by(rule: Mapping[str, str], names: ShownNames) -> str:
    """The rule that chose the policy, or the user who did."""
    words = names.locale.texts.complaint
    if _REPLANNED_BY in rule:
        return str(words.chosen_by_user).format(name=names.actor(rule[_REPLANNED_BY]))
    said = (f"{names.locale.texts.members[name]} {value}" for name, value in rule.items())
    return ", ".join(said) or str(words.fits_every_complaint)


def result_of(complaint: Complaint, names: ShownNames) -> list[ComplaintFact]:
    """The decision, the solution and what was granted. Empty before there is a result."""
    if complaint.resolved_at is None:
        return []
    locale = names.locale
    granted = (complaint.compensation_amount, complaint.compensation_currency)
    told = complaint.result_told_at
    facts = [
        ComplaintFact("outcome", say_outcome(complaint, locale)),
        ComplaintFact("resolution", names.text(complaint.resolution)),
        ComplaintFact("root_cause", names.text(complaint.root_cause)),
        ComplaintFact("compensation", " ".join(str(one) for one in granted if one is not None)),
        ComplaintFact("resolved_at", locale.time(complaint.resolved_at)),
        ComplaintFact("told_at", locale.time(told) if told else str(locale.texts.complaint.not_told)),
    ]
    return [fact for fact in facts if fact.text]


def say_outcome(complaint: Complaint, locale: Locale) -> str:
    """The decision in words, and that it is assumed if nobody made it. Empty without a decision."""
    if complaint.outcome is None:
        return ""
    word = locale.word("outcome", complaint.outcome)
    return str(locale.texts.complaint.assumed).format(outcome=word) if complaint.outcome_assumed else word


def satisfaction_of(complaint: Complaint, names: ShownNames) -> list[ComplaintFact]:
    """What the last answered contact brought. Empty without one."""
    words = names.locale.texts.complaint
    facts = []
    if complaint.contact_outcome:
        facts.append(
            ComplaintFact("contact_outcome", names.locale.word("contact_outcome", complaint.contact_outcome))
        )
    if complaint.csat is not None:
        facts.append(ComplaintFact("csat", str(words.of_five).format(score=complaint.csat)))
    if complaint.nps is not None:
        facts.append(ComplaintFact("nps", str(words.of_ten).format(score=complaint.nps)))
    return facts


def links_of(links: Sequence[LinkView], links_to: Sequence[LinkView], names: ShownNames) -> list[LinkFact]:
    """The links from this complaint, then those to it."""
    locale = names.locale
    own = [LinkFact(locale.word("link_type", one.type), number_of(one.sequence)) for one in links]
    back = locale.texts.complaint.link_to
    return [*own, *(LinkFact(str(back[one.type]), number_of(one.sequence)) for one in links_to)]


def earlier_of(earlier: Sequence[EarlierComplaint | Complaint], names: ShownNames) -> list[LinkFact]:
    """The earlier complaints of the complainant, with their category and status."""
    return [
        LinkFact(
            " · ".join(filter(None, (names.category(one.category), names.locale.word("status", one.status)))),
            number_of(one.sequence),
        )
        for one in earlier
    ]
