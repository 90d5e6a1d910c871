"""Who started an import hears that it has ended. Imports have no events, so their rows are looked at."""

from collections.abc import Sequence
from datetime import datetime

from complaints.api.feature import News
from complaints.features.notifications.hearing import IMPORT_ENDED
from complaints.features.notifications.news import tell_news
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables.topics import find_ended_imports
from complaints.use_cases.service import Service, Transaction

BATCH = 100


def follow_imports(service: Service, settings: NotificationSettings) -> int:
    """Write the messages about imports that have ended; how many."""
    return tell_news(service, settings, (_find_news,))


def _find_news(tx: Transaction, since: datetime) -> Sequence[News]:
    ended = find_ended_imports(tx, since=since, limit=BATCH)
    return [News(one.id, one.login, IMPORT_ENDED, facts=one.facts) for one in ended]
