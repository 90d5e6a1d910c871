"""What `complaints check` looks at, of the core and of the annexes."""

from collections.abc import Callable, Iterator
from uuid import UUID

from complaints.api.feature import Annexes
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.attachment_checks import check_attachments
from complaints.use_cases.upkeep.checks import (
    CheckedRange,
    check_feed,
    check_followers,
    check_references,
    find_ranges,
)
from complaints.use_cases.upkeep.configuration_checks import check_configuration
from complaints.use_cases.upkeep.parallel_checks import check_ranges
from complaints.use_cases.upkeep.recipient_checks import check_recipients
from complaints.use_cases.upkeep.subject_checks import check_subjects
from complaints.use_cases.upkeep.violation import Violation


def check(
    service: Service,
    annexes: Annexes,
    *,
    progress: Callable[[CheckedRange], None],
    after: UUID | None = None,
    processes: int = 1,
    reads_attachments: bool = False,
) -> Iterator[Violation]:
    """Every breach of an invariant of the core and of the annexes; `progress` gets each range of complaints.

    Complaints up to the id `after` are not checked. `reads_attachments`: the bytes of attachments are read, and
    their digests compared. Raises BrokenProcessPool if one of `processes` is killed.
    """
    for checked in check_ranges(service, find_ranges(service, after), processes=processes):
        progress(checked)
        yield from checked.violations
    yield from check_subjects(service)
    yield from check_feed(service)
    yield from check_references(service)
    yield from check_followers(service, annexes.names)
    yield from check_configuration(service)
    yield from check_recipients(service)
    yield from check_attachments(service, reads_bytes=reads_attachments)
    for feature in annexes.features:
        for find_breaches in feature.checks:
            yield from find_breaches(service)
