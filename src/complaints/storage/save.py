"""The only writer of plans: what a draft changed, its escalations and its events, for any number of complaints.

Everything is written set-wise; the events when the transaction ends, because numbering them serialises commits
(see `event`).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from complaints.domain.complaint.change import Draft
from complaints.domain.complaint.facts import Complaint, Deadline, Escalation, Hold, Promise
from complaints.domain.complaint.history import NO_HISTORY, Link, Tip, chain
from complaints.domain.complaint.search_terms import index_terms
from complaints.domain.errors import StaleVersion
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import complaint as complaints
from complaints.storage.rows import deadline as deadlines
from complaints.storage.rows import escalation as escalations
from complaints.storage.rows import event as events
from complaints.storage.rows import person, search

_SEARCHED = ("subject", "description", "external_id", "resolution", "root_cause")


@dataclass(frozen=True, slots=True)
class Planned:
    """A finished draft, with the end of its complaint's history before it.

    `parties` are rows of the people of a new complaint, `extra` columns of it that are not the domain's.
    """

    draft: Draft
    tip: Tip = NO_HISTORY
    parties: tuple[dict[str, Any], ...] = ()
    extra: dict[str, Any] | None = None


def apply(tx: Transaction, plans: Sequence[Planned], new_id: Callable[[], UUID]) -> None:
    """Write plans in one go. Raises StaleVersion if a complaint changed since it was read; nothing is kept then."""
    links, tips = _chained(plans)
    inserts = Inserts(tx)
    _write_complaints(tx, inserts, plans, tips)
    person.insert_parties(inserts, [row for plan in plans for row in plan.parties])
    _write_parts(tx, inserts, plans)
    _index(tx, inserts, plans)
    inserts.write()
    ordered = sorted(
        ((plan.draft.complaint.id, link) for plan, own in zip(plans, links, strict=True) for link in own),
        key=lambda pair: pair[1].event.at,
    )
    events.append(tx, [(new_id(), complaint_id, link) for complaint_id, link in ordered])


def _chained(plans: Sequence[Planned]) -> tuple[list[list[Link]], list[Tip]]:
    links, tips = [], []
    for plan in plans:
        plan.draft.finish()
        own, tip = chain(plan.tip, plan.draft.events)
        links.append(own)
        tips.append(tip)
    return links, tips


def _write_complaints(
    tx: Transaction, inserts: Inserts, plans: Sequence[Planned], tips: Sequence[Tip]
) -> None:
    new: list[dict[str, Any]] = []
    changed: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for plan, tip in zip(plans, tips, strict=True):
        after, before = plan.draft.complaint, plan.draft.before
        history = {"history_count": tip.count, "history_digest": tip.digest}
        if before is None:
            new.append(complaints.values_of(after) | history | (plan.extra or {}))
            continue
        row = _changed(before, after) | (history if tip != plan.tip else {})
        if row:
            key = {"key_id": after.id, "key_version": before.version}
            changed[tuple(row)].append(row | key)
        if before.tags != after.tags:
            complaints.replace_tags(tx, inserts, after.id, after.tags)
    if new:
        complaints.insert_rows(inserts, new)
    for rows in changed.values():
        if complaints.update_rows(tx, rows) != len(rows):
            raise StaleVersion("The complaint was changed by someone else at the same time: read it again.")


def _changed(before: Complaint, after: Complaint) -> dict[str, Any]:
    old, new = complaints.values_of(before), complaints.values_of(after)
    return {name: value for name, value in new.items() if value != old[name]}


def _write_parts(tx: Transaction, inserts: Inserts, plans: Sequence[Planned]) -> None:
    added: list[dict[str, Any]] = []
    moved: list[Deadline] = []
    held: list[tuple[UUID, Hold]] = []
    ended: list[Hold] = []
    promised: list[Promise] = []
    taken: list[tuple[UUID, str, Escalation]] = []
    for plan in plans:
        after, before = plan.draft.complaint, plan.draft.before
        known = {d.id: d for d in before.deadlines} if before else {}
        for fact in after.deadlines:
            if fact.id not in known:
                added.append(deadlines.values_of(fact) | {"complaint_id": after.id})
            elif fact != known[fact.id]:
                moved.append(fact)
        lasting = {h.id: h for h in before.holds} if before else {}
        held.extend((after.id, h) for h in after.holds if h.id not in lasting)
        ended.extend(h for h in after.holds if h.id in lasting and h != lasting[h.id])
        promised.extend(plan.draft.promises)
        taken.extend((after.id, after.team, fact) for fact in plan.draft.escalations)
    deadlines.insert_deadlines(inserts, added)
    deadlines.update_deadlines(tx, moved)
    deadlines.insert_holds(inserts, held)
    deadlines.end_holds(tx, ended)
    deadlines.insert_promises(inserts, promised)
    escalations.insert_escalations(inserts, taken)


def _index(tx: Transaction, inserts: Inserts, plans: Sequence[Planned]) -> None:
    indexed = []
    for plan in plans:
        after, before = plan.draft.complaint, plan.draft.before
        texts = [getattr(after, name) or "" for name in _SEARCHED]
        if before is None or texts != [getattr(before, name) or "" for name in _SEARCHED]:
            indexed.append((after.sequence, index_terms(*texts)))
    search.index_terms(tx, inserts, indexed)
