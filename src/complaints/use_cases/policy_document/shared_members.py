"""Members of a policy document that several of its parts have: texts, names, targets, and the complaints for which."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, ValidatorFunctionWrapHandler, WrapValidator

from complaints.domain.policy.checks import PlacedFault, follow_up_faults
from complaints.domain.policy.circumstances import Circumstances, choice_faults, target_faults
from complaints.domain.time.notation import parse_target
from complaints.domain.time.working_time import OPEN_UNITS, Target
from complaints.domain.vocabulary import Channel, Priority
from complaints.use_cases.policy_document.fields import (
    Members,
    checked,
    items,
    mapping,
    member_of,
    name_of,
    parsed,
    quoted,
    read_with,
    text,
)

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_NEEDED_LANGUAGES = ("en", "zh")


def _read_texts(value: object, handler: ValidatorFunctionWrapHandler) -> Any:
    given = mapping(value)
    faults: list[PlacedFault] = [
        ((name,), f"'{name[:60]}' is not a language tag such as 'en' or 'zh'")
        for name in given
        if not _LANGUAGE.fullmatch(name)
    ]
    if missing := [language for language in _NEEDED_LANGUAGES if language not in given]:
        faults.append(((), f"lacks the text in {quoted(missing)}"))
    return read_with(handler, given, faults)


Text = Annotated[str, text()]
Texts = Annotated[dict[str, Annotated[str, text(2000)]], WrapValidator(_read_texts)]
"""Texts by language, at least in English and Chinese."""
Team = Annotated[str, name_of("team", "teams")]
Category = Annotated[str, name_of("category", "categories")]
PriorityWord = Annotated[Priority, member_of(Priority)]


def _check_needs_no_calendar(target: Target) -> Target:
    if target.unit in OPEN_UNITS:
        raise ValueError(
            "has no calendar to count working time by; use elapsed hours, calendar days or months"
        )
    return target


AnyTarget = Annotated[Target, parsed(parse_target)]
TargetWithoutCalendar = Annotated[AnyTarget, AfterValidator(_check_needs_no_calendar)]
FollowUpPlan = Annotated[tuple[AnyTarget, ...], items(1, 12), checked(follow_up_faults)]


class CircumstancesMembers(Members):
    """The complaints for which something is."""

    priority: PriorityWord | None = None
    category: Category | None = None
    channel: Annotated[Channel, member_of(Channel)] | None = None
    region: Text | None = None
    source: Text | None = None


class TargetMembers(CircumstancesMembers):
    """A target, and the complaints it is for."""

    target: AnyTarget


class PlanMembers(CircumstancesMembers):
    """A follow-up plan, and the complaints it is for."""

    plan: FollowUpPlan


def _need_condition(choices: Sequence[CircumstancesMembers]) -> Iterator[PlacedFault]:
    names = CircumstancesMembers.model_fields
    for index, choice in enumerate(choices):
        if all(getattr(choice, name) is None for name in names):
            yield (index,), f"is for every complaint; it needs one of {quoted(names)}"


def _read_choices(choices: Sequence[CircumstancesMembers]) -> list[Circumstances]:
    names = CircumstancesMembers.model_fields
    return [Circumstances(**{name: getattr(choice, name) for name in names}) for choice in choices]


Targets = Annotated[
    tuple[TargetMembers, ...],
    items(1, 200),
    checked(lambda targets: target_faults(_read_choices(targets))),
]
FOR_SOME = (
    items(1, 200),
    checked(_need_condition),
    checked(lambda choices: choice_faults(_read_choices(choices))),
)
