"""The routes of notifications: how users hear, robots, deliveries, and the receipts of the gateway."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.feature import settings_of
from complaints.api.http.strict_route import StrictRoute
from complaints.api.pages import cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import ApiRequest, CurrentRequest, Reply, get_service, require_right
from complaints.domain.json_text import to_json
from complaints.features.notifications import delivery_use_cases, preference_use_cases, robot_use_cases
from complaints.features.notifications.commands import PostReceipt, PutNotificationPreference, PutRobot
from complaints.features.notifications.model import MessageDelivery, ReceiptStatus
from complaints.features.notifications.preference_use_cases import own_login
from complaints.features.notifications.schemas import (
    EXAMPLES,
    DeliveryQuery,
    MessageDeliveryPage,
    MessageDeliveryShown,
    NotificationPreferenceShown,
    RobotList,
    RobotShown,
    delivery_json,
    preference_json,
    robot_json,
)
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables.deliveries import DeliveryFilter
from complaints.use_cases.access import Right
from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.service import Transaction

router = APIRouter(tags=["notifications"], route_class=StrictRoute)
_CURSOR = "deliveries"
_FILTERS = tuple(DeliveryFilter.__dataclass_fields__)
_NO_USER = "The caller has a key without a user."
_UNKNOWN = "There is no such user."
Wishes = Annotated[PutNotificationPreference, Body(examples=[EXAMPLES["put_preference"]])]
_SHOWN: dict[int | str, dict[str, Any]] = {200: {"model": NotificationPreferenceShown}}
RobotCode = Annotated[Identifier, Path(description="The code of the robot.")]


@router.get("/me/notifications", responses={**_SHOWN, **refusals(forbidden=_NO_USER)})
def show_own_preference(request: CurrentRequest, http_request: Request) -> Response:
    """How the caller hears of escalations and other things. A user who chose nothing gets mail."""
    return _show(_on_primary(request, http_request), http_request, own_login(request.caller))


@router.put("/me/notifications", responses={**_SHOWN, **refusals(forbidden=_NO_USER)})
def put_own_preference(request: CurrentRequest, http_request: Request, command: Wishes) -> Response:
    """Choose how to hear: channels, times and reminders. It replaces the former choice."""
    return _put(_on_primary(request, http_request), own_login(request.caller), command)


@router.get(
    "/users/{login}/notifications",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={**_SHOWN, **refusals(not_found=_UNKNOWN)},
)
def show_preference(request: CurrentRequest, http_request: Request, login: str) -> Response:
    """How a user hears of escalations and other things."""
    return _show(request, http_request, login)


@router.put(
    "/users/{login}/notifications",
    dependencies=[require_right(Right.CONFIGURE)],
    responses={**_SHOWN, **refusals(not_found=_UNKNOWN)},
)
def put_preference(request: CurrentRequest, login: str, command: Wishes) -> Response:
    """Choose for a user. It replaces the former choice."""
    return _put(request, login, command)


def _on_primary(request: ApiRequest, http_request: Request) -> ApiRequest:
    """The request on the primary: an auditor has wishes too, and is otherwise answered by a replica."""
    return replace(request, service=get_service(http_request))


def _show(request: ApiRequest, http_request: Request, login: str) -> Response:
    settings = settings_of(http_request, NotificationSettings)

    def work(tx: Transaction) -> Reply:
        found = preference_use_cases.load_notification_preference(request.service, tx, settings, login)
        return 200, preference_json(login, found), {}

    return request.read(work)


def _put(request: ApiRequest, login: str, command: PutNotificationPreference) -> Response:
    def work(tx: Transaction) -> Reply:
        made = preference_use_cases.put_preference(request.service, tx, login, command)
        return 200, preference_json(login, made), {}

    return request.write(work)


@router.get(
    "/robots",
    dependencies=[require_right(Right.ADMINISTER)],
    responses={200: {"model": RobotList}},
)
def list_robots(request: CurrentRequest) -> Response:
    """The robots of group chats, without their URLs and secrets."""

    def work(tx: Transaction) -> Reply:
        found = robot_use_cases.list_robots(tx, request.caller)
        return 200, {"items": [robot_json(one) for one in found]}, {}

    return request.read(work)


@router.put(
    "/robots/{code}",
    dependencies=[require_right(Right.ADMINISTER)],
    responses={200: {"model": RobotShown}},
)
def put_robot(
    request: CurrentRequest,
    code: RobotCode,
    command: Annotated[PutRobot, Body(examples=[EXAMPLES["put_robot"]])],
) -> Response:
    """Make the robot of a group chat, or replace it. It hears of the escalations of its teams."""

    def work(tx: Transaction) -> Reply:
        made = robot_use_cases.put_robot(request.service, tx, request.caller, code, command)
        return 200, robot_json(made), {}

    return request.write(work)


@router.delete(
    "/robots/{code}",
    status_code=204,
    dependencies=[require_right(Right.ADMINISTER)],
    responses=refusals(not_found="There is no such robot."),
)
def delete_robot(request: CurrentRequest, code: RobotCode) -> Response:
    """Delete a robot. Users who chose it hear by their next channel."""

    def work(tx: Transaction) -> Reply:
        robot_use_cases.delete_robot(tx, request.caller, code)
        return 204, None, {}

    return request.write(work)


@router.get(
    "/deliveries",
    dependencies=[require_right(Right.READ)],
    responses={
        200: {"model": MessageDeliveryPage},
        **refusals(
            bad_request="An unknown filter or field, or a cursor that is not one of this list's.",
            not_found="There is no such complaint.",
        ),
    },
)
def list_deliveries(request: CurrentRequest, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """What was sent to whom, and what became of it; newest first. It shows neither addresses nor texts."""
    before = None
    if query.cursor is not None:
        position = cursors.decode(query.cursor, _CURSOR)
        before = cursors.instant_in(position, "at"), cursors.id_in(position, "id")
    asked = DeliveryFilter(**{name: getattr(query, name) for name in _FILTERS})
    fields = parse_fields(query.fields, MessageDeliveryShown)

    def work(tx: Transaction) -> Reply:
        found = delivery_use_cases.list_deliveries(
            request.service,
            tx,
            request.caller,
            asked,
            complaint=query.complaint,
            before=before,
            limit=query.limit + 1,
        )
        shown, cursor = cut_page(found, query.limit, _position)
        return page_of((dict(delivery_json(one)) for one in shown), fields, cursor)

    return request.read(work)


def _position(last: MessageDelivery) -> dict[str, Any]:
    return {"kind": _CURSOR, "at": to_json(last.created_at), "id": to_json(last.id)}


@router.post(
    "/deliveries/{delivery_id}/receipt",
    status_code=204,
    dependencies=[require_right(Right.CONTRIBUTE)],
    responses=refusals(
        not_found="There is no such delivery.",
        conflict="The message is not accepted yet: send the receipt again later.",
    ),
)
def post_receipt(
    request: CurrentRequest,
    delivery_id: Annotated[UUID, Path(description="The id of the delivery, which the gateway got with it.")],
    command: Annotated[PostReceipt, Body(examples=[EXAMPLES["receipt"]])],
) -> Response:
    """Report what became of a message that was accepted: a receipt for each of its parts, in any order.

    A part that failed makes the message undelivered. A receipt that comes again changes nothing.
    """

    def work(tx: Transaction) -> Reply:
        delivery_use_cases.record_receipt(
            request.service,
            tx,
            delivery_id,
            ReceiptStatus(command.status),
            part=command.part,
            parts=command.parts,
            reason=command.reason,
        )
        return 204, None, {}

    return request.write(work)
