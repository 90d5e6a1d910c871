"""Callers, and the rights that their roles give."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from complaints.domain.errors import Forbidden
from complaints.domain.scope import ALL_COMPLAINTS, Scope
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
_SUPERVISOR = _AGENT | {Right.SUPERVISE}
_MANAGER = _SUPERVISOR | {Right.ERASE, Right.CONFIGURE, Right.AUDIT, Right.REVEAL}
RIGHTS: dict[AccessRole, frozenset[Right]] = {
    AccessRole.INTAKE: frozenset({Right.CREATE, Right.READ_OWN, Right.SEE_PERSONS, Right.CONTRIBUTE}),
    AccessRole.AGENT: _AGENT,
    AccessRole.SUPERVISOR: _SUPERVISOR,
    AccessRole.MANAGER: _MANAGER,
    AccessRole.AUDITOR: frozenset({Right.READ_OWN, Right.READ, Right.AUDIT, Right.REVEAL}),
    AccessRole.ADMIN: frozenset(Right),
}


@cache
def _rights_of(roles: frozenset[AccessRole]) -> frozenset[Right]:
    return frozenset().union(*(RIGHTS[role] for role in roles))


@lru_cache(maxsize=1024)
def _scope_for(roles: frozenset[AccessRole], source: str, right: Right) -> Scope:
    giving = [role for role in roles if right in RIGHTS[role]]
    if any(Right.READ in RIGHTS[role] for role in giving):
        return ALL_COMPLAINTS
    return Scope.sources([source] if giving else [])


def right_for(action: Action) -> Right:
    """The right to take an action."""
    return Right.CONTRIBUTE if action is Action.WITHDRAW else Right.WORK


@dataclass(frozen=True, slots=True)
class Caller:
    """The key behind a request, and the user to whom the key belongs, if any."""

    name: str
    roles: frozenset[AccessRole]
    source: str
    login: str | None = None

    @property
    def actor(self) -> str:
        """The name of the caller in the history."""
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
        """The complaints that the caller may know of: all with the right `read`, else the complaints of its source."""
        return self.scope_for(Right.READ_OWN)

    def scope_for(self, right: Right) -> Scope:
        """The complaints for which the caller has `right`. A role gives its rights as far as the role itself reads.

        So two roles together give no more than their sum: `intake` and `auditor` see the persons of the own source.
        """
        return _scope_for(self.roles, self.source, right)

    @property
    def change_scope(self) -> Scope:
        """The complaints that the caller may change: without the right `work`, those of its source alone."""
        return self.scope if Right.WORK in self.rights else Scope.sources([self.source])

    def require(self, right: Right) -> None:
        """Raise Forbidden if the caller lacks `right`."""
        if right not in self.rights:
            roles = ", ".join(role for role in AccessRole if right in RIGHTS[role])
            raise Forbidden(f"This needs a key with one of the roles {roles}.")


SYSTEM = Caller(name="system", roles=frozenset({AccessRole.ADMIN}), source="system")
