"""Who complains in the quarter, when and about what: everyday complaints, two outages, and a mistake in the bills."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from itertools import accumulate
from operator import attrgetter
from random import Random
from typing import TypeVar

from complaints.domain.vocabulary import Channel, Severity, Status
from complaints.use_cases.demo.wording import categories_with_texts

T = TypeVar("T")
LENGTH = timedelta(days=91)
LOCAL = timezone(timedelta(hours=8))  # the carrier works in China, which has one zone and no summer time

# Shares of a hundred, except for the categories.
_OF_OUTAGE, _OF_BURST, _OF_DUPLICATES, _OF_REPEATS = 4, 3, 1, 7
_BY_HOUR = (4, 2, 2, 1, 1, 3, 8, 22, 52, 88, 96, 80, 55, 62, 78, 82, 78, 66, 58, 72, 70, 48, 24, 10)
_BY_WEEKDAY = (100, 94, 90, 88, 92, 66, 52)
_REGIONS = {"CN-SH": 30, "CN-JS": 24, "CN-ZJ": 20, "CN-AH": 12, "CN-FJ": 8, "CN-JX": 6}
_CATEGORIES = {
    "network.outage": 6, "network.slow": 12, "network.coverage": 9, "network.voice": 4, "billing.wrong_charge": 10,
    "billing.unexplained": 8, "billing.refund": 7, "marketing.misleading": 5, "marketing.unsolicited": 5,
    "service.attitude": 4, "service.slow_response": 4, "service.unkept_promise": 3, "provisioning.install_delay": 6,
    "provisioning.cancellation": 4, "provisioning.porting": 2, "terms.dispute": 3,
    "terms.unauthorised_subscription": 4, "security.fraud": 1, "security.data_leak": 1, "device.fault": 4,
    "device.after_sales": 2, "other.other": 3,
}  # fmt: skip
_CHANNELS = {
    Channel.PHONE: 43, Channel.APP: 21, Channel.WEB: 11, Channel.ON_SITE: 7, Channel.EMAIL: 6, Channel.SOCIAL: 5,
    Channel.REGULATOR: 4, Channel.SMS: 2, Channel.LETTER: 1,
}  # fmt: skip
_SEVERITIES = {Severity.NORMAL: 78, Severity.LOW: 9, Severity.HIGH: 10, Severity.CRITICAL: 3}
_ENGLISH, _VULNERABLE = 0.14, 0.05
_REPEATED_WITHIN = timedelta(days=24)
_STAGES = (
    Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD, Status.RESOLVED, Status.REJECTED, Status.WITHDRAWN,
)  # fmt: skip


class ArrivalKind(StrEnum):
    """Why a complaint comes: one of every day, of an outage, of the mistake in the bills, a duplicate, or staged.

    Staged ones stand in a certain state at the end of the quarter, so that even a small demo shows every state.
    """

    EVERYDAY = "everyday"
    OUTAGE = "outage"
    BURST = "burst"
    DUPLICATE = "duplicate"
    STAGED = "staged"


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A complaint that will come. `customer` numbers the complainants.

    `first` is the complaint of which this one is a duplicate. `stage` is the state of a staged one at the end.
    """

    at: datetime
    customer: int
    category: str
    channel: Channel
    region: str
    severity: Severity
    language: str
    vulnerable: bool
    kind: ArrivalKind = ArrivalKind.EVERYDAY
    first: "Arrival | None" = None
    stage: Status | None = None


def draw_arrivals(random: Random, complaints: int, until: datetime) -> list[Arrival]:
    """The complaints of the quarter that ends at `until`, in the order of their receipt."""
    return _Draw(random, until).all(complaints)


