"""Categories: made, changed, never deleted, since complaints name them."""

from dataclasses import asdict, replace

from complaints.domain.errors import Conflict, NotFound
from complaints.domain.policy.categories import Category, check_category
from complaints.storage.configuration import Catalogue
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.configuration import CreateCategory, PatchCategory
from complaints.use_cases.configuration.changing import changed, claim_to_change, renamed
from complaints.use_cases.service import Engine


def load_category(catalogue: Catalogue, code: str) -> Category:
    """The category. Raises NotFound."""
    if (found := catalogue.categories.get(code)) is None:
        raise NotFound(f"There is no category {code!r}.")
    return found


def create_category(engine: Engine, tx: Transaction, caller: Caller, command: CreateCategory) -> Category:
    """Make a category. Raises Conflict for a taken code, InvalidContent for what does not fit the tree."""
    catalogue = claim_to_change(engine, tx, caller)
    if command.code in catalogue.categories:
        raise Conflict(f"There is a category {command.code!r} already.")
    values = command.model_dump() | {
        "parent": command.parent or command.code.rpartition(".")[0] or None,
        "active": command.active is not False,
    }
    made = Category(**values)
    check_category(made, catalogue.categories, teams=_active_teams(catalogue))
    configuration.insert_row(tx, configuration.category, asdict(made))
    configuration.raise_version(tx)
    return made


def change_category(
    engine: Engine, tx: Transaction, caller: Caller, code: str, command: PatchCategory
) -> Category:
    """Change a category. Raises NotFound, and InvalidContent for what does not fit the tree."""
    catalogue = claim_to_change(engine, tx, caller)
    old = load_category(catalogue, code)
    values = changed(old, command, "cause", "nature", "team", "active")
    made = replace(old, **values, names=renamed(old.names, command.names))
    teams = _active_teams(catalogue)
    if old.team and not made.active:
        teams.add(old.team)  # the team of a category out of use may be out of use too
    check_category(made, catalogue.categories, teams=teams)
    configuration.update_row(tx, configuration.category, code, asdict(made))
    configuration.raise_version(tx)
    return made


def _active_teams(catalogue: Catalogue) -> set[str]:
    return {team.code for team in catalogue.directory.teams.values() if team.active}
