"""Sessions: open one after sign-in, find its caller at each request, list and end sessions."""

import logging
import secrets
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from complaints.domain.errors import Forbidden, NotFound, Unavailable
from complaints.domain.staff import User
from complaints.domain.vocabulary import SignInMethod
from complaints.storage.configuration import Configuration
from complaints.storage.rows import session as session_rows
from complaints.storage.rows.session import Session as Session
from complaints.use_cases.access import SESSION_PREFIX, Caller, Right
from complaints.use_cases.configuration.changing import claim_user
from complaints.use_cases.configuration.keys import digest_of
from complaints.use_cases.service import Service, Transaction

SEEN_STEP = timedelta(minutes=1)
_TOKEN_BYTES = 32
_LONGEST_IN_NAME = 200 - len(SESSION_PREFIX)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session ends when nobody used it for `idle`, and `absolute` after the sign-in in any case."""

    idle: timedelta = timedelta(hours=8)
    absolute: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The peer that signs in: its address, and the name that its browser gives itself."""

    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class SessionCaller:
    """A session that holds, and the caller as which its requests act."""

    session: Session
    caller: Caller


class SignInRefused(Forbidden):
    """Nobody was signed in. The message does not say whether the login exists."""

    code: ClassVar[str] = "sign-in-refused"


def open_session(
    service: Service,
    tx: Transaction,
    login: str,
    *,
    method: SignInMethod,
    visitor: Visitor,
    now: datetime,
    limits: SessionLimits,
) -> tuple[Session, str]:
    """Open a session for a user who has proven to be `login`. Returns it with its token, which nobody stores.

    `now` is the wall clock. Raises SignInRefused for a login that is no active user, Forbidden for one without roles.
    """
    claim_user(service, tx, login)
    require_sign_in(find_user(service, tx, login))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    opened = Session(
        service.new_id(),
        login,
        method,
        visitor.address[:64],
        visitor.agent[:200],
        created_at=now,
        seen_at=now,
        expires_at=now + limits.absolute,
    )
    session_rows.insert_session(tx, opened, digest=digest_of(token))
    log.info("a session begins", extra={"login": login, "method": method, "peer": visitor.address})
    return opened, token


def find_user(service: Service, tx: Transaction, login: str) -> User | None:
    """The user as the database has it now, also if another process made the user a moment ago."""
    return service.cache.current(tx, certain=True).directory.users.get(login)


def require_sign_in(user: User | None) -> User:
    """The user, who may sign in. Raises SignInRefused for nobody or an inactive user, Forbidden without roles."""
    if user is None or not user.active:
        raise SignInRefused("This user may not sign in.")
    if not user.roles:
        raise Forbidden("This user has no role, so there is nothing to sign in for: ask an administrator.")
    return user


def use_session(
    service: Service, token: str, *, now: datetime, limits: SessionLimits
) -> SessionCaller | None:
    """As `find_session_caller`, and records the use once a minute."""
    found = find_session_caller(service, token, now=now, limits=limits)
    if found and now - found.session.seen_at >= SEEN_STEP:
        with suppress(Unavailable):  # a database that only reads for now: the next request records the use
            service.write(lambda tx: session_rows.note_seen(tx, found.session.id, now))
    return found


def find_session_caller(
    service: Service, token: str, *, now: datetime, limits: SessionLimits
) -> SessionCaller | None:
    """The session with this token and its caller, as the database and the configuration have them now.

    None if it has ended or its user may no longer sign in.
    """

    def find(tx: Transaction) -> SessionCaller | None:
        found = session_rows.find_session(tx, digest_of(token))
        if found is None or not found.usable(now, idle=limits.idle):
            return None
        caller = find_user_caller(service.configuration(tx), found.login)
        if caller is None:  # another process may have made the user a moment ago
            caller = find_user_caller(service.cache.current(tx, certain=True), found.login)
        return SessionCaller(found, caller) if caller else None

    return service.read(find)


def find_session_callers(
    service: Service, tx: Transaction, tokens: Collection[str], *, now: datetime, limits: SessionLimits
) -> dict[str, Caller | None]:
    """The callers of many sessions, by token; None for a session that has ended or whose user may not sign in."""
    if not tokens:
        return {}
    found = session_rows.find_sessions_by_digest(tx, [digest_of(token) for token in tokens])
    configuration = service.configuration(tx)
    logins = {digest: one.login for digest, one in found.items() if one.usable(now, idle=limits.idle)}
    return {
        token: find_user_caller(configuration, login) if (login := logins.get(digest_of(token))) else None
        for token in tokens
    }


def find_user_caller(configuration: Configuration, login: str) -> Caller | None:
    """The caller of a session of this user. Its name fits where the names of keys are stored. None: may not sign in."""
    user = configuration.directory.users.get(login)
    if user is None or not user.active or not user.roles:
        return None
    name = login if len(login) <= _LONGEST_IN_NAME else digest_of(login)
    reach = configuration.reach_of(login)
    return Caller(SESSION_PREFIX + name, frozenset(user.roles), login, login, reach)


def list_sessions(
    tx: Transaction, caller: Caller, login: str | None, *, now: datetime, limits: SessionLimits
) -> Sequence[Session]:
    """The sessions of a user that hold, latest first; without `login`, those of the caller.

    Raises Forbidden for the sessions of others, unless the caller administers.
    """
    if login is not None and login != caller.login:
        caller.require(Right.ADMINISTER)
    owner = login or caller.login
    found = session_rows.find_sessions(tx, owner) if owner else []
    return [one for one in found if one.usable(now, idle=limits.idle)]


def end_session(tx: Transaction, caller: Caller, session_id: UUID) -> None:
    """End a session of the caller, or any session if the caller administers. Again, it changes nothing.

    Raises NotFound.
    """
    found = session_rows.find_session_by_id(tx, session_id)
    if found is None or (found.login != caller.login and Right.ADMINISTER not in caller.rights):
        raise NotFound("There is no such session.")
    if session_rows.end_session(tx, session_id, actor=caller.actor) and found.login != caller.login:
        log.info("a session was ended for its user", extra={"login": found.login, "actor": caller.actor})
