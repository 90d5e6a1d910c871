"""The look-ups of intake: complaints that have the names of new ones, and earlier complaints of their complainants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.rules.intake import NewComplaint
from complaints.storage.database.look_ups import LookUp, look_up_together
from complaints.storage.database.transactions import Transaction
from complaints.storage.load import ask_for_registrations
from complaints.use_cases.complaints.repeats import EarlierComplaints, ask_for_earlier


@dataclass(frozen=True, slots=True)
class FoundBefore:
    """What the database has before complaints are registered.

    `received` has the id of the complaint that was registered before, or a number for a new one, by place. `holders`
    are the complaints that have the external ids in other systems.
    """

    received: Mapping[int, UUID | int]
    holders: Mapping[tuple[str, str], UUID]
    earlier: EarlierComplaints


def look_up_posts(
    tx: Transaction, posts: Mapping[int, NewComplaint], *others: LookUp[Any]
) -> tuple[FoundBefore, *tuple[Any, ...]]:
    """Look up posts by place, and do other look-ups in the same statement. No two posts have the same name."""
    named, earlier, *found = look_up_together(
        tx, ask_for_registrations([*posts.values()]), ask_for_earlier(posts.values()), *others
    )
    received = dict(zip(posts, named.received, strict=True))
    return FoundBefore(received, named.holders, EarlierComplaints(earlier)), *found
