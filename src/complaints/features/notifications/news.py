"""Users hear of things that are no events: the news that annexes declare, and imports that have ended."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from complaints.api.feature import Annexes, FindNews, News
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.following import StaffPlanner, find_usable_channels
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables.deliveries import find_told
from complaints.features.notifications.tables.robots import find_robots
from complaints.use_cases.service import Service, Transaction

_FRESH = timedelta(days=1)
"""What is older is no news: the installation did not notify anybody then."""


def follow_news(service: Service, settings: NotificationSettings, annexes: Annexes) -> int:
    """Write the messages about the news of all annexes; how many."""
    return tell_news(service, settings, annexes.news)


def tell_news(service: Service, settings: NotificationSettings, finders: Collection[FindNews]) -> int:
    """Write the messages about news of which nothing was written; how many. Each user hears of each once."""
    if not service.read(lambda tx: _find(service, settings, tx, finders)):
        return 0
    return service.write(lambda tx: _tell(service, settings, tx, finders))


def _find(
    service: Service, settings: NotificationSettings, tx: Transaction, finders: Collection[FindNews]
) -> Sequence[News]:
    """The news of which nobody heard; none in an installation without a channel."""
    if not find_usable_channels(service, settings, find_robots(tx)):
        return []
    found = [one for find in finders for one in find(tx, tx.now - _FRESH)]
    told = find_told(tx, {one.id for one in found})
    return [one for one in found if (one.id, one.login) not in told]


def _tell(
    service: Service, settings: NotificationSettings, tx: Transaction, finders: Collection[FindNews]
) -> int:
    news = _find(service, settings, tx, finders)
    planner = StaffPlanner.read(service, settings, tx, {one.login for one in news})
    planned = [planner.plan_at_once(one.id, one.login, one.template, _facts_of(one)) for one in news]
    return sum(enqueue(service, tx, new) for new in planned)


def _facts_of(one: News) -> Mapping[str, Any]:
    return {**one.facts, "link": one.link} if one.link else one.facts
