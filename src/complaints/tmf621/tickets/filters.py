"""The members of tickets by which a list can be filtered, and conditions on them as filters of the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from complaints.domain.vocabulary import Status
from complaints.tmf621.queries.matching import fits
from complaints.tmf621.queries.patterns import Pattern
from complaints.tmf621.queries.query import INSTANT, NUMBER, TEXT, Condition, Grammar, Member, Value
from complaints.tmf621.tickets.categories import CategoryWords
from complaints.tmf621.tickets.statuses import TicketStatus, ticket_status
from complaints.tmf621.tickets.words import (
    PRIORITY_MEANINGS,
    PRIORITY_WORDS,
    SEVERITY_MEANINGS,
    SEVERITY_WORDS,
)
from complaints.use_cases.access import Right
from complaints.use_cases.complaints.ticket_lists import (
    CompareBy,
    TicketComparison,
    TicketQuestion,
    WordTable,
    WordTables,
)

_SAME_IN_BOTH: Mapping[str, Member] = {
    "id": TEXT,
    "@type": TEXT,
    "name": TEXT,
    "description": TEXT,
    "severity": TEXT,
    "priority": TEXT,
    "ticketType": TEXT,
    "status": Member(words=tuple(TicketStatus)),
    "creationDate": INSTANT,
    "lastUpdate": INSTANT,
    "resolutionDate": INSTANT,
    "expectedResolutionDate": INSTANT,
    "relatedParty.role": TEXT,
    "channel.id": TEXT,
    "channel.name": TEXT,
    "attachment.name": TEXT,
    "attachment.mimeType": TEXT,
    "attachment.size": Member(NUMBER.kind, path="attachment.size.amount"),
    "attachment.size.amount": NUMBER,
    "relatedEntity.role": TEXT,
    "troubleTicketSpecification.id": TEXT,
    "troubleTicketCharacteristic.name": TEXT,
    "troubleTicketCharacteristic.value": TEXT,
}
_SORTS = ("creationDate", "lastUpdate", "priority", "severity", "status", "name", "id")
GRAMMAR = Grammar(
    {
        **_SAME_IN_BOTH,
        "externalIdentifier.id": TEXT,
        "externalIdentifier.owner": TEXT,
        "relatedParty.partyOrPartyRole.id": TEXT,
        "relatedParty.partyOrPartyRole.name": TEXT,
        "relatedEntity.entity.id": TEXT,
        "relatedEntity.entity.name": TEXT,
    },
    _SORTS,
)
GRAMMAR_V4 = Grammar(
    {
        **_SAME_IN_BOTH,
        "externalId": Member(path="externalIdentifier.id"),
        "relatedParty.id": Member(path="relatedParty.partyOrPartyRole.id"),
        "relatedParty.name": Member(path="relatedParty.partyOrPartyRole.name"),
        "relatedEntity.id": Member(path="relatedEntity.entity.id"),
        "relatedEntity.name": Member(path="relatedEntity.entity.name"),
    },
    has_cursors=False,
    has_filter=False,
)
"""The words of version 4. `externalId` finds a ticket by each of its external identifiers."""
_REVEALED_BY = {
    "relatedParty": frozenset({Right.SEE_PERSONS}),
    "troubleTicketCharacteristic": frozenset({Right.SEE_INTERNAL}),
}
NO_WORDS = WordTables(WordTable({}), WordTable({}), WordTable({}))
"""The words of a list without conditions."""
_ON_HOLD = (TicketStatus.PENDING, TicketStatus.HELD)


def question_of(conditions: Iterable[Condition]) -> TicketQuestion:
    """The question that conditions on shown tickets put to the database. Both find the same tickets."""
    conditions = tuple(conditions)
    on_status = [one for one in conditions if one.name == "status"]
    statuses, is_pending = _statuses(on_status) if on_status else (None, None)
    others = [one for one in conditions if one.name != "status"]
    return TicketQuestion(
        statuses=statuses,
        is_pending=is_pending,
        comparisons=tuple(_comparison(one) for one in others),
        reveals=frozenset().union(*(_REVEALED_BY.get(one.path[0], frozenset()) for one in others)),
    )


def word_tables(categories: CategoryWords) -> WordTables:
    """The words of severities, priorities and types, for the database."""
    return WordTables(
        severities=WordTable(SEVERITY_MEANINGS, {one.value: word for one, word in SEVERITY_WORDS.items()}),
        priorities=WordTable(PRIORITY_MEANINGS, {one.value: word for one, word in PRIORITY_WORDS.items()}),
        types=WordTable(categories.names, exact={code: code for code in categories.codes}),
    )


def _statuses(conditions: Sequence[Condition]) -> tuple[tuple[Status, ...], bool | None]:
    """The statuses of complaints whose tickets fit, and whether holds must wait for the complainant."""
    asked = {one for one in TicketStatus if fits({"status": one}, conditions)}
    held = asked.intersection(_ON_HOLD)
    others = [one for one in Status if one is not Status.ON_HOLD and ticket_status(one) in asked]
    if not held:
        return tuple(others), None
    is_pending = None if len(held) == len(_ON_HOLD) else TicketStatus.PENDING in held
    return (*others, Status.ON_HOLD), is_pending


def _comparison(condition: Condition) -> TicketComparison:
    is_pattern = any(isinstance(value, Pattern) for value in condition.values)
    by = CompareBy.LIKE if is_pattern else CompareBy(condition.operator)
    return TicketComparison(condition.name, by, tuple(map(_for_database, condition.values)))


def _for_database(value: Value) -> str | float | datetime:
    return value.like if isinstance(value, Pattern) else value
