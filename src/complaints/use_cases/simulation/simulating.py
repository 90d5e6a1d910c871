"""Simulates a policy over the complaints that were received in a period. Nothing is written (rule 4.20)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from complaints.domain.errors import ComplaintError, Fault, InvalidContent
from complaints.domain.json_text import encode
from complaints.domain.policy.policy import Policy
from complaints.domain.simulation.comparison import SimulationFigures, compare
from complaints.domain.simulation.past import History, Period
from complaints.domain.simulation.replacement import PolicyReplacement
from complaints.domain.simulation.rerun import rerun
from complaints.domain.simulation.simulated_complaint import SimulatedComplaint, SimulationTerms
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries import simulation_histories
from complaints.storage.queries.simulation_histories import HistoryHead, IdRange
from complaints.storage.queries.staff_timeline import load_staff_timeline
from complaints.use_cases.configuration.policies import validate_policy
from complaints.use_cases.forks import BrokenProcessPool as BrokenProcessPool
from complaints.use_cases.forks import work_in_forks
from complaints.use_cases.service import Service
from complaints.use_cases.simulation.repeats import find_unknown_repeats

BATCH = 500
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
DETACHED, UNREADABLE = "history_detached", "not_readable"
"""Why a complaint is left out: a month with its beginning was detached, or its history makes no sense."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulation that is ready to run. `warnings` are those of the document. `policy` takes the place of others."""

    policy: Policy
    period: Period
    terms: SimulationTerms
    warnings: tuple[Fault, ...] = ()


@dataclass(slots=True)
class SimulatedRange:
    """The figures of a range of complaints. `rows` has the facts behind them as NDJSON, if they were asked for."""

    figures: SimulationFigures = field(default_factory=SimulationFigures)
    rows: bytes = b""


def prepare(service: Service, tx: Transaction, text: str, *, from_on: date, to_on: date) -> Simulation:
    """Read the document of a policy, for the complaints received from `from_on` until before `to_on`.

    Both are local dates of the zone of the policy. `effective_at` and `effective_until` of the document do not count.
    Raises InvalidContent as `validate_policy` does, and for a period that does not end after it begins.
    """
    for place, day in (("/from", from_on), ("/to", to_on)):
        if not _FIRST_DAY <= day <= _LAST_DAY:
            raise InvalidContent.at(place, f"A day of a simulation is from {_FIRST_DAY} to {_LAST_DAY}.")
    if to_on <= from_on:
        raise InvalidContent.at("/to", "The period ends after it begins. Give a day after the one of /from.")
    configuration = service.cache.current(tx, certain=True)
    reading = validate_policy(text, configuration, now=tx.now)
    policy = replace(reading.policy, version=_unused_version(configuration, reading.policy.code))
    period = Period(*(_begin_of(day, policy.timezone) for day in (from_on, to_on)))
    replacement = PolicyReplacement(policy, period, configuration.side_by_side)
    terms = SimulationTerms(
        policies=configuration.policies,
        staff=load_staff_timeline(tx, configuration),
        choose_policy=replacement.choose,
        until=tx.now,
    )
    return Simulation(replacement.policy, period, terms, reading.warnings)


def _unused_version(configuration: Configuration, code: str) -> int:
    """A version that no stored policy has: plans by kind tell policies apart by code and version."""
    return max((version for known, version in configuration.policies if known == code), default=0) + 1


def _begin_of(day: date, timezone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def simulate(
    service: Service, simulation: Simulation, *, processes: int = 1, with_rows: bool = False
) -> Iterator[SimulatedRange]:
    """Simulate range by range, by several processes. Raises BrokenProcessPool if one of them is killed."""
    ranges = service.read(lambda tx: simulation_histories.find_ranges(tx, simulation.period, size=BATCH))
    work: Callable[[IdRange], SimulatedRange] = partial(
        simulate_range, service, simulation, with_rows=with_rows
    )
    return work_in_forks(service, work, ranges, processes=processes)


def simulate_range(
    service: Service, simulation: Simulation, within: IdRange, *, with_rows: bool = False
) -> SimulatedRange:
    """Simulate the complaints of one range, read on one snapshot."""
    told, found = service.read(partial(_read, simulation, within))
    result = SimulatedRange()
    rows: list[bytes] = []
    for complaint_id, one in _rerun_all(found, told, simulation.terms):
        if isinstance(one, str):
            result.figures.left_out[one] += 1
            continue
        wake_at, compared = found[complaint_id].wake_at, compare(one)
        result.figures.add_complaint(compared)
        result.figures.kept += one.keeps_policy
        result.figures.behind += wake_at is not None and wake_at <= simulation.terms.until
        if with_rows:
            rows += (encode(row) + b"\n" for row in compared.rows())
    result.rows = b"".join(rows)
    return result


def _rerun_all(
    found: Mapping[UUID, History], told: Sequence[UUID], terms: SimulationTerms
) -> Iterator[tuple[UUID, SimulatedComplaint | str]]:
    """Each complaint with its rerun, or with the reason why it is left out."""
    together: dict[UUID, SimulatedComplaint] = {}
    for complaint_id in told:
        if not found[complaint_id].is_whole:
            yield complaint_id, DETACHED
            continue
        if (one := together.get(complaint_id)) is None:
            merged = [found[i] for i in _find_merged(found, complaint_id) if found[i].is_whole]
            try:
                simulated = rerun(merged, terms)
            except (LookupError, ValueError, TypeError, ComplaintError):
                yield complaint_id, UNREADABLE
                continue
            one = simulated[complaint_id]
            together |= simulated if len(merged) > 1 else {}
        yield complaint_id, one


def _find_merged(found: Mapping[UUID, History], complaint_id: UUID) -> list[UUID]:
    """The complaint, and all that were merged with it or with one of these."""
    known, waiting = {complaint_id: None}, [complaint_id]
    while waiting:
        for other in found[waiting.pop()].merged_with:
            if other in found and other not in known:
                known[other] = None
                waiting.append(other)
    return list(known)


def _read(simulation: Simulation, within: IdRange, tx: Transaction) -> tuple[list[UUID], dict[UUID, History]]:
    """The ids of the complaints of a range, and their histories with those of the complaints merged with them."""
    heads = simulation_histories.find_heads(tx, within, simulation.period)
    told = [head.id for head in heads]
    found: dict[UUID, History] = {}
    while heads:
        found |= _histories_of(tx, heads, simulation)
        missing = {i for head in heads for i in found[head.id].merged_with} - found.keys()
        heads = simulation_histories.find_heads_of(tx, missing) if missing else []
    return told, found


def _histories_of(
    tx: Transaction, heads: Collection[HistoryHead], simulation: Simulation
) -> dict[UUID, History]:
    events = simulation_histories.find_events(tx, [*heads])
    made = {
        head.id: History(
            id=head.id,
            sequence=head.sequence,
            received_at=head.received_at,
            is_imported=head.is_imported,
            is_vulnerable=bool(head.is_vulnerable),
            wake_at=head.wake_at,
            events=events[head.id],
        )
        for head in heads
    }
    repeats = find_unknown_repeats(tx, made.values(), simulation.policy, simulation.terms.policies)
    return {i: replace(one, is_repeat=i in repeats) for i, one in made.items()} if repeats else made
