"""Passwords: sign in with one, change it, and set a first one by a link. Hashes are made outside transactions."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from complaints.domain.errors import Conflict, Forbidden, InvalidContent
from complaints.domain.rules.passwords import find_password_fault, normalise_password
from complaints.domain.staff import User
from complaints.domain.vocabulary import AuditSubject, SignInMethod
from complaints.storage.rows import audit_event, configuration, user_password
from complaints.storage.rows import session as session_rows
from complaints.storage.rows.user_password import PasswordLink as PasswordLink
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.accounts import hashing, throttle
from complaints.use_cases.accounts.sessions import (
    Session,
    SessionLimits,
    SignInRefused,
    Visitor,
    find_user,
    open_session,
    require_sign_in,
)
from complaints.use_cases.accounts.throttle import Counter
from complaints.use_cases.configuration.keys import digest_of
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Service, Transaction

LINK_LASTS = timedelta(hours=72)
_TOKEN_BYTES = 32


class PasswordLinkRefused(Forbidden):
    """The token is of no link that is open."""

    code: ClassVar[str] = "link-refused"


def sign_in(
    service: Service,
    login: str,
    password: str,
    *,
    visitor: Visitor,
    token: str,
    now: datetime,
    limits: SessionLimits,
) -> tuple[Session, str]:
    """Open a session for the user with this login and password. Returns it with its token.

    `token` is the token of the session that the browser has or had; that session ends. `now` is the wall clock.
    Raises SignInRefused, the same for an unknown login and for a wrong password. Raises TooManyFailures, Forbidden for
    a user without roles, and Conflict if the password changes at the same time.
    """

    def prepare(tx: Transaction) -> tuple[Sequence[Counter], User | None, str | None]:
        counters = throttle.counters_of_visitor(tx, login, address=visitor.address, token=token)
        throttle.admit(tx, counters, now)
        return counters, find_user(service, tx, login), user_password.find_hash(tx, login)

    counters, user, known = service.read(prepare)
    password = normalise_password(password)
    if not hashing.fits(password, known) or user is None or not user.active:
        service.write(lambda tx: throttle.count_try(tx, counters, now))
        raise SignInRefused("The login or the password is wrong.")
    require_sign_in(user)
    newer = hashing.make_hash(password) if known and hashing.is_outdated(known) else None
    actor = f"user:{login}"

    def finish(tx: Transaction) -> tuple[Session, str]:
        if newer:
            configuration.claim_version(tx)
        _refuse_changed(tx, login, known)
        if newer:
            user_password.replace_hash(tx, login, newer)
            audit_event.record_change(tx, actor, AuditSubject.PASSWORD, login)
        if token and (before := session_rows.find_session(tx, digest_of(token))):
            session_rows.end_session(tx, before.id, actor=actor)
        throttle.record_success(tx, counters)
        return open_session(
            service, tx, login, method=SignInMethod.PASSWORD, visitor=visitor, now=now, limits=limits
        )

    return service.write(finish)


def _refuse_changed(tx: Transaction, login: str, known: str | None) -> None:
    """Let changes of the password wait until this transaction ends. Raises Conflict if `known` is its hash no more."""
    if user_password.find_hash(tx, login, lock=True) != known:
        raise Conflict("The password was changed at the same time: try again.")


def change_password(
    service: Service, caller: Caller, old: str, new: str, *, session_id: UUID | None, now: datetime
) -> None:
    """Change the caller's own password. All other sessions of the user end. `now` is the wall clock.

    Raises Forbidden for a caller who is no user. Raises InvalidContent for a wrong old password, and for a new one
    against rule 8.1. Raises TooManyFailures, and Conflict if the password changes at the same time.
    """
    login = caller.login
    if login is None:
        raise Forbidden("This key belongs to no user, so it has no password.")
    counters = [throttle.counter_of_caller(login, str(session_id or caller.name))]

    def prepare(tx: Transaction) -> tuple[User, str | None]:
        throttle.admit(tx, counters, now)
        user = USERS.load(service.configuration(tx), login)
        return user, user_password.find_hash(tx, login)

    user, known = service.read(prepare)
    new = _check(new, user)
    if not hashing.fits(normalise_password(old), known):
        service.write(lambda tx: throttle.count_try(tx, counters, now))
        raise InvalidContent.at("/old_password", "The old password is wrong.")
    hashed = hashing.make_hash(new)

    def finish(tx: Transaction) -> None:
        configuration.claim_version(tx)
        _refuse_changed(tx, login, known)
        throttle.record_success(tx, counters)
        _set(tx, caller.actor, login, hashed, keep=session_id)

    service.write(finish)


def make_password_link(
    service: Service, tx: Transaction, caller: Caller, login: str
) -> tuple[PasswordLink, str]:
    """Make a link by which a user sets a password, once and within 72 hours. Returns it with its token.

    It replaces an older link of the user. Raises Forbidden, NotFound, and Conflict for a user who is not active.
    """
    caller.require(Right.ADMINISTER)
    if not USERS.load(service.cache.current(tx, certain=True), login).active:
        raise Conflict(f"{login} is not active, so there is nothing to set a password for.")
    configuration.claim_version(tx)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = PasswordLink(login, tx.now + LINK_LASTS)
    user_password.write_link(tx, link, digest=digest_of(token), made_by=caller.actor)
    audit_event.record_change(tx, caller.actor, AuditSubject.PASSWORD, login)
    return link, token


def set_password_by_link(service: Service, token: str, password: str) -> str:
    """Set the password of the user for whom the link was made, and end all sessions. Returns the login.

    Raises PasswordLinkRefused for an unknown, used, replaced or expired link, and InvalidContent.
    """
    user = service.read(lambda tx: _user_of_link(service, tx, token))
    hashed = hashing.make_hash(_check(password, user))

    def finish(tx: Transaction) -> None:
        configuration.claim_version(tx)
        _user_of_link(service, tx, token)  # somebody else may have used it
        _set(tx, f"user:{user.login}", user.login, hashed)

    service.write(finish)
    return user.login


def _user_of_link(service: Service, tx: Transaction, token: str) -> User:
    link = user_password.find_link(tx, digest_of(token))
    user = find_user(service, tx, link.login) if link else None
    if link is None or tx.now >= link.expires_at or user is None or not user.active:
        raise PasswordLinkRefused("This link was used, has expired, or was replaced by a newer one.")
    return user


def _check(password: str, user: User) -> str:
    """The normal form of a new password. Raises InvalidContent."""
    password = normalise_password(password)
    if (fault := find_password_fault(password, user)) is not None:
        raise InvalidContent.at("/password", fault)
    return password


def _set(tx: Transaction, actor: str, login: str, hashed: str, *, keep: UUID | None = None) -> None:
    user_password.write_hash(tx, login, hashed)
    audit_event.record_change(tx, actor, AuditSubject.PASSWORD, login)
    session_rows.end_sessions(tx, login, actor=actor, except_for=keep)
