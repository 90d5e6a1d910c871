"""What the annex declares."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from complaints.api.feature import Feature, FeatureLoop, FeatureMeasure
from complaints.features.notifications import (
    delivery_use_cases,
    following,
    imports,
    news,
    outlets,
    routes,
    tables,
)
from complaints.features.notifications.mailbox import polling
from complaints.features.notifications.mailbox import routes as mailbox_routes
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables import deliveries
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.upkeep.violation import Violation

_DELETED_AT_ONCE = 1_000


def _check_steps(service: Service) -> Iterator[Violation]:
    """Somebody was reached about every step that still waits (rule 10.8)."""
    for number, step in service.read(deliveries.find_unheard_steps):
        yield Violation("steps delivered", number, f"no message about step {step} reached anybody")


def _count_unheard_steps(tx: Transaction) -> int:
    return len(deliveries.find_unheard_steps(tx))


def _forget(service: Service, settings: NotificationSettings) -> int:
    """Delete deliveries that are old enough; how many."""
    before = service.wall() - timedelta(days=settings.keep_days)
    if not service.read(lambda tx: deliveries.has_settled(tx, before=before)):
        return 0
    return service.write(lambda tx: deliveries.delete_settled(tx, before=before, limit=_DELETED_AT_ONCE))


_sending = partial(FeatureLoop, seconds=60, needs_annexes=True, is_long=True)
routes.router.include_router(mailbox_routes.router)
FEATURE = Feature(
    name=delivery_use_cases.NAME,
    router=routes.router,
    tables=tables.metadata,
    settings=NotificationSettings,
    checks=(_check_steps,),
    measures=(
        FeatureMeasure(
            "unheard_steps",
            "Waiting escalations about which no message reached anybody.",
            _count_unheard_steps,
        ),
    ),
    loops=(
        FeatureLoop(
            "follow",
            following.follow_history,
            seconds=60,
            needs_annexes=True,
            follows=delivery_use_cases.NAME,
        ),
        FeatureLoop("imports", imports.follow_imports, seconds=15),
        FeatureLoop("news", news.follow_news, seconds=15, needs_annexes=True),
        _sending("mail", outlets.send_mails, has_work=outlets.has_mails),
        _sending("sms", outlets.send_sms, has_work=outlets.has_sms),
        FeatureLoop("mailbox", polling.take_from_mailbox, seconds=15),
        _sending("robots", outlets.send_to_robots, has_work=outlets.has_for_robots),
        FeatureLoop("forget", _forget, cron="41 2 * * *"),
    ),
)
