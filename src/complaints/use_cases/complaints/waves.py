"""Waves: posts that name the same complaint are registered one after the other, although they share a transaction."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from complaints.domain.rules.intake import NewComplaint
from complaints.use_cases.complaints.contacts import words_of


@dataclass(frozen=True, slots=True)
class IntakeWaves:
    """Posts by place, in waves. Each name occurs once in a wave.

    `first_of` has the posts that repeat the words of an earlier one under the same name, with the place of the
    earlier one. They are in no wave.
    """

    waves: list[dict[int, NewComplaint]]
    first_of: dict[int, int]


def divide_into_waves(posts: dict[int, NewComplaint], sights: Mapping[int, Hashable]) -> IntakeWaves:
    """Divide posts into waves; callers with equal `sights` see the same. Usually there is one wave."""
    names = {place: _names_of(new) for place, new in posts.items()}
    every = [name for of_one in names.values() for name in of_one]
    if len(set(every)) == len(every):
        return IntakeWaves([posts], {})
    divided = IntakeWaves([], {})
    next_wave: dict[object, int] = {}
    places: dict[object, int] = {}
    for place, new in posts.items():
        own = _own_name(new)
        first = places.setdefault((own, words_of(new), sights[place]), place) if own else place
        if first != place:
            divided.first_of[place] = first
            continue
        wave = max((next_wave.get(name, 0) for name in names[place]), default=0)
        if wave == len(divided.waves):
            divided.waves.append({})
        divided.waves[wave][place] = new
        next_wave |= dict.fromkeys(names[place], wave + 1)
    return divided


def _names_of(new: NewComplaint) -> tuple[object, ...]:
    own, others = _own_name(new), new.external_ids.items()
    return (own, *others) if own else tuple(others)


def _own_name(new: NewComplaint) -> object | None:
    """The name by which a post is known again: its external id with the source, or the digest of an imported row."""
    return (new.source, new.external_id) if new.external_id else new.import_digest
