"""Routes for API keys: create, list, read, rotate, revoke."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Request
from starlette.responses import Response

from complaints.api.configuration.schemas import KeyShown, NewKeyShown, Page
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.kept_secrets import KeptSecret
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageParameters, make_page
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import CreateKey, RotateKey
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.keys import Key, KeyRecord
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.api.configuration")

router = PrefixedRouter(
    prefix="/keys", tags=["keys"], route_class=StrictRoute, dependencies=[require_right(Right.ADMINISTER)]
)


def key_json(record: KeyRecord) -> dict[str, Any]:
    """A key as the API shows it. Nothing in it comes from the secret."""
    key = record.key
    return {
        "id": str(key.id),
        "name": key.name,
        "roles": sorted(key.roles),
        "source": key.source,
        "user": key.login,
        "expires_at": to_json(key.expires_at),
        "created_at": to_json(record.created_at),
        "created_by": record.created_by,
        "revoked_at": to_json(key.revoked_at),
        "previous_until": to_json(key.previous_until),
        "last_used_at": to_json(record.last_used_at),
    }


@router.get("", responses={200: {"model": Page[KeyShown]}})
def list_keys(request: CurrentRequest, query: PageParameters) -> Response:
    """Every key, oldest first, also the revoked keys."""

    def work(tx: Transaction) -> Reply:
        shown = [key_json(record) for record in keys.list_records(tx)]
        return make_page(shown, query, kind="keys", order=["id"], shape=KeyShown)

    return request.read(work)


@router.get("/{key_id}", responses={200: {"model": KeyShown}, **refusals(not_found="There is no such key.")})
def get_key(request: CurrentRequest, key_id: UUID) -> Response:
    """One key."""
    return request.read(lambda tx: (200, key_json(keys.load_record(tx, key_id)), {}))


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
    request: CurrentRequest,
    http_request: Request,
    command: Annotated[CreateKey, Body(examples=[_EXAMPLES["create_key"]])],
) -> Response:
    """Make a key. Only this answer has its secret; the database stores a digest of it. A request repeated with
    the same `Idempotency-Key` gets the same answer: for that the secret is stored, encrypted with the secret of
    the caller.
    """

    def create(tx: Transaction) -> tuple[Key, str]:
        return keys.create_key(
            request.service,
            tx,
            request.caller,
            name=command.name,
            roles=command.roles,
            source=command.source,
            login=command.user,
            expires_at=command.expires_at,
        )

    return _answer_with_secret(request, http_request, create, status=201)


@router.post(
    "/{key_id}/rotate",
    responses={
        200: {"model": NewKeyShown},
        **refusals(
            not_found="There is no such key.",
            forbidden="The key has more rights than the caller's.",
            conflict="The key is revoked or expired.",
        ),
    },
)
def rotate_key(
    request: CurrentRequest,
    http_request: Request,
    key_id: UUID,
    command: Annotated[RotateKey, Body(examples=[_EXAMPLES["rotate_key"]])],
) -> Response:
    """Give a key a new secret, which only this answer has. The present secret works until the end of the overlap,
    and an older one stops now. Name, roles, source and expiry stay. Repeated requests are as for a new key.
    """

    def rotate(tx: Transaction) -> tuple[Key, str]:
        return keys.rotate_key(request.service, tx, request.caller, key_id, overlap=command.overlap)

    return _answer_with_secret(request, http_request, rotate, status=200)


def _answer_with_secret(
    request: ApiRequest,
    http_request: Request,
    make: Callable[[Transaction], tuple[Key, str]],
    *,
    status: int,
) -> Response:
    """Answer with the key and the secret that `make` returns. A stored answer has the secret encrypted."""
    kept = KeptSecret.of(
        request, http_request, member="key", name_of=lambda content: UUID(content["id"]).bytes
    )

    def work(tx: Transaction) -> Reply:
        key, secret = make(tx)
        content = kept.hide(key_json(keys.load_record(tx, key.id)) | {"key": secret})
        return status, content, {"Location": f"/v1/keys/{key.id}", "Cache-Control": "no-store"}

    return request.configure(work, finish_body=kept.show)


@router.delete(
    "/{key_id}",
    status_code=204,
    responses=refusals(
        not_found="There is no such key.", conflict="It is the last key that may make others."
    ),
)
def revoke_key(request: CurrentRequest, key_id: UUID) -> Response:
    """Revoke a key for ever: it stops working in every process within a second. It stays in the list."""

    def work(tx: Transaction) -> Reply:
        keys.revoke_key(request.service, tx, request.caller, key_id)
        return 204, None, {}

    return request.configure(work)
