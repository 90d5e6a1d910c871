"""Applies a file of people: everything in one transaction, and then the users who leave, in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from complaints.domain.errors import Conflict
from complaints.domain.staff import Department, Team, User
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.configuration import PatchUser
from complaints.use_cases.complaints import leaving
from complaints.use_cases.configuration.changing import claim_to_change
from complaints.use_cases.people.document import Item, PeopleFile
from complaints.use_cases.people.planning import PeoplePlan, PeopleStep, plan_people
from complaints.use_cases.service import Service


def preview_people(service: Service, caller: Caller, people: PeopleFile) -> PeoplePlan:
    """The plan for `people` now. Raises Forbidden, and InvalidContent as `plan_people` does."""
    caller.require(Right.CONFIGURE)
    return service.read(lambda tx: plan_people(tx, service.cache.current(tx, certain=True), people))


def apply_people(service: Service, caller: Caller, people: PeopleFile, shown: PeoplePlan) -> None:
    """Make the people as the file has them, if the plan is still the one that was `shown`.

    All of it is written, or nothing. Then each user who leaves is deactivated, one after the other, and hands over in
    batches. If that ends early, the loops of the server finish the users who are deactivated. The others are still
    active: apply the file again. Raises Conflict if the plan is another one by now.
    """

    def work(tx: Transaction) -> None:
        plan = plan_people(tx, claim_to_change(service, tx, caller), people)
        if plan != shown:
            raise Conflict(
                "The people changed after the plan was shown. Nothing was applied: look at it again."
            )
        _write(tx, caller, [_without_leaving(step) for step in plan.steps])

    service.configure(work)
    for step in shown.steps:
        if step.leaves:
            change_user(service, caller, step.key, PatchUser(active=False, successor=step.successor))


def write_people(service: Service, tx: Transaction, caller: Caller, people: PeopleFile) -> None:
    """Make the people as the file has them, in the given transaction. Nobody may leave by it.

    Raises Forbidden, and InvalidContent as `plan_people` does.
    """
    _write(tx, caller, plan_people(tx, claim_to_change(service, tx, caller), people).steps)


def change_user(service: Service, caller: Caller, login: str, command: PatchUser) -> User:
    """Change a user. One who leaves then hands over in batches (rule 1.7). Raises as `leaving.change_user` does."""
    user = service.configure(lambda tx: leaving.change_user(service, tx, caller, login, command))
    if command.active is False:
        leaving.hand_over_all(service, login)
    return user


def _without_leaving(step: PeopleStep) -> PeopleStep:
    if step.leaves and isinstance(step.new, User):
        return replace(step, new=replace(step.new, active=True))
    return step


def _write(tx: Transaction, caller: Caller, steps: Sequence[PeopleStep]) -> None:
    """Write the rows so that each refers only to rows that are there, and record each change once."""
    changed = [step for step in steps if step.old != step.new]
    if not changed:
        return
    for step in _in_order(changed):
        step.section.kind.save(tx, caller, step.old, step.new)
    for step in changed:
        audit_event.record_change(tx, caller.actor, step.section.kind.subject, step.key)
    configuration_rows.raise_version(tx)


def _in_order(steps: Sequence[PeopleStep]) -> Iterator[PeopleStep]:
    """New users without their deputies, new departments, new teams, changes; last the deputies of new users."""
    new = [step for step in steps if step.old is None]
    users = [(step, replace(step.new, deputy=None)) for step in new if isinstance(step.new, User)]
    for step, alone in users:
        yield replace(step, new=alone)
    yield from _parents_first([step for step in new if isinstance(step.new, Department)])
    yield from (step for step in new if isinstance(step.new, Team))
    yield from (step for step in steps if step.old is not None)
    for step, alone in users:
        if alone != step.new:
            yield replace(step, old=alone)


def _parents_first(steps: Sequence[PeopleStep]) -> Iterator[PeopleStep]:
    left = {step.key: step for step in steps}
    while left:
        for step in [step for step in left.values() if _parent(step.new) not in left]:
            yield left.pop(step.key)


def _parent(item: Item) -> str | None:
    return item.parent if isinstance(item, Department) else None
