"""A row of the inbox: a complaint or another subject whose escalations wait for somebody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from complaints.console.locale import Locale
from complaints.console.views.rows import name_of_user
from complaints.domain.complaint.subject import COMPLAINT_KIND
from complaints.domain.rules.recipients import TEAM, parse_named
from complaints.domain.staff import Directory

_SHARE = re.compile(r"([0-9]{1,3})%")
_OFFSET = re.compile(r"([+-])([0-9]{1,4}[mhd])(?:/([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class InboxRow:
    """The texts of a row. `id` is of the complaint or other subject; `page` is its address, "" if it has none.

    With `may_acknowledge` the reader may acknowledge the shown escalation. `level` is a word, and `rank` the level
    itself. `since` and `due_at` are in UTC; `due_at` None: no clock is late.
    """

    id: UUID
    number: str
    page: str
    subject: str
    rank: int
    level: str
    told: str
    step: str
    waiting: int
    since: datetime
    due_at: datetime | None
    team: str
    assignee: str
    may_acknowledge: bool


def inbox_row_of(
    row: Mapping[Any, Any], *, locale: Locale, directory: Directory, may_acknowledge: bool
) -> InboxRow:
    """The row of one line of `escalations.list_inbox`."""
    name, team = row["owned_by"], directory.teams.get(row["team"])
    words = locale.texts.inbox
    return InboxRow(
        id=name.id,
        number=name.number,
        page=f"/console/complaints/{name.number}" if name.kind == COMPLAINT_KIND else "",
        subject=row["subject"] or name.number,
        rank=row["level"],
        level=words.level.format(level=row["level"]) if row["level"] else words.reminder,
        told=words.comma.join(_role(role, locale, directory) for role in row["roles"]),
        step=_step(row, locale),
        waiting=row["waiting"],
        since=row["since"],
        due_at=row["due_at"],
        team=locale.name(team.names, team.code) if team else row["team"],
        assignee=name_of_user(directory, row["assignee"]),
        may_acknowledge=may_acknowledge,
    )


def _role(role: str, locale: Locale, directory: Directory) -> str:
    """A role that was notified, or the name of a named user or team."""
    named = parse_named(role)
    if named is None:
        return locale.word("recipient_role", role)
    if named[0] != TEAM:
        return name_of_user(directory, named[1])
    team = directory.teams.get(named[1])
    return locale.name(team.names, team.code) if team else named[1]


def _step(row: Mapping[Any, Any], locale: Locale) -> str:
    """What was escalated: the clock and the place of the step, such as `result 12 h after it was due`."""
    kind = locale.word("deadline_kind", row["kind"]) if row["kind"] else ""
    place = describe_step(row["step"], locale)
    said = " ".join(part for part in (kind, place) if part)
    return f"{said}: {row['reason']}" if row["reason"] else said


def describe_step(step: str, locale: Locale, *, due: str = "") -> str:
    """The place of a step of a ladder in words. An unknown one stays as it is. `due` are the words for the due time."""
    words = locale.texts.inbox.steps
    if share := _SHARE.fullmatch(step):
        return str(due or words.due) if share[1] == "100" else str(words.share).format(share=share[1])
    if offset := _OFFSET.fullmatch(step):
        sign, written, again = offset.groups()
        length = describe_length(written, locale)
        said = str((words.after if sign == "+" else words.before).format(length=length))
        return said + str(words.again.format(number=again)) if again else said
    return str(words[step]) if step in words else step


def describe_length(written: str, locale: Locale) -> str:
    """A length of a policy in words: `12h` is `12 h`. Another one stays as it is."""
    units = locale.texts.common.units
    words = {"m": units.minute, "h": units.hour, "d": units.day}
    count, unit = written[:-1], written[-1:]
    return str(words[unit]).format(count=count) if unit in words and count.isdigit() else written
