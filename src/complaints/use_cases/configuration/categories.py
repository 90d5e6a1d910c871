"""Categories: made, changed, never deleted, since complaints name them."""

from dataclasses import asdict, replace

from complaints.domain.errors import Conflict, NotFound
from complaints.domain.policy.categories import Category, check_category
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.changing import changed, claim_to_change, renamed
from complaints.use_cases.service import Service


def load_category(configuration: Configuration, code: str) -> Category:
    """The category. Raises NotFound."""
    if (found := configuration.categories.get(code)) is None:
        raise NotFound(f"There is no category {code!r}.")
    return found


def create_category(service: Service, tx: Transaction, caller: Caller, command: CreateCategory) -> Category:
    """Make a category. Raises Conflict for a taken code, InvalidContent for what does not fit the tree."""
    configuration = claim_to_change(service, tx, caller)
    if command.code in configuration.categories:
        raise Conflict(f"There is a category {command.code!r} already.")
    values = command.model_dump() | {
        "parent": command.parent or command.code.rpartition(".")[0] or None,
        "active": command.active is not False,
    }
    made = Category(**values)
    check_category(made, configuration.categories, teams=_active_teams(configuration))
    configuration_rows.insert_row(tx, configuration_rows.category, asdict(made))
    configuration_rows.raise_version(tx)
    return made


def change_category(
    service: Service, tx: Transaction, caller: Caller, code: str, command: PatchCategory
) -> Category:
    """Change a category. Raises NotFound, and InvalidContent for what does not fit the tree."""
    configuration = claim_to_change(service, tx, caller)
    old = load_category(configuration, code)
    values = changed(old, command, "cause", "nature", "team", "active")
    made = replace(old, **values, names=renamed(old.names, command.names))
    teams = _active_teams(configuration)
    if old.team and not made.active:
        teams.add(old.team)  # the team of a category out of use may be out of use too
    check_category(made, configuration.categories, teams=teams)
    configuration_rows.update_row(tx, configuration_rows.category, code, asdict(made))
    configuration_rows.raise_version(tx)
    return made


def _active_teams(configuration: Configuration) -> set[str]:
    return {team.code for team in configuration.directory.teams.values() if team.active}
