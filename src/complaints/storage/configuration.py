"""The configuration of one version, whole and typed. Each process keeps it until the version changes."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Table, select, tuple_

from complaints.domain.complaint.facts import AnySubject, Complaint
from complaints.domain.complaint.subject import Subject
from complaints.domain.errors import NotFound
from complaints.domain.instants import read_instant
from complaints.domain.policy.categories import Category, classify
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, PoliciesSideBySide
from complaints.domain.policy.subject_kinds import KindsByName, SubjectKind, with_deadlines_of
from complaints.domain.rules.plans import PlansByKind
from complaints.domain.rules.reach import UserReach
from complaints.domain.staff import Department, Directory, DutyShift, Team, User
from complaints.domain.time.calendar_document import parse_calendar
from complaints.domain.time.calendars import WorkCalendar
from complaints.domain.vocabulary import AccessRole, DeadlineKind, EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration
from complaints.storage.rows.api_key import Key, find_keys_by_digest
from complaints.storage.rows.installation import load_secret
from complaints.storage.rows.leaving import find_successors

_FRESH_SECONDS = 0.5
_RELOAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """The reference data. `side_by_side` has the policies in the order in which they come into force.

    `secret` is the secret of the installation. `kinds` are the kinds of subjects that annexes declare, by name.
    `plans` has the plans that were made under this configuration.
    """

    version: int
    directory: Directory
    categories: Mapping[str, Category]
    calendars: Mapping[str, WorkCalendar]
    policies: Mapping[tuple[str, int], Policy]
    side_by_side: PoliciesSideBySide
    keys: Mapping[str, Key]
    secret: bytes = field(repr=False)
    kinds: KindsByName = field(default_factory=dict)
    plans: PlansByKind = field(default_factory=PlansByKind, init=False, repr=False, compare=False)
    _classified: dict[tuple[str | None, bool], Category | None] = field(
        default_factory=dict, init=False, compare=False
    )
    _policies_of_kinds: dict[tuple[str, int, str], Policy] = field(
        default_factory=dict, init=False, compare=False
    )
    _reaches: dict[str, UserReach] = field(default_factory=dict, init=False, repr=False, compare=False)

    def classify(self, code: str | None, *, retired_too: bool = False) -> Category | None:
        """The category `code`, with its open members filled in (see `categories.classify`). Raises InvalidContent."""
        asked = (code, retired_too)
        if asked not in self._classified:
            self._classified[asked] = classify(code, self.categories, retired_too=retired_too)
        return self._classified[asked]

    def policy(self, code: str, version: int) -> Policy:
        """The policy of this code and version. Raises NotFound."""
        found = self.policies.get((code, version))
        if found is None:
            raise NotFound(f"There is no policy {code!r} version {version}.")
        return found

    def policy_of(self, subject: AnySubject) -> Policy:
        """The policy of a complaint or other subject, with the deadlines of its kind. Raises NotFound."""
        code, version = subject.policy_code, subject.policy_version
        if not isinstance(subject, Subject):
            return self.policy(code, version)
        key = (code, version, subject.kind)
        if key not in self._policies_of_kinds:
            own = with_deadlines_of(self.policy(code, version), self.kind(subject.kind))
            self._policies_of_kinds[key] = own
        return self._policies_of_kinds[key]

    def kind(self, name: str) -> SubjectKind:
        """The kind of subjects with this name. Raises NotFound if no registered annex declares it."""
        found = self.kinds.get(name)
        if found is None:
            raise NotFound(f"No registered annex declares subjects of the kind {name!r}.")
        return found

    def reach_of(self, login: str) -> UserReach | None:
        """The reach of the user with this login; None if there is no such user."""
        user = self.directory.users.get(login)
        if user is not None and login not in self._reaches:
            self._reaches[login] = UserReach(user, self.directory)
        return self._reaches.get(login)

    @property
    def event_types(self) -> frozenset[str]:
        """Every type of event: those of complaints, and those of the kinds of subjects."""
        return frozenset(EventType).union(*(kind.all_event_types for kind in self.kinds.values()))

    @property
    def policies_in_order(self) -> tuple[Policy, ...]:
        """All versions of all policies, by the instant at which they come into force."""
        return self.side_by_side.in_order

    @property
    def deadline_kinds(self) -> tuple[str, ...]:
        """Every kind that a deadline of a complaint may have: the built-in ones, then the own ones of policies."""
        own = (rule.kind for policy in self.side_by_side.in_order for rule in policy.own_rules)
        return (*DeadlineKind, *sorted({*own}))

    @property
    def kind_titles(self) -> dict[str, Mapping[str, str]]:
        """The titles of own kinds, by kind and language: those of the policy that came into force last."""
        rules = (rule for policy in self.side_by_side.in_order for rule in policy.own_rules)
        return {rule.kind: rule.title for rule in rules if rule.title}

    def policy_at(self, instant: datetime) -> Policy:
        """The policy in force at `instant` that fits every complaint (rule 4.13)."""
        return self.side_by_side.general_at(instant)

    def find_other_policy(self, complaint: Complaint) -> Policy | None:
        """The policy that the members of the complaint choose, if it is another than its own (rule 4.17)."""
        members = (complaint.region, complaint.source, complaint.channel, complaint.category)
        chosen = self.side_by_side.choose(complaint.received_at, ChoosingMembers(*members)).policy
        return None if chosen.code == complaint.policy_code else chosen


class PolicyReader(Protocol):
    """Reads the document of a policy version, as `to_document` wrote it."""

    def __call__(self, document: Mapping[str, object], *, version: int) -> Policy:
        """Raises InvalidContent for a document that is not one."""


class ConfigurationCache:
    """Keeps the configuration of this process, and looks for a newer version at most every half second."""

    def __init__(self, read_policy: PolicyReader, kinds: KindsByName | None = None) -> None:
        self._read_policy = read_policy
        self._kinds = kinds or {}
        self._lock = threading.Lock()
        self._kept: Configuration | None = None
        self._checked_at = float("-inf")
        self._reload_began_at = float("-inf")
        self._expiries = 0

    def current(self, tx: Transaction, *, certain: bool = False) -> Configuration:
        """The configuration.

        With `certain` it is as new as this transaction; otherwise it may be half a second old, or a second and a
        half while another caller reloads it.
        """
        kept, expiries = self._kept, self._expiries
        if not certain and (trusted := self.trusted()) is not None:
            return trusted
        asked_at = time.monotonic()
        version = configuration.current_version(tx)
        if kept is None or kept.version != version:
            kept = self._load(tx, version)
        with self._lock:
            if self._kept is None or self._kept.version <= kept.version:
                self._kept = kept
                if expiries == self._expiries:  # else a newer version may exist
                    self._checked_at = asked_at
        return kept

    def claim(self, tx: Transaction) -> Configuration:
        """The configuration as it is now, locked against other writers until this transaction ends.

        A configuration that had to be read is not kept: this transaction may still fail.
        """
        kept, version = self._kept, configuration.claim_version(tx)
        return kept if kept and kept.version == version else self._load(tx, version)

    def _load(self, tx: Transaction, version: int) -> Configuration:
        return replace(_load(tx, version, self._known(), self._read_policy), kinds=self._kinds)

    def _known(self) -> Mapping[tuple[str, int], Policy]:
        """The policies in memory. They need no second reading: a policy version never changes."""
        kept = self._kept
        return kept.policies if kept else {}

    def trusted(self) -> Configuration | None:
        """The configuration, if it was found current within the last half second. Asks no database.

        After half a second one caller gets None and must reload. For up to one more second the others keep the old
        copy.
        """
        kept, now = self._kept, time.monotonic()
        age = now - self._checked_at
        if kept is None or age < _FRESH_SECONDS:
            return kept
        if age < _FRESH_SECONDS + _RELOAD_SECONDS and now - self._reload_began_at < _RELOAD_SECONDS:
            return kept
        self._reload_began_at = now
        return None

    def expire(self) -> None:
        """Look for a newer version at the next use."""
        with self._lock:
            self._expiries += 1
            self._checked_at = float("-inf")


def _load(
    tx: Transaction, version: int, known: Mapping[tuple[str, int], Policy], read_policy: PolicyReader
) -> Configuration:
    policies = _policies(tx, known, read_policy)
    return Configuration(
        version=version,
        directory=_directory(tx),
        categories={row["code"]: Category(**row) for row in _rows(tx, configuration.category)},
        calendars={row["code"]: parse_calendar(row["document"]) for row in _rows(tx, configuration.calendar)},
        policies=policies,
        side_by_side=PoliciesSideBySide(tuple(policies.values())),
        keys=find_keys_by_digest(tx),
        secret=load_secret(tx),
    )


def _rows(tx: Transaction, table: Table) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.connection.execute(select(table)).mappings()]


def _directory(tx: Transaction) -> Directory:
    users = [read_user(row) for row in _rows(tx, configuration.user_account)]
    teams = [Team(**row) for row in _rows(tx, configuration.team)]
    departments = [Department(**row) for row in _rows(tx, configuration.department)]
    return Directory(
        users={u.login: u for u in users},
        teams={t.code: t for t in teams},
        departments={d.code: d for d in departments},
        leaving=find_successors(tx),
        duty={row["team"]: read_shifts(row["shifts"]) for row in _rows(tx, configuration.duty_rota)},
    )


def read_shifts(written: Sequence[dict[str, str]]) -> tuple[DutyShift, ...]:
    """The shifts of a rota as it is stored."""
    return tuple(
        DutyShift(one["login"], *(read_instant(one[name]) for name in ("on_duty_from", "on_duty_until")))
        for one in written
    )


def read_user(row: dict[str, Any]) -> User:
    """The user of a row. A row that an older program wrote has nothing in the newer columns."""
    roles = row["roles"]
    return User(
        **row
        | {
            "roles": None if roles is None else tuple(map(AccessRole, roles)),
            "teams": tuple(row["teams"] or ()),
            "scope_names": tuple(row["scope_names"] or ()),
        }
    )


def _policies(
    tx: Transaction, known: Mapping[tuple[str, int], Policy], read_policy: PolicyReader
) -> dict[tuple[str, int], Policy]:
    """All versions of all policies, ordered by the instant at which they come into force."""
    p = configuration.policy.c
    in_order = select(p.code, p.version).order_by(p.effective_at, p.applied_at, p.version)
    keys = [(code, version) for code, version in tx.connection.execute(in_order)]
    found = {key: known[key] for key in keys if key in known}
    if missing := [key for key in keys if key not in known]:
        documents = select(p.code, p.version, p.document).where(tuple_(p.code, p.version).in_(missing))
        for code, version, document in tx.connection.execute(documents):
            found[code, version] = read_policy(document, version=version)
    return {key: found[key] for key in keys}
