"""What the annex declares."""

from collections.abc import Iterator
from datetime import timedelta

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
        FeatureLoop("follow", following.follow_history, seconds=1, needs_annexes=True),
        FeatureLoop("imports", imports.follow_imports, seconds=5),
        FeatureLoop("news", news.follow_news, seconds=5, needs_annexes=True),
        FeatureLoop("mail", outlets.send_mails, seconds=1, needs_annexes=True, is_long=True),
        FeatureLoop("sms", outlets.send_sms, seconds=1, needs_annexes=True, is_long=True),
        FeatureLoop("mailbox", polling.take_from_mailbox, seconds=15),
        FeatureLoop("robots", outlets.send_to_robots, seconds=1, needs_annexes=True, is_long=True),
        FeatureLoop("forget", _forget, cron="41 2 * * *"),
    ),
)
