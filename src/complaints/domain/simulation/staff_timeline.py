"""The staff and the categories as they were at each instant."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from complaints.domain.policy.categories import Category, classify
from complaints.domain.staff import Directory


@dataclass(frozen=True, slots=True, eq=False)
class StaffVersion:
    """The staff and the categories from `since` on, in UTC."""

    since: datetime
    directory: Directory
    categories: Mapping[str, Category]
    _classified: dict[str | None, Category | None] = field(default_factory=dict)

    def classify(self, code: str | None) -> Category | None:
        """The category `code`, also one that is retired, with its open members filled in. Raises InvalidContent."""
        if code not in self._classified:
            self._classified[code] = classify(code, self.categories, retired_too=True)
        return self._classified[code]


@dataclass(frozen=True, slots=True)
class StaffTimeline:
    """The versions of the staff, oldest first. Before the first one, the staff was as in the first one."""

    versions: Sequence[StaffVersion]
    _starts: Sequence[datetime] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Collect the instants at which the versions begin."""
        object.__setattr__(self, "_starts", [version.since for version in self.versions])

    @property
    def known_since(self) -> datetime:
        """The instant from which changes of the staff are known, in UTC."""
        return self.versions[0].since

    def at(self, instant: datetime) -> StaffVersion:
        """The version in force at `instant`."""
        return self.versions[max(bisect_right(self._starts, instant) - 1, 0)]
