"""The banner of a form whose complaint a colleague changed meanwhile: who did what, when, and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.console.locale import Locale
from complaints.console.views.rows import name_of_user
from complaints.domain.complaint.facts import Complaint
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory
from complaints.use_cases.complaints.history import EventRecord

_USER = "user:"
_MOST_SHOWN = 3
_TEAM, _ASSIGNEE, _OWNER, _CATEGORY = "team", "assignee", "first_owner", "category"
_COMPARED = {
    "status": "status",
    "priority": "priority",
    "severity": "severity",
    "outcome": "outcome",
    "cause": "cause",
    "subject": "",
    _TEAM: "",
    _ASSIGNEE: "",
    _CATEGORY: "",
    "region": "",
    _OWNER: "",
}
"""The members that are compared, each with the group of its words."""
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """A member with its value now."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class StaleBanner:
    """What happened since the reader saw the complaint, latest first, and the members that changed."""

    happened: tuple[str, ...]
    differences: tuple[Difference, ...]


def banner_of(
    complaint: Complaint,
    events: Sequence[EventRecord],
    seen: int,
    *,
    directory: Directory,
    categories: Mapping[str, Category],
    locale: Locale,
    now: datetime,
) -> StaleBanner:
    """The banner. `seen` is the version that the reader saw; `events` are the last ones, oldest first."""
    since = [event for event in events if event.version > seen]
    changed = {name for event in since for name in event.data.get("changes", ())}
    told = [_tell(event, directory, locale, now) for event in reversed(since)]
    return StaleBanner(
        happened=tuple(dict.fromkeys(told))[:_MOST_SHOWN],
        differences=tuple(
            Difference(
                str(locale.texts.members[name]),
                _value(complaint, name, directory, categories, locale),
            )
            for name in _COMPARED
            if name in changed
        ),
    )


def _tell(event: EventRecord, directory: Directory, locale: Locale, now: datetime) -> str:
    forms, key = locale.texts.actions.happened, event.type.replace(".", "_")
    form = forms[key if key in forms else "other"]
    return str(form).format(who=_who(event.actor, directory, locale), ago=_ago(event.at, locale, now))


def _who(actor: str, directory: Directory, locale: Locale) -> str:
    if not actor.startswith(_USER):
        return str(locale.texts.actions.engine) if actor == "engine" else actor.rpartition(":")[2]
    return name_of_user(directory, actor.removeprefix(_USER))


def _ago(at: datetime, locale: Locale, now: datetime) -> str:
    seconds = max(int((now - at).total_seconds()), 0)
    words = locale.texts.actions
    return str(words.seconds_ago).format(count=seconds) if seconds < 60 else (
        str(words.ago).format(time=locale.duration(seconds))
    )  # fmt: skip


def _value(
    complaint: Complaint,
    name: str,
    directory: Directory,
    categories: Mapping[str, Category],
    locale: Locale,
) -> str:
    value = getattr(complaint, name)
    if value is None:
        return str(locale.texts.actions.nothing)
    if name in (_ASSIGNEE, _OWNER):
        return name_of_user(directory, value)
    if name == _TEAM and value in directory.teams:
        return locale.name(directory.teams[value].names, value)
    if name == _CATEGORY and value in categories:
        return locale.name(categories[value].names, value)
    if group := _COMPARED[name]:
        return locale.word(group, value)
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
