"""The use cases that categories, departments, teams and users have in common: load, create, change.

Each of the four is a `ReferenceKind`. Nothing is ever deleted, because complaints and their history name it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar

from complaints.domain.errors import Conflict, NotFound, ask_if_meant, describe_unknown
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Department, Team, User
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.configuration.changing import claim_to_change, finish_change
from complaints.use_cases.service import Service

Item = TypeVar("Item", bound=Category | Department | Team | User)
NewItem = TypeVar("NewItem", bound=Content)
ItemChange = TypeVar("ItemChange", bound=Content)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceKind(Generic[Item, NewItem, ItemChange]):
    """One kind of reference data.

    `noun` and `plural` name it in messages and addresses, `subject` in the audit log. `key` is the member that
    identifies an item.
    `plan_new` and `plan_change` check a command and return the item to write. They raise InvalidContent, and
    Conflict if something else still needs the item as it is.
    `before_write` gets the caller, the item of before (None: it is new) and the item to write. It may refuse.
    """

    noun: str
    plural: str
    key: str
    table: configuration_rows.ReferenceTable
    subject: AuditSubject
    items: Callable[[Configuration], Mapping[str, Item]]
    plan_new: Callable[[Transaction, Configuration, NewItem], Item]
    plan_change: Callable[[Transaction, Configuration, Item, ItemChange], Item]
    before_write: Callable[[Transaction, Caller, Item | None, Item], None] = lambda *_: None

    def load(self, configuration: Configuration, key: str) -> Item:
        """The item with that key. Raises NotFound, which names the nearest key: callers may list all items."""
        items = self.items(configuration)
        found = items.get(key)
        if found is None:
            raise NotFound(describe_unknown(self.noun, key, ask_if_meant(key, items)))
        return found

    def create(self, service: Service, tx: Transaction, caller: Caller, command: NewItem) -> Item:
        """Create an item. Raises Conflict if its key exists, and the errors of `plan_new`."""
        configuration = claim_to_change(service, tx, caller)
        key = getattr(command, self.key)
        if key in self.items(configuration):
            raise Conflict(f"There is a {self.noun} {key!r} already.")
        item = self.plan_new(tx, configuration, command)
        self.save(tx, caller, None, item)
        finish_change(tx, caller, self.subject, key)
        return item

    def change(
        self, service: Service, tx: Transaction, caller: Caller, key: str, command: ItemChange
    ) -> Item:
        """Change an item. Raises NotFound, and the errors of `plan_change`."""
        configuration = claim_to_change(service, tx, caller)
        old = self.load(configuration, key)
        item = self.plan_change(tx, configuration, old, command)
        self.save(tx, caller, old, item)
        finish_change(tx, caller, self.subject, key)
        return item

    def save(self, tx: Transaction, caller: Caller, old: Item | None, item: Item) -> None:
        """Write the row of an item, which is new if `old` is None. The caller records the change."""
        self.before_write(tx, caller, old, item)
        values = asdict(item)
        if old is None:
            configuration_rows.insert_row(tx, self.table, values)
            return
        key = values.pop(self.key)  # an update of the key column would lock out inserts that refer to the row
        configuration_rows.update_row(tx, self.table, key, values)
