"""The stream that keeps pages up to date: which complaints in the scope of the user change, and how."""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from complaints.api.complaints.feed_stream import FeedStream, open_live_stream
from complaints.api.http.request_ids import is_head
from complaints.api.request import ApiRequest
from complaints.console.page_request import SignedIn

router = APIRouter()


@router.get("/changes")
async def stream_changes(request: SignedIn) -> FeedStream:
    """Server-sent events from now on, with the type and the id alone. One tab of a browser listens for all of them.

    An event of the type `missed` has no id: the page asks for all its rows again.
    """
    asked = await run_in_threadpool(open_live_stream, ApiRequest(request.service, request.caller, None, None))
    return FeedStream(request.http.app.state.feed_readers, asked, is_head=is_head(request.http.scope))
