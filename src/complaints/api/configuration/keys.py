"""API keys: made, listed, revoked."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from complaints.api.configuration.schemas import KEY_EXAMPLE, KeyShown, NewKeyShown, Page
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import Paged, page
from complaints.api.problems.schemas import refusals
from complaints.api.request import Call, CallFacts, Shown, needs
from complaints.domain.json_text import encode, plain
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateKey
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.keys import KeyRecord
from complaints.use_cases.service import Transaction

router = APIRouter(
    prefix="/keys", tags=["keys"], route_class=StrictRoute, dependencies=[needs(Right.ADMINISTER)]
)


def key_json(record: KeyRecord) -> dict[str, Any]:
    """A key as the API shows it, without anything of its secret."""
    key = record.key
    return {
        "id": str(key.id),
        "name": key.name,
        "roles": sorted(key.roles),
        "source": key.source,
        "user": key.login,
        "expires_at": plain(key.expires_at),
        "created_at": plain(record.created_at),
        "created_by": record.created_by,
        "revoked_at": plain(key.revoked_at),
    }


@router.get("", responses={200: {"model": Page[KeyShown]}})
def list_keys(call: Call, query: Paged) -> Response:
    """Every key, oldest first, revoked ones too."""

    def work(tx: Transaction) -> Shown:
        shown = [key_json(record) for record in keys.list_records(tx)]
        return page(shown, query, kind="keys", order=["id"], shape=KeyShown)

    return call.read(work)


@router.get("/{key_id}", responses={200: {"model": KeyShown}, **refusals(not_found="There is no such key.")})
def get_key(call: Call, key_id: UUID) -> Response:
    """One key."""
    return call.read(lambda tx: (200, key_json(keys.load_record(tx, key_id)), {}))


@router.post(
    "",
    status_code=201,
    responses={
        201: {"model": NewKeyShown},
        **refusals(
            forbidden="The key would have more rights than the caller's.", conflict="The name is taken."
        ),
    },
)
def create_key(
    call: Call, request: Request, command: Annotated[CreateKey, Body(examples=[KEY_EXAMPLE])]
) -> Response:
    """Make a key. Its secret is in this answer alone; only a digest of it is stored. Repeated with the same
    `Idempotency-Key` the answer is the same: for that the secret is kept veiled by the caller's own.
    """
    pad = _pad(call, request)

    def work(tx: Transaction) -> Shown:
        key, secret = keys.create_key(
            call.service,
            tx,
            call.caller,
            name=command.name,
            roles=command.roles,
            source=command.source,
            login=command.user,
            expires_at=command.expires_at,
        )
        told = keys.veiled(secret, pad + key.id.bytes) if pad else secret
        shown = key_json(keys.load_record(tx, key.id)) | {"key": told}
        return 201, shown, {"Location": f"/v1/keys/{key.id}", "Cache-Control": "no-store"}

    return call.configure(work, reveal=lambda body: _revealed(call, body, pad) if pad else body)


def _pad(call: CallFacts, request: Request) -> bytes:
    """What veils the secret in a kept answer: made of the caller's own, which the database does not know.

    Empty where nothing is kept.
    """
    if call.attempt is None:
        return b""
    _, _, own = request.headers["authorization"].partition(" ")
    return f"{own.strip()}\n{call.attempt.key}\n".encode()


def _revealed(call: CallFacts, body: bytes, pad: bytes) -> bytes:
    shown = json.loads(body)
    secret = keys.veiled(shown["key"], pad + UUID(shown["id"]).bytes)
    call.service.read(lambda tx: keys.check_known(tx, secret))
    return encode(shown | {"key": secret})


@router.delete(
    "/{key_id}",
    status_code=204,
    responses=refusals(
        not_found="There is no such key.", conflict="It is the last key that may make others."
    ),
)
def revoke_key(call: Call, key_id: UUID) -> Response:
    """Revoke a key, for good: it stops working in every process within a second. It stays in the list."""

    def work(tx: Transaction) -> Shown:
        keys.revoke_key(call.service, tx, call.caller, key_id)
        return 204, None, {}

    return call.configure(work)
