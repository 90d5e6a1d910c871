"""Turns: posts that name the same complaint are registered one after the other, although they share a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from complaints.domain.rules.intake import NewComplaint
from complaints.domain.scope import Scope
from complaints.use_cases.complaints.contacts import words_of


@dataclass(frozen=True, slots=True)
class IntakeTurns:
    """Posts by place, in groups. Each name occurs once in a group.

    `first_of` has the posts that repeat the words of an earlier one under the same name, with the place of the
    earlier one. They are in no group.
    """

    groups: list[dict[int, NewComplaint]]
    first_of: dict[int, int]


def take_turns(posts: dict[int, NewComplaint], scopes: Mapping[int, Scope]) -> IntakeTurns:
    """Divide posts into turns; `scopes` are the scopes of their callers. Usually there is one turn."""
    names = {place: _names_of(new) for place, new in posts.items()}
    every = [name for of_one in names.values() for name in of_one]
    if len(set(every)) == len(every):
        return IntakeTurns([posts], {})
    turns = IntakeTurns([], {})
    next_turn: dict[object, int] = {}
    places: dict[object, int] = {}
    for place, new in posts.items():
        own = _own_name(new)
        first = places.setdefault((own, words_of(new), scopes[place]), place) if own else place
        if first != place:
            turns.first_of[place] = first
            continue
        turn = max((next_turn.get(name, 0) for name in names[place]), default=0)
        if turn == len(turns.groups):
            turns.groups.append({})
        turns.groups[turn][place] = new
        next_turn |= dict.fromkeys(names[place], turn + 1)
    return turns


def _names_of(new: NewComplaint) -> tuple[object, ...]:
    own, others = _own_name(new), new.external_ids.items()
    return (own, *others) if own else tuple(others)


def _own_name(new: NewComplaint) -> object | None:
    """The name by which a post is known again: its external id with the source, or the digest of an imported row."""
    return (new.source, new.external_id) if new.external_id else new.import_digest
