"""Use cases for specifications of trouble tickets. Each is a category, with members that only TMF621 knows.

A category without a row of its own is a specification too. A deleted specification is a retired category.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from complaints.domain.errors import Conflict, NotFound
from complaints.domain.policy.categories import Category, make_code, make_name
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows import ticket_specification as rows
from complaints.storage.rows.ticket_specification import SpecificationRow
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import CreateCategory, Names, NamesChange, PatchCategory
from complaints.use_cases.configuration.categories import CATEGORIES
from complaints.use_cases.configuration.changing import claim_to_change
from complaints.use_cases.service import Service

_Spans = Mapping[str, tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class TicketSpecification:
    """A category as a specification. `members` are those that callers sent, none for most categories.

    `is_in_use`: new complaints may have the category, because neither it nor its parent is retired. The instants
    are in UTC. None: nothing is on record about the making of the category.
    """

    category: Category
    is_in_use: bool
    members: Mapping[str, Any]
    created_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class SpecificationChange:
    """What a change makes of a specification. `names` and `is_in_use` are None where the category stays as it is."""

    members: Mapping[str, Any]
    names: Mapping[str, str] | None = None
    is_in_use: bool | None = None


PlanChange = Callable[[TicketSpecification], SpecificationChange | None]
"""Plans a change of a specification as it is now; None: nothing changes. It may refuse."""


def list_specifications(service: Service, tx: Transaction) -> list[TicketSpecification]:
    """Every specification, by the code of its category."""
    return list(_read_all(tx, service.cache.current(tx, certain=True)).values())


def load_specification(service: Service, tx: Transaction, code: str) -> TicketSpecification:
    """The specification of a category. Raises NotFound, also for a deleted one."""
    return _load(tx, service.cache.current(tx, certain=True), code)


def create_specification(
    service: Service,
    tx: Transaction,
    caller: Caller,
    name: str,
    *,
    is_active: bool,
    members: Mapping[str, Any],
) -> TicketSpecification:
    """Make a category with this name at the first level, and keep `members`. Raises Forbidden.

    A second specification with the same name gets a category of its own.
    """
    configuration = claim_to_change(service, tx, caller)
    code = make_code(name, configuration.categories)
    shown = make_name(name, code)
    command = CreateCategory(code=code, names=Names(en=shown, zh=shown), active=is_active)
    category = CATEGORIES.create(service, tx, caller, command)
    _save(tx, caller, code, SpecificationRow(members, False, tx.now, tx.now))
    return TicketSpecification(category, is_active, members, tx.now, tx.now)


def change_specification(
    service: Service, tx: Transaction, caller: Caller, code: str, plan: PlanChange
) -> TicketSpecification:
    """Change a specification and its category as `plan` says. Raises Forbidden, NotFound and the errors of `plan`.

    Raises Conflict if the category shall be used while its parent is retired, and the errors of a change of a category.
    """
    configuration = claim_to_change(service, tx, caller)
    known = _load(tx, configuration, code)
    change = plan(known)
    if change is None:
        return known
    category = _change_category(service, tx, caller, known, change)
    created_at = known.created_at or tx.now
    _save(tx, caller, code, SpecificationRow(change.members, False, created_at, tx.now))
    is_in_use = known.is_in_use if change.is_in_use is None else change.is_in_use
    return TicketSpecification(category, is_in_use, change.members, created_at, tx.now)


def delete_specification(service: Service, tx: Transaction, caller: Caller, code: str) -> None:
    """Retire the category, and show it as a specification no more. Raises Forbidden and NotFound."""
    configuration = claim_to_change(service, tx, caller)
    known = _load(tx, configuration, code)
    if known.category.active:
        CATEGORIES.change(service, tx, caller, code, PatchCategory(active=False))
    _save(tx, caller, code, SpecificationRow(known.members, True, known.created_at or tx.now, tx.now))


def _change_category(
    service: Service, tx: Transaction, caller: Caller, known: TicketSpecification, change: SpecificationChange
) -> Category:
    category = known.category
    active = None if change.is_in_use in (None, known.is_in_use) else change.is_in_use
    if active and category.active:
        raise Conflict(f"The category {category.parent!r} above it is retired: let that be used first.")
    if active is None and change.names is None:
        return category
    names = None if change.names is None else NamesChange(**change.names)
    return CATEGORIES.change(service, tx, caller, category.code, PatchCategory(names=names, active=active))


def _save(tx: Transaction, caller: Caller, code: str, row: SpecificationRow) -> None:
    rows.save_row(tx, code, row)
    audit_event.record_change(tx, caller.actor, AuditSubject.TICKET_SPECIFICATION, code)


def _load(tx: Transaction, configuration: Configuration, code: str) -> TicketSpecification:
    found = _read_all(tx, configuration).get(code)
    if found is None:
        raise NotFound(f"There is no trouble ticket specification {code!r}.")
    return found


def _read_all(tx: Transaction, configuration: Configuration) -> dict[str, TicketSpecification]:
    known, spans = rows.load_rows(tx), audit_event.find_spans(tx, AuditSubject.CATEGORY)
    return {
        code: _read(category, configuration, known.get(code), spans)
        for code, category in sorted(configuration.categories.items())
        if not ((row := known.get(code)) and row.is_deleted and not category.active)
    }


def _read(
    category: Category, configuration: Configuration, row: SpecificationRow | None, spans: _Spans
) -> TicketSpecification:
    parent = configuration.categories.get(category.parent) if category.parent else None
    first, last = spans.get(category.code, (None, None))
    return TicketSpecification(
        category=category,
        is_in_use=category.active and (parent is None or parent.active),
        members=row.members if row else {},
        created_at=row.created_at if row else first,
        updated_at=max((at for at in (last, row and row.updated_at) if at), default=None),
    )
