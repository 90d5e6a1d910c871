"""The robots of group chats: WeCom, DingTalk and Feishu. How a message is signed, cut, sent and judged.

A robot takes 20 messages a minute; DingTalk then bars it for ten minutes. This program sends 18. A robot answers 200
also when it refused: the code inside the answer counts.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from complaints.features.notifications.model import (
    Acceptance,
    ChannelOutage,
    Message,
    MessageRefusal,
    RobotKind,
    SendResult,
)
from complaints.outbound.reply import ReceiverReply, SendingFailed

if TYPE_CHECKING:
    from complaints.outbound.http_client import GuardedClient

MOST_A_MINUTE = 18
MINUTE = timedelta(seconds=60)
LARGEST_TEXT = {RobotKind.WECOM: 4_096, RobotKind.DINGTALK: 19_000, RobotKind.FEISHU: 19_000}
"""The bytes of a text in UTF-8. The limits of the last two, 20 kB, count the whole body."""
BARRED_SECONDS = 600
_TOO_FAST = {"45009", "130101", "9499", "11232"}  # WeCom; DingTalk; Feishu has two
_PASSING = {"-1"}  # "the system is busy"
_CUT = "…"


def sign_for_dingtalk(secret: str, milliseconds: int) -> str:
    """The parameter `sign` of the URL, quoted."""
    text = f"{milliseconds}\n{secret}".encode()
    return quote(base64.b64encode(hmac.digest(secret.encode(), text, hashlib.sha256)), safe="")


def sign_for_feishu(secret: str, seconds: int) -> str:
    """The member `sign` of the body."""
    key = f"{seconds}\n{secret}".encode()
    return base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()


def cut_text(text: str, most_bytes: int) -> str:
    """The text, cut behind a whole character so that it has at most that many bytes in UTF-8."""
    written = text.encode()
    if len(written) <= most_bytes:
        return text
    return written[: most_bytes - len(_CUT.encode())].decode(errors="ignore") + _CUT


def pack_lines(lines: Sequence[str], most_bytes: int) -> list[list[str]]:
    """Lines gathered into as few messages as fit, in order. A line that is too long by itself is cut."""
    pages: list[list[str]] = []
    room = 0
    for line in (cut_text(line, most_bytes) for line in lines):
        size = len(line.encode()) + 2  # with the blank line between two
        if size > room or not pages:
            pages.append([])
            room = most_bytes + 2
        pages[-1].append(line)
        room -= size
    return pages


def count_free(sent_at: Sequence[datetime], wall: datetime) -> int:
    """How many messages a robot may still get at `wall`, by the times of its last ones.

    Times after `wall` do not count: the clock was set back, and they could be a day away.
    """
    return max(0, MOST_A_MINUTE - sum(timedelta(0) <= wall - at < MINUTE for at in sent_at))


def is_barred(until: datetime | None, wall: datetime) -> bool:
    """True if a robot gets nothing before `until`. A time that is too far away is from a clock that was set back."""
    return until is not None and wall < until <= wall + timedelta(seconds=BARRED_SECONDS)


@dataclass(frozen=True, slots=True)
class RobotChannel:
    """Sends messages to robots. `wall` is the wall clock: signatures carry the time."""

    open_client: "Callable[[], GuardedClient]"
    wall: Callable[[], datetime]

    def send(self, message: Message) -> SendResult:
        """Send a message to the robot that it names."""
        robot = message.robot
        assert robot is not None  # whoever made the message for this channel named one
        url, content = self._dress(message)
        body = json.dumps(content, ensure_ascii=False).encode()
        try:
            reply = self.open_client().post(url, body, {"Content-Type": "application/json; charset=utf-8"})
        except SendingFailed as failure:
            is_final = failure.reason in ("refused-url", "refused-address")
            return MessageRefusal(str(failure)) if is_final else ChannelOutage(str(failure))
        return judge(reply)

    def _dress(self, message: Message) -> tuple[str, dict[str, Any]]:
        """The URL and the body that a kind of robot wants."""
        robot, now = message.robot, self.wall()
        assert robot is not None
        text = cut_text(message.text, LARGEST_TEXT[robot.kind])
        if robot.kind is RobotKind.WECOM:
            return robot.url, {"msgtype": "markdown", "markdown": {"content": text}}
        if robot.kind is RobotKind.DINGTALK:
            content = {"msgtype": "markdown", "markdown": {"title": message.title, "text": text}}
            return _sign_url(robot.url, robot.secret, now), content
        content = {"msg_type": "text", "content": {"text": text}}
        if robot.secret:
            seconds = int(now.timestamp())
            content |= {"timestamp": str(seconds), "sign": sign_for_feishu(robot.secret, seconds)}
        return robot.url, content


def _sign_url(url: str, secret: str | None, now: datetime) -> str:
    if not secret:
        return url
    milliseconds = int(now.timestamp() * 1000)
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}timestamp={milliseconds}&sign={sign_for_dingtalk(secret, milliseconds)}"


def judge(reply: ReceiverReply) -> SendResult:
    """What the answer of a robot means. Its text is shown to nobody; its code is."""
    if not reply.is_success:
        reason = f"The robot answered with status {reply.status}."
        is_final = 400 <= reply.status < 500 and reply.status not in (408, 429)
        return MessageRefusal(reason) if is_final else ChannelOutage(reason)
    code = _code_in(reply.body)
    if code == "0":
        return Acceptance()
    reason = f"The robot answered with code {code}." if code else "The robot answered with something else."
    if code in _TOO_FAST:
        return ChannelOutage(reason, BARRED_SECONDS)
    return ChannelOutage(reason) if code is None or code in _PASSING else MessageRefusal(reason)


def _code_in(body: bytes) -> str | None:
    """`errcode` of WeCom and DingTalk, `code` of Feishu (its older answers: `StatusCode`). None: there is none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    found = next((answer[name] for name in ("errcode", "code", "StatusCode") if name in answer), None)
    return None if found is None else str(found)[:20]
