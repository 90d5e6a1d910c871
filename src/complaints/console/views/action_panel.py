"""The panel of actions of one complaint: what may be done now, and why the rest may not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from complaints.console.locale import Locale
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import Action, Status
from complaints.use_cases.access import Right, right_for
from complaints.use_cases.complaints.available_actions import ActionOption

KEYS = {
    "assign": "a",
    "respond": "r",
    "hold": "h",
    "resume": "h",
    "resolve": "e",
    "notify_result": "t",
    "record_contact": "c",
    "note": "n",
}
"""The single keys of actions. `hold` and `resume` are never possible together."""
_FIRST = {
    Status.RECEIVED: (Action.RESPOND,),
    Status.INVESTIGATING: (Action.RESOLVE,),
    Status.ON_HOLD: (Action.RESUME,),
    Status.RESOLVED: (Action.NOTIFY_RESULT,),
    Status.FOLLOWING_UP: (Action.CLOSE, Action.RECORD_CONTACT),
}
"""The action that comes next in each status: the first one that is possible."""
_RARE = (
    "escalate", "promise", "keep_promise", "edit", "link", "unlink", "merge", "replan", "reject", "withdraw",
)  # fmt: skip
_DANGEROUS = frozenset({"reject", "withdraw", "merge"})


@dataclass(frozen=True, slots=True)
class PanelAction:
    """An action that may be taken now. `key` is its single key, "" for none. `is_direct`: it needs no form."""

    name: str
    label: str
    key: str
    tone: str
    is_direct: bool


@dataclass(frozen=True, slots=True)
class RefusedActions:
    """Actions that are refused now for one reason."""

    labels: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ActionPanel:
    """The panel. `rare` are the actions behind "More". `version` is that of the complaint."""

    complaint_id: UUID
    number: str
    subject: str
    version: int
    usual: tuple[PanelAction, ...]
    rare: tuple[PanelAction, ...]
    refused: tuple[RefusedActions, ...]


def panel_of(
    complaint: Complaint,
    options: Sequence[ActionOption],
    others: Iterable[str],
    rights: frozenset[Right],
    locale: Locale,
) -> ActionPanel:
    """The panel of a complaint. `others` are the names of the possible actions outside the lifecycle."""
    allowed = [option for option in options if option.allowed]
    first = _first_of(complaint.status, {option.action for option in allowed})
    shown = [_shown(o.action, locale, first, is_direct=not o.requires) for o in allowed]
    shown += [_shown(name, locale, first, is_direct=name == "take") for name in others]
    return ActionPanel(
        complaint_id=complaint.id,
        number=number_of(complaint.sequence),
        subject=complaint.subject,
        version=complaint.version,
        usual=tuple(sorted((one for one in shown if one.name not in _RARE), key=_place)),
        rare=tuple(
            sorted((one for one in shown if one.name in _RARE), key=lambda one: _RARE.index(one.name))
        ),
        refused=_refused(complaint, options, rights, locale),
    )


def label_of(action: str, locale: Locale) -> str:
    """The words of an action."""
    others = locale.texts.actions.others
    return str(others[action]) if action in others else locale.word("action", action)


def reason_of(complaint: Complaint, option: ActionOption, rights: frozenset[Right], locale: Locale) -> str:
    """The reason why an action is refused now, in the language of the reader; "" if it is allowed."""
    if option.refused_because is None:
        return ""
    if right_for(option.action) not in rights:
        return str(locale.texts.actions.no_right)
    if option.to is None:
        status = locale.word("status", complaint.status)
        return str(locale.texts.actions.not_in_status).format(status=status)
    return locale.refusal(option.refused_because)


def _first_of(status: Status, allowed: set[Action]) -> str | None:
    return next((action for action in _FIRST.get(status, ()) if action in allowed), None)


def _shown(action: str, locale: Locale, first: str | None, *, is_direct: bool) -> PanelAction:
    tone = "primary" if action == first else "danger" if action in _DANGEROUS else ""
    return PanelAction(str(action), label_of(action, locale), KEYS.get(action, ""), tone, is_direct)


def _place(action: PanelAction) -> tuple[bool, bool]:
    """The next action comes first, then those with a key."""
    return action.tone != "primary", not action.key


def _refused(
    complaint: Complaint, options: Sequence[ActionOption], rights: frozenset[Right], locale: Locale
) -> tuple[RefusedActions, ...]:
    """The refused actions by their reason, in the order of the first action of each."""
    by_reason: dict[str, list[str]] = {}
    for option in options:
        if reason := reason_of(complaint, option, rights, locale):
            by_reason.setdefault(reason, []).append(label_of(option.action, locale))
    return tuple(RefusedActions(tuple(labels), reason) for reason, labels in by_reason.items())
