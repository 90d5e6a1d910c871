"""A tiny application behind the real middleware, and the real server around it."""

import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Body, FastAPI, Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from complaints.api.http.strict_route import StrictRoute
from complaints.api.middleware import RequestLimits, install_middleware
from complaints.api.problems.refusals import Unauthenticated
from complaints.domain.errors import (
    Conflict,
    Fault,
    Forbidden,
    InvalidContent,
    NotFound,
    StaleVersion,
    TransitionRefused,
    Unavailable,
)
from complaints.serving.http_server import DrainingServer, server_config

REFUSALS = {
    "invalid": InvalidContent("Two things are wrong.", faults=[Fault("/a~1b", "bad"), Fault("/c", "worse")]),
    "forbidden": Forbidden("Not with this key."),
    "not-found": NotFound("No complaint has this number."),
    "conflict": Conflict("It is there already."),
    "transition": TransitionRefused("close is not legal now.", allowed=["respond", "resolve"]),
    "stale": StaleVersion("It is at version 3 now."),
    "unauthenticated": Unauthenticated("Send a key."),
    "unavailable": Unavailable("The database is out of reach."),
}


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=5)
    phone: str | None = None


class Letter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    subject: str = Field(min_length=1, max_length=20, examples=["No signal"])
    received_at: AwareDatetime | None = None
    person: Person | None = None
    tags: list[str | int] = []
    a_b: int | None = Field(default=None, alias="a/b~c")

    @field_validator("subject")
    @classmethod
    def _visible(cls, subject: str) -> str:
        if not subject.strip():
            raise ValueError("must hold a visible character")
        return subject


router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["letters"])


@router.post("/letters", status_code=201, summary="Send a letter")
async def send_letter(letter: Letter) -> dict[str, Any]:
    return letter.model_dump(mode="json")


@router.get("/letters", summary="List letters")
def list_letters(
    limit: Annotated[int, Query(ge=1, le=200, description="How many, <b>at most</b>.")] = 50,
    x_mood: Annotated[int | None, Header()] = None,
) -> dict[str, Any]:
    return {"limit": limit, "mood": x_mood}


@router.patch("/letters/{number}")
async def change_letter(number: int, changes: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
    return {"number": number, **changes}


@router.delete("/letters/{number}", status_code=204)
async def drop_letter(number: int) -> None:
    return None


class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid")
    team: str | None = None


@router.get("/filtered")
async def filtered(filters: Annotated[Filters, Query()]) -> dict[str, Any]:
    return filters.model_dump()


@router.post("/optional")
async def optional(letter: Letter | None = None) -> dict[str, Any]:
    return {"letter": letter is not None}


@router.post("/stream")
async def stream(request: Request) -> dict[str, Any]:
    return {"bytes": sum([len(chunk) async for chunk in request.stream()])}


@router.post("/unread")
async def unread() -> dict[str, Any]:
    return {"read": False}


@router.get("/refused/{what}")
async def refused(what: str, phone: str = "") -> None:
    raise REFUSALS[what]


@router.get("/broken")
def broken(phone: str = "") -> None:
    raise RuntimeError("the secret is +8613800000000")


@router.get("/half")
async def half() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        raise RuntimeError("the secret is +8613800000000")

    return StreamingResponse(parts(), media_type="text/plain")


@router.get("/large")
async def large() -> Response:
    return Response(b"x" * 12_000_000, media_type="text/plain")


@router.get("/page")
async def page() -> HTMLResponse:
    return HTMLResponse("<p>hello</p>")


@router.get("/cached")
async def cached() -> JSONResponse:
    return JSONResponse({}, headers={"Cache-Control": "max-age=60"})


def make_app(limits: RequestLimits | None = None, **options: Any) -> FastAPI:
    app = FastAPI(title="Letters", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(router)
    install_middleware(app, limits=limits or RequestLimits(), **options)
    return app


@contextmanager
def running(app: FastAPI, **settings: Any) -> Iterator[int]:
    """The port of a real server around `app`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = server_config(app, **settings)
        server = DrainingServer(config, drain_seconds=0)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started and time.monotonic() < deadline:
                time.sleep(0.01)
            yield listener.getsockname()[1]
        finally:
            server.handle_exit(signal.SIGTERM, None)
            thread.join()
