"""`GET /v1/received-mails`: which mails were taken from the mailbox, and what became of each."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from complaints.api import cursors
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.models import AnswerModel, Id, example_in_list
from complaints.api.pages import PageQuery, cut_page, page_of, parse_fields
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.features.notifications.mailbox import tables
from complaints.features.notifications.mailbox.tables import MailFate, ReceivedMail
from complaints.features.notifications.schemas import EXAMPLES
from complaints.use_cases.access import Right
from complaints.use_cases.service import Transaction

router = APIRouter(tags=["notifications"], route_class=StrictRoute)
_CURSOR = "received-mails"


class ReceivedMailShown(AnswerModel):
    """A mail that was taken from the mailbox. It shows no text and no sender."""

    model_config = example_in_list(EXAMPLES["received_mail"])

    id: Id
    mailbox: Annotated[str, Field(description="The account and the folder.")]
    validity: Annotated[int, Field(description="The UIDVALIDITY of the folder.")]
    uid: Annotated[int, Field(description="The UID of the mail in the folder.")]
    fate: Annotated[MailFate, Field(description="What became of the mail.")]
    taken_at: Annotated[datetime, Field(description="When it was taken, by the wall clock.")]
    reason: Annotated[str | None, Field(description="Why it is neither a complaint nor a contact.")]
    message_id: Annotated[str | None, Field(description="Its Message-ID.")]
    complaint_id: Id | None
    files: Annotated[int, Field(description="The files that become attachments.")]
    files_kept: Annotated[int, Field(description="The files that are done.")]


class ReceivedMailPage(AnswerModel):
    """A page of mails, newest first."""

    items: list[ReceivedMailShown]
    next_cursor: str | None


class ReceivedMailQuery(PageQuery):
    """Which mails."""

    fate: Annotated[MailFate | None, Field(description="What became of the mail, such as `quarantined`.")] = (
        None
    )


@router.get(
    "/received-mails",
    dependencies=[require_right(Right.ADMINISTER)],
    responses={
        200: {"model": ReceivedMailPage},
        **refusals(bad_request="An unknown filter or field, or a cursor that is not one of this list's."),
    },
)
def list_received_mails(request: CurrentRequest, query: Annotated[ReceivedMailQuery, Query()]) -> Response:
    """The mails that were taken from the mailbox, newest first. `quarantined` ones wait for a person."""
    before = cursors.id_in(cursors.decode(query.cursor, _CURSOR), "id") if query.cursor is not None else None
    fields = parse_fields(query.fields, ReceivedMailShown)

    def work(tx: Transaction) -> Reply:
        found = tables.list_mails(tx, fate=query.fate, before=before, limit=query.limit + 1)
        shown, cursor = cut_page(found, query.limit, _position)
        return page_of((_json(one) for one in shown), fields, cursor)

    return request.read(work)


def _position(last: ReceivedMail) -> dict[str, Any]:
    return {"kind": _CURSOR, "id": to_json(last.id)}


def _json(mail: ReceivedMail) -> dict[str, Any]:
    return {name: to_json(getattr(mail, name)) for name in ReceivedMailShown.model_fields}
