"""Who started an import hears that it has ended. Imports have no events, so their rows are looked at."""

from datetime import timedelta

from complaints.features.notifications import tables
from complaints.features.notifications.following import StaffPlanner, find_usable_channels
from complaints.features.notifications.hearing import IMPORT_ENDED
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.use_cases import enqueue
from complaints.use_cases.service import Service, Transaction

BATCH = 100
_NEWS = timedelta(days=1)
"""An import that ended longer ago is no news: the installation did not notify anybody then."""


def follow_imports(service: Service, settings: NotificationSettings) -> int:
    """Write the messages about imports that have ended; how many."""
    if not service.read(lambda tx: _find(tx)):
        return 0
    return service.write(lambda tx: _tell(service, settings, tx))


def _find(tx: Transaction) -> list[tables.EndedImport]:
    return tables.find_ended_imports(tx, since=tx.now - _NEWS, limit=BATCH)


def _tell(service: Service, settings: NotificationSettings, tx: Transaction) -> int:
    usable = find_usable_channels(service, settings, tables.find_robots(tx))
    if not usable:
        return 0
    ended = _find(tx)
    preferences = tables.find_preferences(tx, {one.login for one in ended})
    planner = StaffPlanner(service.configuration(tx), preferences, settings.language, usable, tx.now)
    told = [
        enqueue(service, tx, planner.plan_at_once(one.id, one.login, IMPORT_ENDED, one.facts))
        for one in ended
    ]
    return sum(told)
