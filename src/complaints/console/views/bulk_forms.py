"""The forms of what may be done with many complaints at once: the verbs, and the fields of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.console.locale import Locale
from complaints.console.views.list_filters import list_teams, list_users, list_words
from complaints.domain.errors import InvalidContent
from complaints.domain.staff import Directory
from complaints.domain.time.zones import zone_of
from complaints.domain.vocabulary import Action, ContactChannel, HoldReason, RecipientRole

NOTE = "note"
VERBS = (
    *(
        action.value
        for action in (
            Action.ASSIGN, Action.RESPOND, Action.HOLD, Action.RESUME, Action.NOTIFY_RESULT, Action.ESCALATE,
        )
    ),
    NOTE,
)  # fmt: skip
KEYS = {"assign": "a", "respond": "r", "hold": "h", "notify_result": "t", NOTE: "n"}
"""The key of a verb, as on the page of one complaint."""
ASKS_ABOVE = 20
"""With more complaints than this, a form asks once more."""
_INSTANT = "until"


@dataclass(frozen=True, slots=True)
class BulkField:
    """A field. `kind` is `select`, `text`, `line` or `instant`. A choice is a value with its words."""

    name: str
    label: str
    kind: str
    is_required: bool = True
    choices: tuple[tuple[str, str], ...] = ()


def fields_of(verb: str, locale: Locale, directory: Directory) -> Sequence[BulkField]:
    """The fields of a verb, in their order."""
    words = locale.texts.bulk
    channels = list_words("channel", ContactChannel, locale)
    message = (
        BulkField("message", words.message, "text"),
        BulkField("contact_channel", words.contact_channel, "select", choices=channels),
    )
    public = (("public", locale.word("visibility", "public")),)
    users = list_users(directory)
    fields: dict[str, Sequence[BulkField]] = {
        "assign": (
            BulkField("team", words.team, "select", False, list_teams(directory, locale)),
            BulkField("assignee", words.assignee, "select" if users else "line", False, users),
        ),
        "respond": message,
        "notify_result": message,
        "hold": (
            BulkField(
                "reason", words.reason, "select", choices=list_words("hold_reason", HoldReason, locale)
            ),
            BulkField(_INSTANT, words.until, "instant"),
        ),
        "escalate": (
            BulkField(
                "role", words.role, "select", choices=list_words("recipient_role", RecipientRole, locale)
            ),
            BulkField("reason", words.why_escalate, "text"),
        ),
        NOTE: (
            BulkField("text", words.note, "text"),
            BulkField("visibility", words.visibility, "select", False, public),
        ),
    }
    return fields.get(verb, ())


def instant_of(text: str, locale: Locale, pointer: str) -> datetime:
    """A local time of a form, in the zone of the reader. Raises InvalidContent for other text."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone_of(locale.zone).info)
    except ValueError as error:
        raise InvalidContent.at(pointer, "must be a date and a time") from error


def members_of(verb: str, sent: dict[str, str], locale: Locale) -> dict[str, object]:
    """The members of the command of a verb. Raises InvalidContent for a time that cannot be read."""
    members: dict[str, object] = {name: value for name, value in sent.items() if value}
    if _INSTANT in members:
        members[_INSTANT] = instant_of(sent[_INSTANT], locale, f"/{_INSTANT}")
    return members if verb == NOTE else {"action": verb, **members}
