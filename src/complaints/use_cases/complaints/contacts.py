"""Posts under a known external id: a retry of known words, or a contact (rules 1.11 to 1.14)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from complaints.domain.complaint.change import ENGINE, Change
from complaints.domain.complaint.facts import Complaint, PlainMembers
from complaints.domain.complaint.words import comparable_words, digest_words
from complaints.domain.errors import Conflict
from complaints.domain.rules.actions import ActionContext
from complaints.domain.rules.contacts import Contact, makes_new_complaint, plan_contact
from complaints.domain.rules.intake import NewComplaint
from complaints.domain.vocabulary import EventType, LinkType
from complaints.storage import load
from complaints.storage.database.transactions import RaceLost, Transaction
from complaints.storage.rows.complaint import ComplaintRecord
from complaints.storage.rows.contact_digest import find_digests
from complaints.storage.save import ChangeToSave
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.assigning import assign_by_policy
from complaints.use_cases.complaints.changing import catch_up, last_changed_at
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class RepeatedPost:
    """A post or an imported row that names a complaint on record.

    `holder_id` is the complaint that has the external id, or the digest of the row. `is_direct`: the words name the
    complaint itself, as those from the complainant's page do.
    """

    holder_id: UUID
    new: NewComplaint
    caller: Caller
    is_direct: bool = False

    def may_name(self, complaint: Complaint) -> bool:
        """True if the caller gives external ids of this source."""
        return self.caller.scope_for(Right.SEE_PERSONS).admits_source(complaint.source)

    def may_show(self, complaint: Complaint) -> bool:
        """True if the answer may show the complaint to the caller. An import shows none."""
        is_import = self.new.import_id is not None
        return self.may_name(complaint) and (is_import or self.caller.admits(Right.SEE_PERSONS, complaint))


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A contact after the end of `ended`. It becomes a new complaint, which takes the external id over (rule 1.14).

    `holder_id` is the complaint that has the external id until then: `ended`, or a complaint that was merged into it.
    `known_words` are the digests of all words of contacts before.
    """

    ended: Complaint
    holder_id: UUID
    known_words: frozenset[bytes]


def words_digest(secret: bytes, facts: PlainMembers) -> bytes:
    """The digest of the words of a post."""
    return digest_words(secret, words_of(facts))


def words_of(facts: PlainMembers) -> str:
    """Subject and description in comparable form."""
    return comparable_words(facts.subject, facts.description)


class ContactIntake:
    """Repeated posts of one transaction, and the changes of complaints that they plan. The caller saves the changes."""

    def __init__(self, service: Service, tx: Transaction) -> None:
        self._service = service
        self._tx = tx
        self._configuration = service.configuration(tx)
        self._known = _OnRecord({}, {})
        self._changes: dict[UUID, tuple[Change, ActionContext]] = {}
        self._new_words: dict[UUID, list[bytes]] = defaultdict(list)

    def take(self, posts: Mapping[int, RepeatedPost]) -> dict[int, Complaint | Recurrence | Conflict]:
        """For each post the complaint on record, or the recurrence that the caller must register, or a refusal.

        A retry locks no complaint. Raises RaceLost if an external id moved while this transaction waited.
        """
        self._known = _OnRecord.read(self._tx, {post.holder_id for post in posts.values()})
        outcomes: dict[int, Complaint | Recurrence | Conflict] = {}
        contacts: dict[int, RepeatedPost] = {}
        for place, post in posts.items():
            if not post.may_name(self._known.holder(post)):
                outcomes[place] = Conflict("This external id names a complaint of another source.")
            elif not post.may_show(self._known.holder(post)):
                outcomes[place] = Conflict("This external id names a complaint of another team.")
            elif self._is_retry(post):
                outcomes[place] = self._known.shown(post)
            else:
                contacts[place] = post
        if contacts:
            self._tx.open()
            self._known = self._known.lock(self._tx, contacts.values())
        return outcomes | {place: self._take(post) for place, post in contacts.items()}

    def _is_retry(self, post: RepeatedPost) -> bool:
        """True if the words are known, or are the present words of the complaint (rule 1.11).

        A row that is known by its digest has the same words as before. History of another system is no contact:
        nobody called (rule 2.14).
        """
        known = self._known
        if (post.new.external_id is None and not post.is_direct) or post.new.ending is not None:
            return True
        if words_of(post.new) in map(words_of, (known.holder(post), known.survivor(post))):
            return True
        return words_digest(self._configuration.secret, post.new) in known.known_words(post)

    def _take(self, post: RepeatedPost) -> Complaint | Recurrence:
        if self._is_retry(post):  # known since, from another transaction or from another post of this one
            return self._known.shown(post)
        survivor = self._known.survivor(post)
        change, context = self._open(survivor.id, post.new.actor)
        if makes_new_complaint(change.complaint, context):
            return Recurrence(change.complaint, post.holder_id, frozenset(self._known.known_words(post)))
        merged_id = None if survivor.id == post.holder_id else post.holder_id
        new = post.new
        plan_contact(change, context, Contact(new.channel, new.subject, new.description, merged_id))
        catch_up(self._service, self._tx.not_before(context.now), change)  # a moved deadline may be past due
        assign_by_policy(self._service, self._tx, [change])
        self._remember(survivor.id, words_digest(self._configuration.secret, new))
        return change.complaint if post.may_show(change.complaint) else self._known.holder(post)

    def _remember(self, complaint_id: UUID, digest: bytes) -> None:
        self._new_words[complaint_id].append(digest)
        self._known.words[complaint_id].add(digest)

    def hand_over(self, recurrence: Recurrence, change: Change, post: RepeatedPost) -> None:
        """Link the new complaint to the ended one. It takes over the external ids that both complaints have.

        Words that name the ended complaint itself are remembered there too: they will name it again.
        """
        new = change.complaint
        change.record(
            EventType.LINKED, new.created_at, type=LinkType.RECURRENCE_OF, complaint_id=recurrence.ended.id
        )
        for complaint_id in {recurrence.holder_id, recurrence.ended.id}:
            before, context = self._open(complaint_id, change.actor)
            _give_away(before, new, context.now)
        if post.is_direct:
            self._remember(recurrence.ended.id, words_digest(self._configuration.secret, post.new))

    def _open(self, complaint_id: UUID, actor: str) -> tuple[Change, ActionContext]:
        if complaint_id not in self._changes:
            complaint = self._known.records[complaint_id].complaint
            tx = self._tx.not_before(last_changed_at(complaint))
            change = Change(complaint, actor=ENGINE, new_id=self._service.new_id)
            policy = catch_up(self._service, tx, change)
            context = ActionContext(tx.now, policy, self._configuration.directory, frozenset())
            self._changes[complaint_id] = change, context
        change, context = self._changes[complaint_id]
        change.actor = actor
        return change, context

    def changes(self) -> list[ChangeToSave]:
        """The planned changes, with the digests of the new words."""
        return [
            ChangeToSave(change, self._known.records[i].history_end, words=tuple(self._new_words[i]))
            for i, (change, _) in self._changes.items()
        ]


