"""What the scripts of this directory share: a client of the server, its feed, and a cursor that is kept in a file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

Json = dict[str, Any]
PAGE = 200


def open_client() -> httpx2.Client:
    """A client of the server at COMPLAINTS_URL with the key in COMPLAINTS_KEY. Raises KeyError without them."""
    headers = {"Authorization": f"Bearer {os.environ['COMPLAINTS_KEY']}"}
    return httpx2.Client(base_url=os.environ["COMPLAINTS_URL"], headers=headers, timeout=30)


def own_actor(client: httpx2.Client) -> str:
    """The name that events have which this key caused."""
    return f"key:{client.get('/v1/me').raise_for_status().json()['name']}"


class KeptCursor:
    """The place in the feed up to which everything was handled, in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str:
        """The cursor; "" at the first start."""
        return self.path.read_text(encoding="ascii") if self.path.exists() else ""

    def write(self, cursor: str) -> None:
        """Replace the cursor in one step: after a crash the file has the old one or the new one."""
        new = self.path.with_suffix(".new")
        new.write_text(cursor, encoding="ascii")
        new.replace(self.path)


def read_feed(client: httpx2.Client, cursor: KeptCursor, **query: Any) -> Iterator[list[Json]]:
    """The events after the cursor, page by page, up to the end. A page counts as handled when the next is asked for."""
    while True:
        asked = {**query, "after": cursor.read(), "limit": PAGE}
        page = client.get("/v1/changes", params=asked).raise_for_status().json()
        if page["items"]:
            yield page["items"]
        if page["next_cursor"] == asked["after"]:
            return
        cursor.write(page["next_cursor"])


def wait_for_news(client: httpx2.Client, cursor: KeptCursor) -> None:
    """Listen to the stream until an event comes, or until the stream ends. The pages then have the event."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": cursor.read()}
    with client.stream("GET", "/v1/changes", headers=headers) as stream:
        stream.raise_for_status()
        for line in stream.iter_lines():
            if line.startswith("data:"):
                return
