"""Callers, and the rights that their roles give."""

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache

from complaints.domain.errors import Forbidden
from complaints.domain.rules.reach import UserReach
from complaints.domain.scope import ALL_COMPLAINTS, NO_COMPLAINTS, Scope, ScopedComplaint
from complaints.domain.vocabulary import AccessRole, Action


class Right(StrEnum):
    """The permission for a group of calls. Roles give rights."""

    CREATE = "create"  # post complaints and imports
    READ_OWN = "read_own"  # read complaints of the own source
    READ = "read"  # read every complaint
    SEE_PERSONS = "see_persons"  # read personal data unmasked
    REVEAL = "reveal"  # read personal data unmasked, with a reason and an entry in the access log
    SEE_INTERNAL = "see_internal"  # read internal notes and attributes unmasked
    CONTRIBUTE = "contribute"  # of the own source: add notes, raise the severity, withdraw
    WORK = "work"  # take actions, write notes, acknowledge
    SUPERVISE = "supervise"  # change the first owner, re-plan
    ERASE = "erase"  # erase texts
    READ_REPORTS = "read_reports"  # read published reports
    CONFIGURE = "configure"  # write reference data
    AUDIT = "audit"  # read the audit log
    ADMINISTER = "administer"  # keys


_AGENT = frozenset(
    {
        Right.CREATE,
        Right.READ_OWN,
        Right.READ,
        Right.SEE_PERSONS,
        Right.SEE_INTERNAL,
        Right.CONTRIBUTE,
        Right.WORK,
    }
)
_SUPERVISOR = _AGENT | {Right.SUPERVISE, Right.READ_REPORTS}
_MANAGER = _SUPERVISOR | {Right.ERASE, Right.CONFIGURE, Right.AUDIT, Right.REVEAL}
RIGHTS: dict[AccessRole, frozenset[Right]] = {
    AccessRole.INTAKE: frozenset({Right.CREATE, Right.READ_OWN, Right.SEE_PERSONS, Right.CONTRIBUTE}),
    AccessRole.AGENT: _AGENT,
    AccessRole.SUPERVISOR: _SUPERVISOR,
    AccessRole.MANAGER: _MANAGER,
    AccessRole.AUDITOR: frozenset(
        {Right.READ_OWN, Right.READ, Right.AUDIT, Right.REVEAL, Right.READ_REPORTS}
    ),
    AccessRole.ADMIN: frozenset(Right),
}


@cache
def _rights_of(roles: frozenset[AccessRole]) -> frozenset[Right]:
    return frozenset().union(*(RIGHTS[role] for role in roles))


@cache
def _staff_roles(roles: frozenset[AccessRole], right: Right) -> frozenset[AccessRole]:
    """The roles that give `right` and also read complaints of every source."""
    return frozenset(role for role in roles if {right, Right.READ} <= RIGHTS[role])


@lru_cache(maxsize=1024)
def _source_scope(roles: frozenset[AccessRole], source: str, right: Right) -> Scope:
    return Scope.sources([source] if any(right in RIGHTS[role] for role in roles) else [])


@lru_cache(maxsize=1024)
def roles_within(roles: frozenset[AccessRole], limits: frozenset[AccessRole]) -> frozenset[AccessRole]:
    """The roles in which a key with `roles` acts for a user with `limits`.

    They are the roles of both that give no right which either lacks.
    """
    both = _rights_of(roles) & _rights_of(limits)
    return frozenset(role for role in roles | limits if RIGHTS[role] <= both)


def right_for(action: Action) -> Right:
    """The right to take an action."""
    return Right.CONTRIBUTE if action is Action.WITHDRAW else Right.WORK


SESSION_PREFIX = "user:"


