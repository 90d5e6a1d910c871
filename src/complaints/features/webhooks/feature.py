"""What the annex declares."""

from collections.abc import Callable

from complaints.api.feature import Annexes, Feature, FeatureLoop, FeatureMeasure
from complaints.features.webhooks import checks, planning, routes, tables
from complaints.features.webhooks.messages import forms_of
from complaints.features.webhooks.sending import Sender, has_due
from complaints.features.webhooks.settings import WebhookSettings
from complaints.features.webhooks.tables import subscriptions
from complaints.use_cases.service import Service


def _send(
    service: Service, settings: WebhookSettings, annexes: Annexes, is_stopping: Callable[[], bool]
) -> int:
    return Sender(service, settings, forms=forms_of(annexes)).run(is_stopping)


FEATURE = Feature(
    name=planning.NAME,
    router=routes.router,
    tables=tables.metadata,
    settings=WebhookSettings,
    loops=(
        FeatureLoop("plan", planning.plan_next, seconds=60, follows=planning.NAME),
        FeatureLoop("send", _send, seconds=60, needs_annexes=True, is_long=True, has_work=has_due),
        FeatureLoop("forget", planning.forget_old, cron="41 * * * *"),
    ),
    checks=(checks.check_deliveries, checks.check_forms, checks.check_leases),
    measures=(
        FeatureMeasure(
            "webhooks_disabled",
            "Webhooks that the program disabled: see their status.",
            subscriptions.count_alerts,
        ),
        FeatureMeasure(
            "webhooks_failing",
            "Webhooks without success since their last failure.",
            subscriptions.count_failing,
        ),
    ),
)