def _give_away(change: Change, new: Complaint, now: datetime) -> None:
    """Take from a complaint the external ids that the complaint `new` has too."""
    complaint = change.complaint
    moved = complaint.ids_by_system.items() & new.ids_by_system.items()
    if not moved:
        return
    kept = dict(complaint.ids_by_system.items() - moved)
    change.touch(now)
    change.set(external_id=kept.pop(complaint.source, None), external_ids=kept)
    change.record(EventType.EXTERNAL_ID_MOVED, now, external_ids=dict(moved), complaint_id=new.id)


@dataclass(frozen=True, slots=True)
class _OnRecord:
    """Complaints that posts name, with the complaints into which they were merged, and the known words of each."""

    records: dict[UUID, ComplaintRecord]
    words: dict[UUID, set[bytes]]

    @classmethod
    def read(cls, tx: Transaction, ids: Collection[UUID], *, lock: bool = False) -> Self:
        """The complaints with these ids. `lock` keeps other transactions from changing them."""
        records: dict[UUID, ComplaintRecord] = {}
        missing = set(ids)
        while missing:
            found = load.load_complaints(tx, missing, lock=lock)
            records |= {record.complaint.id: record for record in found}
            missing = {r.complaint.merged_into for r in found if r.complaint.merged_into} - records.keys()
        words = find_digests(tx, records.keys())
        return cls(records, {i: words.get(i, set()) for i in records})

    def lock(self, tx: Transaction, posts: Collection[RepeatedPost]) -> Self:
        """The complaints of these posts, locked in order and read again. Raises RaceLost if an external id moved."""
        ids = {post.holder_id for post in posts} | {self.survivor(post).id for post in posts}
        locked = self.read(tx, ids, lock=True)
        for post in posts:
            if post.is_direct:
                continue
            if locked.holder(post).ids_by_system.get(post.new.source) != post.new.external_id:
                raise RaceLost("an external id moved to another complaint")
        return locked

    def holder(self, post: RepeatedPost) -> Complaint:
        """The complaint that has the external id of the post."""
        return self.records[post.holder_id].complaint

    def survivor(self, post: RepeatedPost) -> Complaint:
        """The complaint that a contact goes to: the holder of the external id, or the one it was merged into."""
        complaint = self.holder(post)
        while complaint.merged_into is not None:
            complaint = self.records[complaint.merged_into].complaint
        return complaint

    def known_words(self, post: RepeatedPost) -> set[bytes]:
        """The digests of the words under the external id, and of the words on the survivor."""
        return self.words[post.holder_id] | self.words[self.survivor(post).id]

    def shown(self, post: RepeatedPost) -> Complaint:
        """The complaint for the answer: the survivor, if the caller may know of it."""
        survivor = self.survivor(post)
        return survivor if post.may_show(survivor) else self.holder(post)
