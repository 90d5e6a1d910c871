"""Routes to sign in and out, and for the sessions of users."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from complaints.api.accounts.hashing_turns import HashingTurns
from complaints.api.accounts.schemas import SessionList, SessionShown
from complaints.api.http.request_heads import address_of, find_header
from complaints.api.http.session_cookies import read_session_token, session_cookie
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, encode_reply, get_service, make_response
from complaints.domain.errors import NotFound
from complaints.domain.json_text import to_json
from complaints.use_cases.accounts import passwords, sessions
from complaints.use_cases.accounts.sessions import Session, SessionLimits, Visitor
from complaints.use_cases.commands.accounts import Login, SignIn
from complaints.use_cases.commands.field_types import Content
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.accounts")
router = APIRouter(tags=["accounts"], route_class=StrictRoute)


class SessionsQuery(Content):
    """Whose sessions are asked for."""

    login: Annotated[
        Login | None,
        Query(description="The login of another user; it needs the role `admin`. Absent: the caller's own."),
    ] = None


def session_json(session: Session, current: Session | None) -> dict[str, Any]:
    """A session as the API shows it. `current` is the session of the request. Nothing comes from the token."""
    return {
        "id": str(session.id),
        "login": session.login,
        "method": session.method,
        "address": session.address,
        "agent": session.agent,
        "created_at": to_json(session.created_at),
        "seen_at": to_json(session.seen_at),
        "expires_at": to_json(session.expires_at),
        "current": current is not None and session.id == current.id,
    }


def visitor_of(request: Request) -> Visitor:
    """The peer of a request."""
    agent = find_header(request.scope, b"user-agent")
    return Visitor(address_of(request), "".join(filter(str.isprintable, agent)))


def give_session(request: Request, session: Session, token: str, reply: Reply) -> Response:
    """The answer with `reply` that gives the browser its session in a cookie."""
    limits: SessionLimits = request.app.state.session_limits
    answer = make_response(encode_reply(reply))
    answer.headers["Cache-Control"] = "no-store"
    cookie = session_cookie(request.scope, token, seconds=int(limits.absolute.total_seconds()))
    answer.headers["Set-Cookie"] = cookie
    return answer


@router.post(
    "/session",
    status_code=201,
    responses={
        201: {"model": SessionShown, "description": "The session; its token is in the cookie"},
        **refusals(
            sign_in_refused="The login or the password is wrong.",
            forbidden="The user has no role.",
            conflict="The password changed at the same time.",
            too_many_requests="Too many wrong passwords.",
        ),
    },
)
async def sign_in(
    request: Request, command: Annotated[SignIn, Body(examples=[_EXAMPLES["sign_in"]])]
) -> Response:
    """Sign in by password. The answer sets the cookie of the session, which stands for a key in later requests.

    An unknown login and a wrong password get the same answer. After five wrong passwords each further one makes the
    next try wait longer, up to a minute.
    """
    turns: HashingTurns = request.app.state.hashing_turns
    visitor = visitor_of(request)
    work = partial(
        passwords.sign_in,
        get_service(request),
        command.login,
        command.password.get_secret_value(),
        visitor=visitor,
        token=read_session_token(request.scope),
        now=request.app.state.wall(),
        limits=request.app.state.session_limits,
    )
    session, token = await turns.run(work, address=visitor.address)
    return give_session(
        request, session, token, (201, session_json(session, session), {"Location": "/v1/session"})
    )


@router.get(
    "/session",
    responses={200: {"model": SessionShown}, **refusals(not_found="The caller has a key, and no session.")},
)
def get_session(request: CurrentRequest, http_request: Request) -> Response:
    """The session of this request."""
    session = _current(http_request)
    return request.answer((200, session_json(session, session), {}))


@router.delete(
    "/session", status_code=204, responses=refusals(not_found="The caller has a key, and no session.")
)
def sign_out(request: CurrentRequest, http_request: Request) -> Response:
    """Sign out: the session ends, and the answer takes the cookie away."""
    session = _current(http_request)
    get_service(http_request).write(lambda tx: sessions.end_session(tx, request.caller, session.id))
    cookie = session_cookie(http_request.scope, "", seconds=0)
    return request.answer((204, None, {"Set-Cookie": cookie}))


@router.get("/sessions", responses={200: {"model": SessionList}, **refusals(forbidden="Another user's.")})
def list_sessions(
    request: CurrentRequest, http_request: Request, query: Annotated[SessionsQuery, Query()]
) -> Response:
    """The sessions of the caller that have not ended, latest first. Administrators may ask for those of a user."""
    state = http_request.app.state

    def work(tx: Transaction) -> Reply:
        found = sessions.list_sessions(
            tx, request.caller, query.login, now=state.wall(), limits=state.session_limits
        )
        current = _find_current(http_request)
        return 200, {"items": [session_json(one, current) for one in found]}, {}

    return request.answer(get_service(http_request).read(work))


@router.delete(
    "/sessions/{session_id}", status_code=204, responses=refusals(not_found="There is no such session.")
)
def end_session(request: CurrentRequest, session_id: UUID) -> Response:
    """End a session of the caller, on another machine for instance. Administrators may end any session."""

    def work(tx: Transaction) -> Reply:
        sessions.end_session(tx, request.caller, session_id)
        return 204, None, {}

    return request.write(work)


def _find_current(request: Request) -> Session | None:
    session: Session | None = request.scope["state"].get("session")
    return session


def _current(request: Request) -> Session:
    session = _find_current(request)
    if session is None:
        raise NotFound("This request has a key, and no session.")
    return session
