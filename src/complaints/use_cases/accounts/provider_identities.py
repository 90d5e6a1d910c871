"""Provider identities: link users to subjects of an OpenID provider, and sign in by them."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from complaints.domain.errors import Conflict, Forbidden, NotFound
from complaints.domain.staff import User
from complaints.domain.vocabulary import AuditSubject, SignInMethod
from complaints.storage.configuration import Configuration
from complaints.storage.rows import provider_identity as rows
from complaints.storage.rows import session as session_rows
from complaints.storage.rows.provider_identity import ProviderIdentity as ProviderIdentity
from complaints.use_cases.access import SYSTEM, Caller, Right
from complaints.use_cases.accounts.sessions import Session, SessionLimits, Visitor, open_session
from complaints.use_cases.configuration.changing import claim_to_change, finish_change
from complaints.use_cases.configuration.keys import digest_of
from complaints.use_cases.service import Service, Transaction

if TYPE_CHECKING:  # it loads libraries that only installations with a provider need
    from complaints.use_cases.accounts.identity_tokens import ProvenIdentity

log = logging.getLogger(__name__)


class IdentityNotLinked(Forbidden):
    """The provider vouches for somebody whom no user here is linked to."""

    code: ClassVar[str] = "identity-not-linked"


def load_identity(service: Service, tx: Transaction, caller: Caller, login: str) -> ProviderIdentity:
    """The identity of a user. Raises Forbidden without the right, NotFound for no user or no identity."""
    caller.require(Right.ADMINISTER)
    _require_user(service.cache.current(tx, certain=True), login)
    return _load_linked(tx, login)


def link_identity(
    service: Service, tx: Transaction, caller: Caller, login: str, *, issuer: str, subject: str
) -> ProviderIdentity:
    """Link a user to a subject of an issuer, in place of an earlier subject (rule 8.5).

    Raises Forbidden without the right, NotFound for no user, Conflict if the subject is another user's. The sessions
    of the user end if there was an earlier subject.
    """
    _require_user(claim_to_change(service, tx, caller, Right.ADMINISTER), login)
    holder = rows.find_login(tx, issuer, subject)
    if holder is not None and holder != login:
        raise Conflict(f"This subject is linked to the user {holder!r}: unlink it there first.")
    before = rows.find_identity(tx, login)
    if before is not None and holder == login:
        return before
    return _write(tx, caller, ProviderIdentity(login, issuer, subject, tx.now, caller.actor), before)


def unlink_identity(service: Service, tx: Transaction, caller: Caller, login: str) -> None:
    """Take the identity of a user away, and end the sessions of the user.

    Raises Forbidden without the right, NotFound for no user or no identity.
    """
    _require_user(claim_to_change(service, tx, caller, Right.ADMINISTER), login)
    before = _load_linked(tx, login)
    _write(tx, caller, ProviderIdentity(login, None, None, tx.now, caller.actor), before)


def link_by_email(service: Service, tx: Transaction, proven: "ProvenIdentity") -> None:
    """Link the only user with the verified e-mail address of a subject that nobody is linked to (rule 8.5).

    Nothing happens without a verified address, for no or several such users, and for a user who has or had an
    identity: there an administrator decides.
    """
    if proven.verified_email is None or rows.find_login(tx, proven.issuer, proven.subject) is not None:
        return
    configuration = claim_to_change(service, tx, SYSTEM)
    users = _users_with(configuration, proven.verified_email)
    if len(users) != 1 or not users[0].roles or rows.find_identity(tx, users[0].login) is not None:
        return
    caller = replace(SYSTEM, login=users[0].login)
    linked = ProviderIdentity(users[0].login, proven.issuer, proven.subject, tx.now, caller.actor)
    _write(tx, caller, linked, None)


def sign_in_by(
    service: Service,
    proven: "ProvenIdentity",
    *,
    links_by_email: bool,
    visitor: Visitor,
    replaced: str,
    now: datetime,
    limits: SessionLimits,
) -> tuple[Session, str]:
    """Open a session for the user to whom an identity is linked. Returns it with its token.

    The session of the token `replaced` ends, if there is one. `now` is the wall clock. Raises IdentityNotLinked,
    SignInRefused for a user who is not active, Forbidden for a user without roles.
    """
    if links_by_email and proven.verified_email is not None:
        service.configure(lambda tx: link_by_email(service, tx, proven))

    def finish(tx: Transaction) -> tuple[Session, str]:
        login = _claim_linked_login(tx, proven)
        if replaced and (before := session_rows.find_session(tx, digest_of(replaced))):
            session_rows.end_session(tx, before.id, actor=f"user:{login}")
        return open_session(
            service, tx, login, method=SignInMethod.OIDC, visitor=visitor, now=now, limits=limits
        )

    return service.write(finish)


def _claim_linked_login(tx: Transaction, proven: "ProvenIdentity") -> str:
    login = rows.claim_login(tx, proven.issuer, proven.subject)
    if login is None:
        names = {"issuer": proven.issuer, "subject": proven.subject}
        log.info("an identity is linked to no user", extra=names)  # an administrator needs it for the link
        raise IdentityNotLinked(
            "Your account at the provider is linked to no user here: ask an administrator."
        )
    return login


def _write(
    tx: Transaction, caller: Caller, identity: ProviderIdentity, before: ProviderIdentity | None
) -> ProviderIdentity:
    rows.write_identity(tx, identity)
    if before is not None and before.subject is not None:
        session_rows.end_sessions(tx, identity.login, actor=caller.actor)
    finish_change(tx, caller, AuditSubject.PROVIDER_IDENTITY, identity.login)
    return identity


def _load_linked(tx: Transaction, login: str) -> ProviderIdentity:
    found = rows.find_identity(tx, login)
    if found is None or found.subject is None:
        raise NotFound(f"The user {login!r} has no provider identity.")
    return found


def _require_user(configuration: Configuration, login: str) -> None:
    if login not in configuration.directory.users:
        raise NotFound(f"There is no user {login!r}.")


def _users_with(configuration: Configuration, email: str) -> list[User]:
    """The active users with this e-mail address."""
    users = configuration.directory.users.values()
    return [user for user in users if user.active and user.email and _is_same_address(user.email, email)]


def _is_same_address(one: str, other: str) -> bool:
    """True for equal addresses. Only the case of ASCII letters makes no difference.

    A wider form would take look-alikes of other alphabets for the address of a user.
    """
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())