@dataclass(frozen=True, slots=True)
class Caller:
    """The key or the session behind a request, and the user to whom it belongs, if any.

    `reach` is that of the user. A caller with a user and without a reach knows of no complaint. `acts_as` is the
    name in the history of a caller that is neither a key nor a user.
    """

    name: str
    roles: frozenset[AccessRole]
    source: str
    login: str | None = None
    reach: UserReach | None = field(default=None, repr=False, compare=False)
    acts_as: str | None = None

    @property
    def has_session(self) -> bool:
        """True for a user with a session. The name then has a colon, so no key has the same name."""
        return self.name.startswith(SESSION_PREFIX)

    @property
    def actor(self) -> str:
        """The name of the caller in the history."""
        if self.acts_as is not None:
            return self.acts_as
        return f"user:{self.login}" if self.login else f"key:{self.name}"

    @property
    def person(self) -> str:
        """The login of the user; for a key without a user, the name of the key."""
        return self.login or self.name

    @property
    def rights(self) -> frozenset[Right]:
        """The rights of all roles together."""
        return _rights_of(self.roles)

    @property
    def scope(self) -> Scope:
        """The complaints that the caller may know of, in lists and figures (rules 7.1 and 7.2)."""
        return self.scope_for(Right.READ_OWN)

    @property
    def sight(self) -> Hashable:
        """A value that is equal for callers who see the same complaints."""
        return self.scope, self.login

    def scope_for(self, right: Right) -> Scope:
        """The complaints for which the caller has `right`. A role gives its rights as far as the role itself reads.

        So two roles together give no more than their sum: `intake` and `auditor` see the persons of the own source.
        A role of the staff counts before the role `intake` (rule 7.6).
        """
        staff = _staff_roles(self.roles, right)
        if not staff:
            return _source_scope(self.roles, self.source, right)
        if self.login is None:
            return ALL_COMPLAINTS
        return self.reach.scope_in(staff) if self.reach else NO_COMPLAINTS

    def may_have_part(self, right: Right) -> bool:
        """True if the caller is a user with `right` in a role of the staff: a complaint may then be the user's own."""
        return self.login is not None and bool(_staff_roles(self.roles, right))

    def scope_with(self, right: Right, now: datetime, *logins: Collection[str] | str | None) -> Scope:
        """The scope of a list that asks for complaints of users (rule 7.3); `logins` are the filters by users.

        A filter by the user of the caller, or by a user for whom that user stands in, is the scope.
        """
        scope = self.scope_for(right)
        asked = [{one} if isinstance(one, str) else {*one} for one in logins if one]
        if scope == ALL_COMPLAINTS or not asked or not self.may_have_part(right):
            return scope
        if {self.login} in asked:  # most often: nobody else need be looked for
            return ALL_COMPLAINTS
        own = {self.login, *self.represented(now)}
        return ALL_COMPLAINTS if any(one <= own for one in asked) else scope

    def represented(self, now: datetime) -> tuple[str, ...]:
        """The logins of the users for whom the user of the caller stands in at `now` (rule 3.10)."""
        return self.reach.represented(now) if self.reach else ()

    def has_right_on(self, right: Right, complaint: ScopedComplaint) -> bool:
        """True if the caller has `right` on a complaint that it may know of."""
        return self.has_right_everywhere(right) or self.admits(right, complaint)

    def has_right_everywhere(self, right: Right) -> bool:
        """True if the caller has `right` on every complaint that it may know of."""
        staff = _staff_roles(self.roles, right)
        if staff and staff == _staff_roles(self.roles, Right.READ_OWN):
            return True
        return self.scope_for(right) == self.scope

    def admits(self, right: Right, complaint: ScopedComplaint) -> bool:
        """True if the caller has `right` on a complaint, by scope or as its assignee or first owner now."""
        if self.scope_for(right).admits(complaint):
            return True
        return self.may_have_part(right) and self.login in (complaint.assignee, complaint.first_owner)

    def require(self, right: Right) -> None:
        """Raise Forbidden if the caller lacks `right`."""
        if right not in self.rights:
            raise LacksRight(right)


class LacksRight(Forbidden):
    """The caller has no role that gives `right`."""

    def __init__(self, right: Right) -> None:
        self.right = right
        super().__init__(f"This needs a key with one of the roles {', '.join(roles_with(right))}.")


def roles_with(right: Right) -> list[AccessRole]:
    """The roles that give `right`, the weakest first."""
    return [role for role in AccessRole if right in RIGHTS[role]]


def refuse_stronger(caller: Caller, roles: Iterable[AccessRole], refusal: str) -> None:
    """Raise Forbidden with the message `refusal` if the roles give a right that the caller lacks."""
    if not _rights_of(frozenset(roles)) <= caller.rights:
        raise Forbidden(refusal)


def complainant_of(source: str) -> Caller:
    """The complainant as a caller: may add contacts to complaints of this source."""
    return Caller("complainant", frozenset({AccessRole.INTAKE}), source, acts_as="complainant")


SYSTEM = Caller(name="system", roles=frozenset({AccessRole.ADMIN}), source="system")
