"""Policies side by side: which versions are in force at an instant, and which of them a complaint gets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from complaints.domain.policy.checks import PlacedFault
from complaints.domain.policy.policy import Policy

CHOOSING_MEMBERS = ("region", "source", "channel", "category")
"""The members of a complaint that `applies_to` may name, the most important first."""

REPLANNED_BY = "replanned_by"
"""In place of the rule that chose the policy of a complaint: the actor who moved it there (rule 4.17)."""


class ChoosingMembers(NamedTuple):
    """The values of a complaint by which its policy is chosen. None means that it has no such value."""

    region: str | None = None
    source: str | None = None
    channel: str | None = None
    category: str | None = None


class PolicyChoice(NamedTuple):
    """A policy, and the rule that chose it: the value by which each member of its `applies_to` fits.

    The rule is empty for a policy that fits every complaint.
    """

    policy: Policy
    chosen_by: Mapping[str, str]


class _Version(NamedTuple):
    """A version of a policy in the time in which no later version of its code holds. `until` is not in it."""

    policy: Policy
    since: datetime
    until: datetime | None

    def holds_at(self, instant: datetime) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)

    def meets(self, other: "_Version") -> bool:
        """True if both hold at some instant."""
        starts = max(self.since, other.since)
        return self.holds_at(starts) and other.holds_at(starts)


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The versions that fit every complaint, and the others, each in the order of their policies."""

    general: tuple[_Version, ...]
    limited: tuple[_Version, ...]

    def by_value(self) -> dict[tuple[str, str], list[_Version]]:
        """The versions that do not fit every complaint, by each value of the first member that they name."""
        found: dict[tuple[str, str], list[_Version]] = {}
        for version in self.limited:
            name, values = next(iter(version.policy.applies_to.items()))
            for value in values:
                found.setdefault((name, value), []).append(version)
        return found


class PoliciesSideBySide:
    """All versions of all policies. `in_order` are ordered by the instant at which they come into force.

    Of two that come into force together, the one applied last is the later one.
    """

    def __init__(self, in_order: Sequence[Policy]) -> None:
        self.in_order = tuple(in_order)
        self._versions = _sort(self.in_order)
        self._by_value = self._versions.by_value()

    def general_at(self, instant: datetime) -> Policy:
        """The policy in force at `instant` that fits every complaint (rule 4.13).

        The first such policy also holds before it is in force.
        """
        for version in reversed(self._versions.general):
            if version.holds_at(instant):
                return version.policy
        return self._versions.general[0].policy

    def choose(self, instant: datetime, members: ChoosingMembers) -> PolicyChoice:
        """The policy in force at `instant` that fits a complaint most closely (rule 4.14)."""
        closest = PolicyChoice(self.general_at(instant), {})
        if not self._by_value:
            return closest
        for version in self._list_candidates(members):
            fit = find_fit(version.policy.applies_to, members) if version.holds_at(instant) else None
            if fit is not None and _closeness(fit) > _closeness(closest.chosen_by):
                closest = PolicyChoice(version.policy, fit)
        return closest

    def _list_candidates(self, members: ChoosingMembers) -> Iterator[_Version]:
        """The versions whose first member fits. Most provinces are left out by one look."""
        for name, value in zip(CHOOSING_MEMBERS, members, strict=True):
            for spelling in _spellings(name, value):
                yield from self._by_value.get((name, spelling), ())

    def version_at(self, code: str, instant: datetime) -> Policy | None:
        """The version of policy `code` in force at `instant`. Another policy may take over all the same."""
        versions = (*self._versions.general, *self._versions.limited)
        return next((v.policy for v in versions if v.policy.code == code and v.holds_at(instant)), None)

    def is_in_force(self, policy: Policy, instant: datetime) -> bool:
        """True if complaints that are received at `instant` can get this version."""
        if not policy.applies_to:
            return policy is self.general_at(instant)
        return self.version_at(policy.code, instant) is policy

    def list_now_or_later(self, instant: datetime) -> list[Policy]:
        """The versions that are in force at `instant` or later."""
        current = self.in_order.index(self.general_at(instant))
        limited = {id(v.policy) for v in self._versions.limited if v.until is None or v.until > instant}
        return [
            policy
            for place, policy in enumerate(self.in_order)
            if (id(policy) in limited if policy.applies_to else place >= current)
        ]

    def with_next(self, policy: Policy) -> "PoliciesSideBySide":
        """The same policies and another version, applied after all of them."""
        place = sum(known.effective_at <= policy.effective_at for known in self.in_order)
        return PoliciesSideBySide((*self.in_order[:place], policy, *self.in_order[place:]))

    def faults_of(self, policy: Policy) -> Iterator[PlacedFault]:
        """Why a version among these must not be applied: two policies fit equally, or none fits (rule 4.15)."""
        yield from self._holes()
        own = next((v for v in self._versions.limited if v.policy is policy), None)
        for other in self._versions.limited if own else ():
            if own and other.policy.code != policy.code and own.meets(other):
                yield from _equal_fits(policy, other.policy)

    def _holes(self) -> Iterator[PlacedFault]:
        general = self._versions.general
        if not general:
            yield ("applies_to",), "leaves complaints without a policy: first apply one without 'applies_to'"
        for version in general:
            end = version.until
            if end is not None and not any(other.holds_at(end) for other in general):
                message = f"no policy without 'applies_to' would be in force from {end.isoformat()} on"
                yield ("applies_to",), f"leaves complaints without a policy: {message}"


def find_fit(applies_to: Mapping[str, Sequence[str]], members: ChoosingMembers) -> dict[str, str] | None:
    """The value by which each member named in `applies_to` fits. None if one of them does not fit."""
    fit = {}
    for name, values in applies_to.items():
        value = next((one for one in _spellings(name, getattr(members, name)) if one in values), None)
        if value is None:
            return None
        fit[name] = str(value)
    return fit


def _spellings(name: str, value: str | None) -> tuple[str, ...]:
    """The values of `applies_to` that fit `value`, the closest first. A category also fits its children."""
    if value is None:
        return ()
    return (value, value.partition(".")[0]) if name == "category" else (value,)


def _closeness(fit: Mapping[str, str]) -> tuple[int, ...]:
    """The rank of a fit: more members are closer, then more important members, then a category below a parent."""
    named = (name in fit for name in CHOOSING_MEMBERS)
    return (len(fit), *named, "." in fit.get("category", ""))


def _equal_fits(policy: Policy, other: Policy) -> Iterator[PlacedFault]:
    """The fault of two policies that fit some complaint equally: the same members, with a common value of each."""
    if policy.applies_to.keys() != other.applies_to.keys():
        return
    common = {
        name: [value for value in values if value in other.applies_to[name]]
        for name, values in policy.applies_to.items()
    }
    if all(common.values()):
        shown = ", ".join(f"{name} '{values[0]}'" for name, values in common.items())
        rival = f"policy '{other.code}' version {other.version}"
        remedy = "name more members, or end one of them with 'effective_until'"
        yield ("applies_to",), f"fits complaints of {shown} as closely as {rival}; {remedy}"


def _sort(in_order: Sequence[Policy]) -> _Sorted:
    later: dict[str, datetime] = {}
    versions = []
    for policy in reversed(in_order):
        ends = [end for end in (later.get(policy.code), policy.effective_until) if end is not None]
        versions.append(_Version(policy, policy.effective_at, min(ends, default=None)))
        later[policy.code] = policy.effective_at
    versions.reverse()
    return _Sorted(
        general=tuple(v for v in versions if not v.policy.applies_to),
        limited=tuple(v for v in versions if v.policy.applies_to),
    )
