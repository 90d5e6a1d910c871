"""The client of the REST API, version 1."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import quote

import httpx2

from complaints_client.cursor_file import CursorFile
from complaints_client.errors import NoAnswer, refusal_of
from complaints_client.retrying import Patience, send_repeatedly
from complaints_client.shapes import Complaint, CreatedComplaint, Event, FeedEvent, Status

QueryValue = str | int | bool | Sequence[str] | None
_LONGEST_WAIT = 30  # seconds that the server holds an answer back at most
_PAGE = 200  # the most items of a page


class Posted(NamedTuple):
    """The answer to a post. `is_new` is False for a contact or a retry on a complaint that the server knew.

    A repetition with the same key has the first answer again: `is_new` and the complaint as they were then.
    """

    complaint: CreatedComplaint
    is_new: bool


class Batch(NamedTuple):
    """Events of the feed in commit order, and the cursor after them. Without news, `events` is empty."""

    events: list[FeedEvent]
    cursor: str


class Client:
    """Calls the API with one key. Threads may share a client.

    `url` is the address of the server, with or without `/v1`. `timeout` is in seconds, for one attempt. `language` is
    that of problems, `en` or `zh-CN`. Every call is repeated as long as `patience` says. A POST has an idempotency key,
    made once for the call. Give a `key` of your own if the call must stay the same after a restart of your program.

    A call raises Refusal if the server refused it, and NoAnswer if no usable answer came in time.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: Patience = Patience(),  # noqa: B008 - a value that nothing changes
        timeout: float = 15.0,
        language: str = "en",
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"The address must begin with http:// or https://: {url}")
        self._patience = patience
        self._timeout = timeout
        self._http = httpx2.Client(
            base_url=f"{url.rstrip('/').removesuffix('/v1')}/v1",
            headers={
                "Authorization": f"Bearer {key.strip()}",
                "Accept-Language": language,
                "User-Agent": "complaints-client",
            },
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Any call ---------------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: QueryValue) -> Any:
        """The content of the answer to a GET. `path` begins after `/v1`; a query value of None is left out."""
        return _content(self.send("GET", path, query=query))

    def items(self, path: str, **query: QueryValue) -> Iterator[Any]:
        """Every item of a list, page after page; `limit` sets the size of a page. The feed has no end: `follow` it."""
        page = self.get(path, **{"limit": _PAGE, **query})
        yield from page["items"]
        while cursor := page.get("next_cursor"):
            page = self.get(path, **{"limit": _PAGE, **query, "cursor": cursor})
            yield from page["items"]

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | bytes = b"",
        *,
        key: str | None = None,
        if_match: int | None = None,
        media_type: str | None = None,
    ) -> Any:
        """The content of the answer to a POST. A body in bytes, such as a CSV file, needs a `media_type`.

        `if_match` is the version that a complaint must still have; otherwise StaleVersion is raised.
        """
        return _content(self.send("POST", path, body=body, key=key, if_match=if_match, media_type=media_type))

    def patch(self, path: str, members: Mapping[str, Any], *, if_match: int | None = None) -> Any:
        """The content of the answer to a PATCH: absent members stay, None clears.

        A repetition with `if_match` raises StaleVersion if the first attempt worked and its answer was lost.
        """
        return _content(self.send("PATCH", path, body=members, if_match=if_match))

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        body: Mapping[str, Any] | bytes = b"",
        key: str | None = None,
        if_match: int | None = None,
        media_type: str | None = None,
        held_seconds: float = 0.0,
    ) -> httpx2.Response:
        """The answer to any call, if it is a success. `held_seconds`: how long the server may hold it back."""
        if method == "POST" and key is None:
            key = str(uuid.uuid4())
        if not isinstance(body, bytes):
            body, media_type = _encode(body), "application/json"
        headers = {
            "Idempotency-Key": key,
            "Content-Type": media_type,
            "If-Match": None if if_match is None else f'"{if_match}"',
        }
        request = self._http.build_request(
            method,
            path,
            params={name: value for name, value in (query or {}).items() if value is not None},
            headers={name: value for name, value in headers.items() if value is not None},
            content=body,
            timeout=self._timeout + held_seconds,
        )
        response = send_repeatedly(lambda: self._http.send(request), self._patience, key=key)
        if not response.is_success:
            raise refusal_of(response)
        return response

    # Complaints -------------------------------------------------------------------------------------------------------

    def create(self, members: Mapping[str, Any], *, key: str | None = None) -> Posted:
        """Post a complaint. Under a known source and external id it is a contact or a retry, never doubled."""
        response = self.send("POST", "/complaints", body=members, key=key)
        return Posted(_content(response), is_new=response.status_code == 201)

    def complaint(self, reference: str) -> Complaint:
        """The complaint with this id or number."""
        return cast(Complaint, self.get(_path(reference)))

    def complaints(self, **filters: QueryValue) -> Iterator[Complaint]:
        """The complaints that fit the filters, such as `status=["received"]` or `overdue=True`."""
        return self.items("/complaints", **filters)

    def change(self, reference: str, members: Mapping[str, Any], *, if_match: int | None = None) -> Complaint:
        """Change members of a complaint, and return it."""
        return cast(Complaint, self.patch(_path(reference), members, if_match=if_match))

    def act(
        self,
        reference: str,
        action: str,
        facts: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
    ) -> Complaint:
        """Take an action with its facts, such as `act(number, "reopen", {"reason": "…"})`, and return the complaint.

        If the action is not possible now, `allowed` of the Refusal lists the possible ones.
        """
        body = {**(facts or {}), "action": action}
        return cast(Complaint, self.post(_path(reference, "transitions"), body, key=key, if_match=if_match))

    def add_note(
        self, reference: str, text: str, *, visibility: str = "internal", key: str | None = None
    ) -> Event:
        """Add a note for colleagues, or a `public` one, and return its event."""
        body = {"text": text, "visibility": visibility}
        return cast(Event, self.post(_path(reference, "notes"), body, key=key))

    def timeline(self, reference: str) -> Iterator[Event]:
        """The history of a complaint, oldest event first."""
        return self.items(_path(reference, "timeline"))

    def actor(self) -> str:
        """The name of this key in the history. An event with this actor is an echo of one's own call."""
        me = self.get("/me")
        return f"user:{me['login']}" if me["login"] else f"key:{me['name']}"

    # The feed ---------------------------------------------------------------------------------------------------------

    def changes(self, after: str, *, wait: int = 0, **filters: QueryValue) -> Batch:
        """The events after a cursor: "" is the beginning of the feed, "now" its end.

        Without news the answer comes after `wait` seconds, at most 30. Raises FeedSetBack if the database was restored
        to an instant before the cursor. A user whose scope is teams or departments may not read the feed.
        """
        query = {"limit": 1000, **filters, "after": after, "wait": wait}
        page = _content(self.send("GET", "/changes", query=query, held_seconds=wait))
        return Batch(page["items"], page["next_cursor"])

    def follow(self, after: str, *, wait: int = _LONGEST_WAIT, **filters: QueryValue) -> Iterator[Batch]:
        """Batches of the feed without end, each as soon as there is news, and an empty one after `wait` seconds.

        Store `cursor` in the transaction of your own rows, then each event takes effect exactly once.
        """
        while True:
            batch = self.changes(after, wait=wait, **filters)
            yield batch
            after = batch.cursor

    def events(
        self, file: CursorFile, *, wait: int = _LONGEST_WAIT, **filters: QueryValue
    ) -> Iterator[FeedEvent]:
        """Events of the feed without end, from the cursor in the file on.

        The file is written after all events of a batch were taken. So each event comes at least once: after a crash,
        those of the last batch come again, with the same ids.
        """
        for batch in self.follow(file.load(), wait=wait, **filters):
            yield from batch.events
            file.save(batch.cursor)

    def wait_until(self, reference: str, *statuses: Status, seconds: float) -> Complaint:
        """The complaint as soon as it has one of the statuses. Raises TimeoutError after `seconds`.

        It needs a key that may read the feed.
        """
        ends_at = time.monotonic() + seconds
        cursor = self.changes("now").cursor
        complaint = self.complaint(reference)
        while complaint["status"] not in statuses:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{complaint['number']} is {complaint['status']} after {seconds} s")
            wait = min(_LONGEST_WAIT, ceil(left))
            batch = self.changes(cursor, wait=wait, source=complaint["source"])
            cursor = batch.cursor
            if any(event["complaint_id"] == complaint["id"] for event in batch.events):
                complaint = self.complaint(reference)
        return complaint


def _path(reference: str, *rest: str) -> str:
    return "/".join(["/complaints", quote(reference, safe=""), *rest])


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _content(response: httpx2.Response) -> Any:
    """The JSON of an answer; None if it has no body. Raises NoAnswer for anything else, as from a proxy."""
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError as error:
        key = response.request.headers.get("idempotency-key")
        raise NoAnswer(f"The answer to {response.request.url} is no JSON: {error}", key=key) from error
