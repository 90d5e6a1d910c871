"""Specifications of trouble tickets are categories, in the audit log and under the rules of categories."""

from typing import Any

import pytest

from complaints.domain.errors import Conflict, Forbidden, InvalidContent, NotFound
from complaints.domain.vocabulary import AccessRole, AuditSubject
from complaints.storage.rows import audit_event
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.configuration import (
    CreateCategory,
    CreateTeam,
    Names,
    PatchCategory,
    PatchTeam,
)
from complaints.use_cases.configuration import ticket_specifications as use_cases
from complaints.use_cases.configuration.categories import CATEGORIES
from complaints.use_cases.configuration.staff import TEAMS
from complaints.use_cases.configuration.ticket_specifications import SpecificationChange, TicketSpecification
from complaints.use_cases.service import Service
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
MEMBERS = {"name": "Bill Dispute", "description": "About bills", "version": "1"}
AGENT = Caller("agent", frozenset({AccessRole.AGENT}), "test")


def create(service: Service, name: str = "Bill Dispute", *, is_active: bool = True) -> TicketSpecification:
    return service.configure(
        lambda tx: use_cases.create_specification(
            service, tx, SYSTEM, name, is_active=is_active, members={**MEMBERS, "name": name}
        )
    )


def change(service: Service, code: str, **changed: Any) -> TicketSpecification:
    def plan(known: TicketSpecification) -> SpecificationChange:
        return SpecificationChange(**{"members": known.members, **changed})

    return service.configure(lambda tx: use_cases.change_specification(service, tx, SYSTEM, code, plan))


def delete(service: Service, code: str) -> None:
    service.configure(lambda tx: use_cases.delete_specification(service, tx, SYSTEM, code))


def load(service: Service, code: str) -> TicketSpecification:
    return service.read(lambda tx: use_cases.load_specification(service, tx, code))


def set_active(service: Service, code: str, active: bool) -> None:
    service.configure(lambda tx: CATEGORIES.change(service, tx, SYSTEM, code, PatchCategory(active=active)))


def test_a_specification_is_a_category_and_its_members(service: Service) -> None:
    made = create(service)
    assert made == load(service, "bill_dispute")
    assert (made.category.names, made.category.active) == ({"en": "Bill Dispute", "zh": "Bill Dispute"}, True)
    assert made.members == MEMBERS
    assert create(service).category.code == "bill_dispute_2"
    assert not create(service, "Old one", is_active=False).is_in_use


def test_every_category_is_a_specification(service: Service) -> None:
    listed = service.read(lambda tx: use_cases.list_specifications(service, tx))
    categories = service.read(lambda tx: service.configuration(tx).categories)
    assert [one.category for one in listed] == [categories[code] for code in sorted(categories)]
    assert {(one.created_at, one.updated_at) for one in listed} == {(listed[0].created_at,) * 2}
    assert all(one.created_at and not one.members for one in listed)


def test_the_audit_log_has_every_write(service: Service, scenario: Scenario) -> None:
    create(service)
    scenario.jump(hours=1)
    change(service, "bill_dispute", members={**MEMBERS, "version": "2"})
    delete(service, "bill_dispute")
    wanted = audit_event.AuditFilter(AuditSubject.TICKET_SPECIFICATION, "bill_dispute")
    events = service.read(lambda tx: audit_event.list_events(tx, wanted, before=None, limit=9))
    assert [(one.action, one.changed) for one in reversed(events)] == [
        ("created", ["category", "created_at", "is_deleted", "members", "updated_at"]),
        ("changed", ["members", "updated_at"]),
        ("changed", ["is_deleted"]),
    ]
    assert events[0].state["members"] == {**MEMBERS, "version": "2"}


def test_a_change_in_either_place_moves_the_last_update(service: Service, scenario: Scenario) -> None:
    begun = create(service).created_at
    scenario.jump(hours=1)
    set_active(service, "bill_dispute", False)
    assert (load(service, "bill_dispute").created_at, load(service, "bill_dispute").updated_at) == (
        begun,
        scenario.now(),
    )
    scenario.jump(hours=1)
    seeded = load(service, "billing").created_at
    changed = change(service, "billing", members=MEMBERS)
    assert (changed.created_at, changed.updated_at) == (seeded, scenario.now())
    assert load(service, "billing") == changed


def test_a_deleted_specification_is_a_retired_category(service: Service) -> None:
    create(service)
    delete(service, "bill_dispute")
    for work in (load, delete, change):
        with pytest.raises(NotFound):
            work(service, "bill_dispute")
    assert "bill_dispute" not in {
        one.category.code for one in service.read(lambda tx: use_cases.list_specifications(service, tx))
    }
    category = service.read(lambda tx: service.configuration(tx).categories["bill_dispute"])
    assert not category.active


def test_a_category_that_is_used_again_is_a_specification_again(service: Service) -> None:
    create(service)
    delete(service, "bill_dispute")
    set_active(service, "bill_dispute", True)
    assert load(service, "bill_dispute").members == MEMBERS
    set_active(service, "bill_dispute", False)
    assert not load(service, "bill_dispute").is_in_use


def test_a_retired_parent_retires_its_specifications(service: Service) -> None:
    code, parent = "billing.wrong_charge", "billing"
    change(service, parent, is_in_use=False)
    assert not load(service, code).is_in_use
    assert load(service, code).category.active
    with pytest.raises(Conflict, match="'billing' above it is retired"):
        change(service, code, is_in_use=True)
    assert not change(service, code, is_in_use=False).is_in_use
    change(service, parent, is_in_use=True)
    assert load(service, code).is_in_use


def test_the_rules_of_categories_hold(service: Service) -> None:
    def prepare(tx: Any) -> None:
        names = Names(en="a", zh="b")
        TEAMS.create(
            service, tx, SYSTEM, CreateTeam(code="short_lived", names=names, department="head_office")
        )
        CATEGORIES.create(service, tx, SYSTEM, CreateCategory(code="own", names=names, team="short_lived"))

    service.configure(prepare)
    change(service, "own", is_in_use=False, members=MEMBERS)
    service.configure(lambda tx: TEAMS.change(service, tx, SYSTEM, "short_lived", PatchTeam(active=False)))
    with pytest.raises(InvalidContent, match="no team 'short_lived'"):
        change(service, "own", is_in_use=True, members={})
    assert load(service, "own").members == MEMBERS


def test_writes_need_the_right_to_configure(service: Service) -> None:
    def refused(work: Any) -> None:
        with pytest.raises(Forbidden):
            service.configure(work)

    refused(lambda tx: use_cases.create_specification(service, tx, AGENT, "a", is_active=True, members={}))
    refused(lambda tx: use_cases.change_specification(service, tx, AGENT, "billing", lambda _: None))
    refused(lambda tx: use_cases.delete_specification(service, tx, AGENT, "billing"))
