"""The member `deadlines` of a policy document: the rules of deadline kinds, and their ladders."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, ValidatorFunctionWrapHandler

from complaints.domain.errors import ask_if_meant
from complaints.domain.policy.checks import PlacedFault, ladder_faults, repeat_faults
from complaints.domain.rules.recipients import TEAM, USER, parse_named
from complaints.domain.time.notation import Repeat, StepPlace, parse_length, parse_repeat, parse_step_place
from complaints.domain.vocabulary import Action, DeadlineKind, DeadlineStart, HoldReason, RecipientRole
from complaints.use_cases.policy_document.fields import (
    TRUTH_VALUE,
    Members,
    checked,
    choose_word,
    items,
    mapping,
    member_of,
    name_of,
    parsed,
    quoted,
    read_text,
    read_with,
    unknown_members,
    whole_number,
)
from complaints.use_cases.policy_document.reading_context import ReadingContext
from complaints.use_cases.policy_document.shared_members import Targets, Team, Texts

_WITHOUT_TARGETS = {
    DeadlineKind.FOLLOW_UP: "they come from 'follow_ups'",
    DeadlineKind.CLOSURE: "its due time comes from 'closure'",
    DeadlineKind.PROMISE: "its due time is the one promised",
}


_OWN_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_MOST_OWN_KINDS = 20
_OF_OWN_KINDS = ("starts", "met_by")
_NEVER_MEETS = {
    Action.REOPEN: "it begins a new cycle",
    Action.ESCALATE: "it only notifies",
    Action.MERGE: "it cancels every deadline",
    Action.UNMERGE: "it brings deadlines back",
}


def _read_recipient(value: object, info: ValidationInfo[ReadingContext]) -> str:
    """A recipient role, `user:` and a login, or `team:` and the code of a team."""
    named = parse_named(read_text(value, 210))
    if named is None:
        return RecipientRole(choose_word(value, "recipient role", [role.value for role in RecipientRole]))
    kind, name = named
    known = {USER: info.context.users, TEAM: info.context.teams}[kind]
    if known is not None:
        choose_word(name, kind, known)
    return f"{kind}:{name}"


class StepMembers(Members):
    """A step of a ladder."""

    at: Annotated[StepPlace, parsed(parse_step_place)]
    level: Annotated[int, whole_number(0, 9)]
    notify: Annotated[
        tuple[Annotated[str, BeforeValidator(_read_recipient)], ...],
        items(1, 20),
        AfterValidator(lambda roles: tuple(dict.fromkeys(roles))),
    ]
    raise_priority: Annotated[bool, TRUTH_VALUE] = False
    move_to_team: Team | None = None
    repeat: Annotated[Repeat, parsed(parse_repeat)] | None = None


Ladder = Annotated[
    tuple[StepMembers, ...],
    items(1, 20),
    checked(lambda steps: ladder_faults([step.at for step in steps])),
    checked(lambda steps: repeat_faults([step.repeat for step in steps])),
]


def _read_action(value: object) -> Action:
    action = Action(choose_word(value, "action", [action.value for action in Action]))
    if action in _NEVER_MEETS:
        raise ValueError(f"'{action}' meets no deadline: {_NEVER_MEETS[action]}")
    return action


class RuleMembers(Members):
    """The rule of one deadline kind. `_WITHOUT_TARGETS` names the kinds that take no targets.

    Own kinds alone have `title`, `starts` and `met_by`.
    """

    title: Texts | None = None
    starts: Annotated[DeadlineStart, member_of(DeadlineStart)] | None = None
    met_by: Annotated[frozenset[Annotated[Action, BeforeValidator(_read_action)]], items(1, len(Action))] = (
        frozenset()
    )
    calendar: Annotated[str, name_of("calendar", "calendars")] | None = None
    targets: Targets = ()
    ladder: Ladder
    pauses_on: Annotated[
        frozenset[Annotated[HoldReason, member_of(HoldReason)]], items(0, len(HoldReason))
    ] = frozenset()
    pause_budget: Annotated[int, parsed(parse_length)] | None = None

    @classmethod
    def faults_of(cls, given: Mapping[str, Any]) -> Iterator[PlacedFault]:
        """A pause budget is a mistake if no hold pauses the deadline."""
        if given.get("pause_budget") is not None and given.get("pauses_on") in (None, []):
            yield ("pause_budget",), "limits pauses, but 'pauses_on' names none"


def read_rules(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    """The rules of the built-in kinds, and those of own kinds."""
    given = mapping(value)
    own = [name for name in given if name not in _BUILT_IN and _is_own(name, given[name])]
    named = {name: given[name] for name in (*_BUILT_IN, *own) if name in given}
    faults = [*unknown_members(given, named.keys() | {*_BUILT_IN}), *_own_name_faults(own)]
    if missing := [name for name in _BUILT_IN if name not in given]:
        faults.append(((), f"lacks {quoted(missing)}"))
    rules = {name: rule for name, rule in named.items() if isinstance(rule, Mapping)}
    faults += [fault for name, rule in rules.items() for fault in _rule_faults(name, rule)]
    return read_with(handler, named, faults)


_BUILT_IN = tuple(kind.value for kind in DeadlineKind)


def _is_own(name: str, rule: object) -> bool:
    """True for the rule of an own kind. A name that is nearly a built-in one, without its members, is a mistake."""
    if not isinstance(rule, Mapping):
        return False
    return any(rule.get(member) is not None for member in _OF_OWN_KINDS) or not ask_if_meant(name, _BUILT_IN)


def _own_name_faults(names: Sequence[str]) -> Iterator[PlacedFault]:
    for number, name in enumerate(names):
        if not _OWN_KIND.fullmatch(name):
            yield (
                (name,),
                "the name of an own kind must be 1 to 40 lower-case letters, digits and '_', a letter first",
            )
        elif number == _MOST_OWN_KINDS:
            yield (name,), f"there may be {_MOST_OWN_KINDS} own kinds"


def _rule_faults(kind: str, rule: Mapping[str, Any]) -> Iterator[PlacedFault]:
    given = [name for name in ("title", *_OF_OWN_KINDS) if rule.get(name) is not None]
    if kind in _BUILT_IN:
        for name in given:
            yield (kind, name), f"'{kind}' is built in: it takes no '{name}'"
    elif missing := [name for name in _OF_OWN_KINDS if name not in given]:
        yield (kind,), f"lacks {quoted(missing)}"
    elif rule["starts"] == DeadlineStart.RESULT and rule["met_by"] == [Action.NOTIFY_RESULT.value]:
        yield (kind, "met_by"), "'notify_result' tells the result that starts it, so nothing would meet it"
    has_targets = rule.get("targets") is not None
    if has_targets and kind in _WITHOUT_TARGETS:
        yield (kind, "targets"), f"'{kind}' takes no targets: {_WITHOUT_TARGETS[DeadlineKind(kind)]}"
    elif not has_targets and kind not in _WITHOUT_TARGETS:
        yield (kind,), "lacks 'targets'"
