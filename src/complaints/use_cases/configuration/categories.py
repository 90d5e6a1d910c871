"""Use cases for categories: the rules for creating and changing one."""

from dataclasses import replace

from complaints.domain.policy.categories import Category, check_category
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event, ticket_specification
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.changing import merge_names, pick_changes
from complaints.use_cases.configuration.reference_data import ReferenceKind


def _plan_new(tx: Transaction, configuration: Configuration, command: CreateCategory) -> Category:
    """Raises InvalidContent if the category does not fit the tree."""
    values = command.model_dump() | {
        "parent": command.parent or command.code.rpartition(".")[0] or None,
        "active": command.active is not False,
    }
    category = Category(**values)
    check_category(category, configuration.categories, teams=_active_teams(configuration))
    return category


def _plan_change(
    tx: Transaction, configuration: Configuration, old: Category, command: PatchCategory
) -> Category:
    """Raises InvalidContent if the category no longer fits the tree."""
    values = pick_changes(old, command, "cause", "nature", "team", "active")
    category = replace(old, **values, names=merge_names(old.names, command.names))
    teams = _active_teams(configuration)
    if old.team and not category.active:
        teams.add(old.team)  # an inactive category may keep an inactive team
    check_category(category, configuration.categories, teams=teams)
    return category


def _restore_specification(tx: Transaction, caller: Caller, old: Category | None, category: Category) -> None:
    """A retired category that is used again is a trouble ticket specification again, if it was deleted as such."""
    if old is None or old.active or not category.active:
        return
    if ticket_specification.restore_row(tx, category.code):
        audit_event.record_change(tx, caller.actor, AuditSubject.TICKET_SPECIFICATION, category.code)


def _active_teams(configuration: Configuration) -> set[str]:
    return {team.code for team in configuration.directory.teams.values() if team.active}


CATEGORIES: ReferenceKind[Category, CreateCategory, PatchCategory] = ReferenceKind(
    noun="category",
    plural="categories",
    key="code",
    table=configuration_rows.category,
    subject=AuditSubject.CATEGORY,
    items=lambda configuration: configuration.categories,
    plan_new=_plan_new,
    plan_change=_plan_change,
    before_write=_restore_specification,
)
