"""Tell a group chat of WeCom, DingTalk or Feishu what happened: one message for all new events of a minute.

    COMPLAINTS_URL=… COMPLAINTS_KEY=… ROBOT_URL=… ROBOT_SECRET=… python robot.py wecom cursor.txt [--every 60]

The message has numbers and words, no text of a complaint and no person. The key needs the role `auditor`. The cursor
moves when the robot has accepted the message. HTTP 200 with an error inside counts as refused. An unmapped status ends
the script with exit code 2.
"""

import base64
import hashlib
import hmac
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from complaints_api import Json, KeptCursor, open_client, read_feed
from crm_map import Unmapped

WORDS: Json = tomllib.loads((Path(__file__).parent / "robots.toml").read_text(encoding="utf-8"))


def sign_dingtalk(secret: str, timestamp_ms: int) -> str:
    """The value of `sign` in the address: the secret is the key, time and secret are the message."""
    text = f"{timestamp_ms}\n{secret}".encode()
    return quote(base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)), safe="")


def sign_feishu(secret: str, timestamp: int) -> str:
    """The member `sign` of the body: time and secret are the key, the message is empty."""
    return base64.b64encode(hmac.digest(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


def line_of(event: Mapping[str, Any]) -> str | None:
    """The line that tells of an event; None for a type that is not told. Raises Unmapped for an unknown status."""
    words = WORDS["events"].get(event["type"])
    if words is None:
        return None
    status = event["status"]
    if status is not None and status not in WORDS["status"]:
        raise Unmapped(f"robots.toml has no word for the status {status!r}: add it under [status].")
    return str(words.format(number=event["number"], status=WORDS["status"].get(status, "")))


def cut(lines: Sequence[str], most: int) -> str:
    """The lines as a list in Markdown, of at most `most` bytes in UTF-8; a last line tells how many are left out."""
    shown = list(lines)
    while True:
        left = len(lines) - len(shown)
        text = "\n".join([*(f"- {line}" for line in shown), *([f"- 另有 {left} 条"] if left else [])])
        if len(text.encode()) <= most:
            return text
        shown.pop()


@dataclass(frozen=True)
class Robot:
    """A robot of one kind at its address. `secret` is empty without signatures."""

    kind: str
    url: str
    secret: str

    def send(self, http: httpx2.Client, lines: Sequence[str]) -> None:
        """Send one message. Raises SystemExit if the robot refuses it, also with HTTP status 200."""
        about = WORDS["robots"][self.kind]
        url, body = self._request(cut(lines, about["content_bytes"]))
        answer = http.post(url, json=body).raise_for_status().json()
        if answer.get(about["error_member"]) != 0:
            raise SystemExit(f"The robot refused the message: {answer}")

    def _request(self, text: str) -> tuple[str, Json]:
        now = time.time()
        if self.kind == "wecom":
            return self.url, {"msgtype": "markdown", "markdown": {"content": text}}
        if self.kind == "dingtalk":
            stamp = int(now * 1000)
            signed = f"&timestamp={stamp}&sign={sign_dingtalk(self.secret, stamp)}" if self.secret else ""
            return f"{self.url}{signed}", {"msgtype": "markdown", "markdown": {"title": "投诉", "text": text}}
        body: Json = {"msg_type": "text", "content": {"text": text}}
        if self.secret:
            body |= {"timestamp": str(int(now)), "sign": sign_feishu(self.secret, int(now))}
        return self.url, body


def tell(client: httpx2.Client, http: httpx2.Client, robot: Robot, cursor: KeptCursor) -> int:
    """Send a message for each page of new events. Returns how many lines were told."""
    told = 0
    for events in read_feed(client, cursor, type=[*WORDS["events"]]):
        if lines := [line for event in events if (line := line_of(event))]:
            robot.send(http, lines)
            told += len(lines)
    return told


def main(arguments: list[str]) -> int:
    """Run the script; its exit code."""
    robot = Robot(arguments[0], os.environ["ROBOT_URL"], os.environ.get("ROBOT_SECRET", ""))
    cursor = KeptCursor(Path(arguments[1]))
    with open_client() as client, httpx2.Client(timeout=15) as http:
        try:
            print(f"{tell(client, http, robot, cursor)} lines told")
            while "--every" in arguments:
                time.sleep(float(arguments[arguments.index("--every") + 1]))
                tell(client, http, robot, cursor)
        except Unmapped as refusal:
            print(f"Stopped: {refusal}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
