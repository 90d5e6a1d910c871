"""The routes of webhooks."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, Request
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.configuration.schemas import Page
from complaints.api.feature import annexes_of, settings_of
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.kept_secrets import KeptSecret
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageParameters, cut_page, make_page, page_of
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.features.webhooks import use_cases
from complaints.features.webhooks.schemas import (
    CreateWebhook,
    DeliveryAttemptPage,
    DeliveryAttemptShown,
    NewWebhookShown,
    PatchWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    WebhookDeliveryQuery,
    WebhookReplayShown,
    WebhookShown,
    WebhookTestShown,
    webhook_json,
)
from complaints.features.webhooks.settings import WebhookSettings
from complaints.features.webhooks.tables.subscriptions import Webhook
from complaints.features.webhooks.testing import send_test
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction

_EXAMPLES = read_examples("complaints.features.webhooks")
_LOG = "webhook deliveries"
_NOT_FOUND = "There is no such webhook, or it is another caller's."

router = PrefixedRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    route_class=StrictRoute,
    dependencies=[require_right(Right.CONTRIBUTE)],
)


def _json(request: ApiRequest, found: Webhook) -> dict[str, Any]:
    return webhook_json(found, request.service.wall())


@router.get("", responses={200: {"model": Page[WebhookShown]}})
def list_webhooks(request: CurrentRequest, query: PageParameters) -> Response:
    """The subscriptions of the caller, oldest first; managers and admins see those of all callers."""

    def work(tx: Transaction) -> Reply:
        shown = [_json(request, found) for found in use_cases.list_webhooks(tx, request.caller)]
        return make_page(shown, query, kind="webhooks", order=["id"], shape=WebhookShown)

    return request.read(work)


@router.get("/{webhook_id}", responses={200: {"model": WebhookShown}, **refusals(not_found=_NOT_FOUND)})
def get_webhook(request: CurrentRequest, webhook_id: UUID) -> Response:
    """One subscription."""
    return request.read(
        lambda tx: (200, _json(request, use_cases.load_webhook(tx, request.caller, webhook_id)), {})
    )


@router.post(
    "",
    status_code=201,
    responses={
        201: {"model": NewWebhookShown},
        **refusals(
            forbidden="The scope of the caller is neither every complaint nor a source.",
            conflict="There are too many subscriptions.",
        ),
    },
)
def create_webhook(
    request: CurrentRequest,
    http_request: Request,
    command: Annotated[CreateWebhook, Body(examples=[_EXAMPLES["create_webhook"]])],
) -> Response:
    """Subscribe to the events from now on. Only this answer has the secret that signs the messages."""

    def make(tx: Transaction) -> Webhook:
        return use_cases.create_webhook(request.service, tx, request.caller, command)

    return _answer_with_secret(request, http_request, make, status=201)


@router.post(
    "/{webhook_id}/rotate-secret",
    responses={200: {"model": NewWebhookShown}, **refusals(not_found=_NOT_FOUND)},
)
def rotate_secret(
    request: CurrentRequest,
    http_request: Request,
    webhook_id: UUID,
    command: Annotated[RotateWebhookSecret, Body(examples=[{"overlap": "PT24H"}])],
) -> Response:
    """Make a new secret, which only this answer has. Until the end of the overlap messages have two signatures."""

    def rotate(tx: Transaction) -> Webhook:
        return use_cases.rotate_secret(
            request.service, tx, request.caller, webhook_id, overlap=command.overlap
        )

    return _answer_with_secret(request, http_request, rotate, status=200)


def _answer_with_secret(
    request: ApiRequest, http_request: Request, make: Callable[[Transaction], Webhook], *, status: int
) -> Response:
    kept = KeptSecret.of(
        request, http_request, member="secret", name_of=lambda content: UUID(content["id"]).bytes
    )

    def work(tx: Transaction) -> Reply:
        made = make(tx)
        content = kept.hide(_json(request, made) | {"secret": made.secret})
        return status, content, {"Location": f"/v1/webhooks/{made.id}", "Cache-Control": "no-store"}

    return request.write(work, finish_body=kept.show)


@router.patch("/{webhook_id}", responses={200: {"model": WebhookShown}, **refusals(not_found=_NOT_FOUND)})
def change_webhook(
    request: CurrentRequest,
    webhook_id: UUID,
    command: Annotated[PatchWebhook, Body(examples=[{"event_types": ["*"], "status": "active"}])],
) -> Response:
    """Change a subscription, from the next event on. `status: disabled` stops it; what is planned is then not sent."""

    def work(tx: Transaction) -> Reply:
        changed = use_cases.change_webhook(request.service, tx, request.caller, webhook_id, command)
        return 200, _json(request, changed), {}

    return request.write(work)


@router.delete("/{webhook_id}", status_code=204, responses=refusals(not_found=_NOT_FOUND))
def delete_webhook(request: CurrentRequest, webhook_id: UUID) -> Response:
    """Delete a subscription and its delivery log."""

    def work(tx: Transaction) -> Reply:
        use_cases.delete_webhook(tx, request.caller, webhook_id)
        return 204, None, {}

    return request.write(work)


@router.post(
    "/{webhook_id}/test", responses={200: {"model": WebhookTestShown}, **refusals(not_found=_NOT_FOUND)}
)
def test_webhook(request: CurrentRequest, http_request: Request, webhook_id: UUID) -> Response:
    """Send a signed message of type `webhook.test` now, once, and answer with its result. It is not in the log."""
    seconds = settings_of(http_request, WebhookSettings).timeout_seconds
    annexes = annexes_of(http_request)
    result = send_test(request.service, request.caller, webhook_id, seconds=seconds, annexes=annexes)
    shown = {"status_code": result.status, "failure": result.failure, "duration_ms": result.duration_ms}
    return request.answer((200, shown, {}))


@router.post(
    "/{webhook_id}/replay",
    responses={
        200: {"model": WebhookReplayShown},
        **refusals(not_found=_NOT_FOUND, conflict="The webhook is disabled."),
    },
)
def replay_webhook(
    request: CurrentRequest,
    webhook_id: UUID,
    command: Annotated[ReplayWebhook, Body(examples=[_EXAMPLES["replay_webhook"]])],
) -> Response:
    """Send the events of a range again, in order, each under the same `webhook-id` as before."""

    def work(tx: Transaction) -> Reply:
        planned = use_cases.replay(
            request.service,
            tx,
            request.caller,
            webhook_id,
            first=command.from_sequence,
            last=command.to_sequence,
        )
        return 200, {"deliveries": planned}, {}

    return request.write(work)


@router.get(
    "/{webhook_id}/deliveries",
    responses={
        200: {"model": DeliveryAttemptPage},
        **refusals(not_found=_NOT_FOUND, bad_request="A cursor that this list did not give."),
    },
)
def list_webhook_deliveries(
    request: CurrentRequest, webhook_id: UUID, query: Annotated[WebhookDeliveryQuery, Query()]
) -> Response:
    """The delivery log: every attempt, latest first."""

    def work(tx: Transaction) -> Reply:
        before = cursors.integer_in(cursors.decode(query.cursor, _LOG), "before") if query.cursor else None
        found = use_cases.list_attempts(tx, request.caller, webhook_id, before=before, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, lambda last: {"kind": _LOG, "before": last["id"]})
        return page_of([_attempt_json(row) for row in shown], None, cursor)

    return request.read(work)


def _attempt_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: to_json(row[name]) for name in DeliveryAttemptShown.model_fields}
