"""What the annex declares."""

from complaints.api.feature import Feature, FeatureLoop, FeatureMeasure
from complaints.features.reports import checks, routes
from complaints.features.reports.command import rebuild
from complaints.use_cases.figures.keeping import FOLLOWER, count_waiting, keep_facts
from complaints.use_cases.service import Service

KEEP_SECONDS = 1.0
"""Facts are kept in batches, so that a busy intake pays for few of them. They lag by less than five seconds."""


def _keep(service: Service, _settings: None) -> int:
    return keep_facts(service)


FEATURE = Feature(
    name=FOLLOWER,
    router=routes.router,
    loops=(FeatureLoop("keep", _keep, seconds=KEEP_SECONDS),),
    checks=(checks.check_facts,),
    measures=(FeatureMeasure("figures_waiting", "Events that the figures do not count yet.", count_waiting),),
    commands={"rebuild_figures": rebuild},
)