class _Draw:
    def __init__(self, random: Random, until: datetime) -> None:
        self._random = random
        self._until, self._begin = until, until - LENGTH
        self._customers = 0
        assert _CATEGORIES.keys() <= set(categories_with_texts())

    def all(self, complaints: int) -> list[Arrival]:
        of_outage, of_burst, of_duplicates = (
            max(1, complaints * share // 100) for share in (_OF_OUTAGE, _OF_BURST, _OF_DUPLICATES)
        )
        special = [
            *self._outage(of_outage, self._day(27, hour=19), "CN-JS"),
            *self._outage(of_outage, self._day(70, hour=8), "CN-AH"),
            *(self._arrive(at, ArrivalKind.BURST) for at in self._burst(of_burst, self._day(45, hour=8))),
        ]
        special += self._staged()
        everyday = complaints - len(special) - of_duplicates
        usual = [self._arrive(self._usual_time(), ArrivalKind.EVERYDAY) for _ in range(everyday)]
        usual.sort(key=attrgetter("at"))
        usual = self._with_repeats(usual)
        duplicates = [self._tell_twice(self._random.choice(usual)) for _ in range(of_duplicates)]
        return sorted([*usual, *special, *duplicates], key=attrgetter("at"))

    def _day(self, number: int, *, hour: int) -> datetime:
        day = (self._begin + timedelta(days=number)).astimezone(LOCAL)
        return day.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(self._until.tzinfo)

    def _usual_time(self) -> datetime:
        most = max(_BY_HOUR) * max(_BY_WEEKDAY)
        while True:
            at = self._begin + timedelta(seconds=self._random.randrange(int(LENGTH.total_seconds())))
            local = at.astimezone(LOCAL)
            if self._random.random() * most < _BY_HOUR[local.hour] * _BY_WEEKDAY[local.weekday()]:
                return at

    def _outage(self, count: int, start: datetime, region: str) -> list[Arrival]:
        """Most complaints come in the first three hours, all from one region."""
        times = [start + timedelta(hours=min(self._random.expovariate(0.6), 9.0)) for _ in range(count)]
        return [
            replace(self._arrive(at, ArrivalKind.OUTAGE), region=region, category="network.outage")
            for at in times
        ]

    def _burst(self, count: int, start: datetime) -> list[datetime]:
        """Complaints come when people look at their bills: on the day of the bills and on the next one."""
        hours = [
            self._random.triangular(0, 14, 4) + 24 * (self._random.random() < 0.35) for _ in range(count)
        ]
        return [start + timedelta(hours=hour) for hour in hours]

    def _staged(self) -> list[Arrival]:
        """One complaint for each state that the last hours of the quarter might lack."""
        found: list[Arrival] = []
        for stage in _STAGES:
            at = self._until - timedelta(minutes=self._random.randint(200, 300))
            found.append(replace(self._arrive(at, ArrivalKind.STAGED), stage=stage))
        first = found[_STAGES.index(Status.INVESTIGATING)]
        again = self._arrive(first.at + timedelta(minutes=25), ArrivalKind.STAGED)
        return [*found, replace(_by(first, again), category=first.category, first=first, stage=Status.MERGED)]

    def _arrive(self, at: datetime, kind: ArrivalKind) -> Arrival:
        self._customers += 1
        category = "billing.wrong_charge" if kind is ArrivalKind.BURST else self._choose(_CATEGORIES)
        return Arrival(
            at=at.replace(microsecond=0),
            customer=self._customers,
            category=category,
            channel=self._choose(_CHANNELS),
            region=self._choose(_REGIONS),
            severity=self._choose(_SEVERITIES),
            language="en" if self._random.random() < _ENGLISH else "zh",
            vulnerable=self._random.random() < _VULNERABLE,
            kind=kind,
        )

    def _choose(self, shares: dict[T, int]) -> T:
        return self._random.choices([*shares], cum_weights=[*accumulate(shares.values())])[0]

    def _with_repeats(self, usual: Sequence[Arrival]) -> list[Arrival]:
        """Let some of the complaints be by people who complained shortly before, most about the same."""
        found: list[Arrival] = []
        times: list[datetime] = []
        for arrival in usual:
            since = bisect_left(times, arrival.at - _REPEATED_WITHIN)
            if since < len(found) and self._random.random() * 100 < _OF_REPEATS:
                before = found[self._random.randrange(since, len(found))]
                same = before.category if self._random.random() < 0.7 else arrival.category
                arrival = replace(_by(before, arrival), category=same)
            found.append(arrival)
            times.append(arrival.at)
        return found

    def _tell_twice(self, first: Arrival) -> Arrival:
        at = first.at + timedelta(minutes=self._random.randint(4, 300))
        again = self._arrive(min(at, self._until), ArrivalKind.DUPLICATE)
        return replace(_by(first, again), category=first.category, first=first)


def _by(before: Arrival, arrival: Arrival) -> Arrival:
    """The arrival, but by the complainant of an earlier one."""
    return replace(
        arrival,
        customer=before.customer,
        region=before.region,
        language=before.language,
        vulnerable=before.vulnerable,
    )
