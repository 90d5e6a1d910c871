"""Who may do what: the caller behind a key, and the rights of the roles."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from complaints.domain.errors import Forbidden
from complaints.domain.scope import ALL_COMPLAINTS, Scope
from complaints.domain.vocabulary import AccessRole


class Right(StrEnum):
    """What a role lets one do."""

    CREATE = "create"  # post complaints and imports
    READ_OWN = "read_own"  # read complaints of one's own source
    READ = "read"  # read every complaint
    SEE_PERSONS = "see_persons"  # read personal data unmasked
    WORK = "work"  # take actions, write notes, acknowledge
    SUPERVISE = "supervise"  # change the first owner, re-plan
    CONFIGURE = "configure"  # write reference data
    ADMINISTER = "administer"  # keys


_AGENT = frozenset({Right.CREATE, Right.READ_OWN, Right.READ, Right.SEE_PERSONS, Right.WORK})
_SUPERVISOR = _AGENT | {Right.SUPERVISE}
_MANAGER = _SUPERVISOR | {Right.CONFIGURE}
RIGHTS: dict[AccessRole, frozenset[Right]] = {
    AccessRole.INTAKE: frozenset({Right.CREATE, Right.READ_OWN, Right.SEE_PERSONS}),
    AccessRole.AGENT: _AGENT,
    AccessRole.SUPERVISOR: _SUPERVISOR,
    AccessRole.MANAGER: _MANAGER,
    AccessRole.AUDITOR: frozenset({Right.READ_OWN, Right.READ}),
    AccessRole.ADMIN: frozenset(Right),
}


@cache
def _rights_of(roles: frozenset[AccessRole]) -> frozenset[Right]:
    return frozenset().union(*(RIGHTS[role] for role in roles))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a key, and the person it belongs to, if any."""

    name: str
    roles: frozenset[AccessRole]
    source: str
    login: str | None = None

    @property
    def actor(self) -> str:
        """The name the history knows them by."""
        return f"user:{self.login}" if self.login else f"key:{self.name}"

    @property
    def person(self) -> str:
        """The login, or the key's name where it belongs to nobody."""
        return self.login or self.name

    @property
    def rights(self) -> frozenset[Right]:
        """All their roles' rights."""
        return _rights_of(self.roles)

    @property
    def scope(self) -> Scope:
        """The complaints that the caller may know of: all with the right `read`, else those of its source."""
        return ALL_COMPLAINTS if Right.READ in self.rights else Scope.sources([self.source])

    def require(self, right: Right) -> None:
        """Raise Forbidden if they lack `right`."""
        if right not in self.rights:
            roles = ", ".join(role for role in AccessRole if right in RIGHTS[role])
            raise Forbidden(f"This needs a key with one of the roles {roles}.")


SYSTEM = Caller(name="system", roles=frozenset({AccessRole.ADMIN}), source="system")
