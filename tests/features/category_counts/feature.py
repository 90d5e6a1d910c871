"""What the annex declares."""

from complaints.api.feature import Feature, FeatureLoop, Notice
from complaints.domain.vocabulary import EventType, RecipientRole
from complaints.use_cases.service import Service
from tests.features.category_counts import routes, tables, use_cases
from tests.features.category_counts.settings import CountSettings


def _count(service: Service, settings: CountSettings) -> int:
    return use_cases.count_next(service, limit=settings.batch)


FEATURE = Feature(
    name=use_cases.NAME,
    router=routes.router,
    tables=tables.metadata,
    loops=(FeatureLoop("count", _count, seconds=0.1),),
    problems=(routes.COUNTS_FROZEN,),
    settings=CountSettings,
    checks=(use_cases.check_counts,),
    notices=(
        Notice(
            EventType.CREATED,
            roles=(RecipientRole.TEAM_LEAD,),
            template="category_counts_received",
            link="/v1/category-counts",
        ),
    ),
)
