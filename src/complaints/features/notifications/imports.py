"""Who started an import hears that it has ended. Imports have no events, so their rows are looked at."""

from datetime import timedelta

from complaints.features.notifications.following import StaffPlanner, find_usable_channels
from complaints.features.notifications.hearing import IMPORT_ENDED
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables.robots import find_robots
from complaints.features.notifications.tables.topics import EndedImport, find_ended_imports
from complaints.features.notifications.use_cases import enqueue
from complaints.use_cases.service import Service, Transaction

BATCH = 100
_NEWS = timedelta(days=1)
"""An import that ended longer ago is no news: the installation did not notify anybody then."""


def follow_imports(service: Service, settings: NotificationSettings) -> int:
    """Write the messages about imports that have ended; how many."""
    if not service.read(lambda tx: _find(service, settings, tx)):
        return 0
    return service.write(lambda tx: _tell(service, settings, tx))


def _find(service: Service, settings: NotificationSettings, tx: Transaction) -> list[EndedImport]:
    """The imports of which nobody heard; none in an installation without a channel."""
    if not find_usable_channels(service, settings, find_robots(tx)):
        return []
    return find_ended_imports(tx, since=tx.now - _NEWS, limit=BATCH)


def _tell(service: Service, settings: NotificationSettings, tx: Transaction) -> int:
    ended = _find(service, settings, tx)
    planner = StaffPlanner.read(service, settings, tx, {one.login for one in ended})
    planned = [planner.plan_at_once(one.id, one.login, IMPORT_ENDED, one.facts) for one in ended]
    return sum(enqueue(service, tx, new) for new in planned)
