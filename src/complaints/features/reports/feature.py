"""What the annex declares."""

from pathlib import Path

from fastapi import APIRouter

from complaints.api.feature import Feature, FeatureLoop, FeatureMeasure
from complaints.features.reports import checks, routes
from complaints.features.reports.command import rebuild
from complaints.features.reports.layouts import routes as layout_routes
from complaints.features.reports.publishing import routes as publishing_routes
from complaints.features.reports.publishing import schedules
from complaints.features.reports.publishing.tables import metadata
from complaints.use_cases.figures.keeping import FOLLOWER, count_waiting, keep_facts_after_sweep
from complaints.use_cases.service import Service


def _keep(service: Service, _settings: None) -> int:
    return keep_facts_after_sweep(service)


def _publish(service: Service, _settings: None) -> int:
    return schedules.run_schedules(service)


_ROUTER = APIRouter()
for _part in (routes.router, publishing_routes.router, layout_routes.router):
    _ROUTER.include_router(_part)
FEATURE = Feature(
    name=FOLLOWER,
    router=_ROUTER,
    tables=metadata,
    loops=(
        FeatureLoop("keep", _keep, seconds=60, follows=FOLLOWER),
        FeatureLoop("publish", _publish, seconds=30),
    ),
    news=(schedules.find_news,),
    templates=Path(__file__).parent / "publishing" / "templates",
    checks=(checks.check_facts,),
    measures=(FeatureMeasure("figures_waiting", "Events that the figures do not count yet.", count_waiting),),
    commands={"rebuild_figures": rebuild},
)
