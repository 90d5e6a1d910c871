"""What the lives of all complaints share: the staff, the words, chance, and the hours of work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from complaints.use_cases.demo.arrivals import LOCAL
from complaints.use_cases.demo.course import QuarterCourse
from complaints.use_cases.demo.staff import DemoStaff
from complaints.use_cases.demo.wording import Wording
from complaints.use_cases.service import Service

_OPENS, _CLOSES = 8.5, 20.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What all lives share: the staff, the words, chance, and the course that asks the rules."""

    service: Service
    course: QuarterCourse
    staff: DemoStaff
    wording: Wording
    random: Random

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.random.random() < share

    def choose(self, weights: dict[Any, int]) -> Any:
        """One of the keys, by its weight."""
        return self.random.choices([*weights], weights=[*weights.values()])[0]

    def hours(self, least: float, most: float) -> timedelta:
        """A time between two numbers of hours, to the second."""
        return timedelta(seconds=round(self.random.uniform(least, most) * 3600))

    def at_work(self, at: datetime) -> datetime:
        """The instant, or a moment of the next opening if nobody works then."""
        local = at.astimezone(LOCAL)
        hour = local.hour + local.minute / 60
        if _OPENS <= hour < _CLOSES:
            return at
        opening = local.replace(hour=8, minute=30, second=0, microsecond=0)
        if hour >= _CLOSES:
            opening += timedelta(days=1)
        return opening.astimezone(at.tzinfo) + self.hours(0, 1.5)
