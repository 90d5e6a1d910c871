"""Changes of a specification: a merge patch (RFC 7396) or a JSON Patch becomes the change of a category. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from complaints.domain.complaint.members import merge_attributes
from complaints.domain.errors import Conflict
from complaints.domain.policy.categories import Category, make_name
from complaints.tmf621.bodies import check_shape
from complaints.tmf621.editions import Members
from complaints.tmf621.json_patch import apply_operations, read_operations
from complaints.tmf621.specifications.representation import (
    GIVEN_BY_PRODUCT,
    retires,
    specification_json,
    to_kept,
)
from complaints.tmf621.specifications.schemas import MergePatch, SpecificationMembers
from complaints.use_cases.configuration.ticket_specifications import (
    PlanChange,
    SpecificationChange,
    TicketSpecification,
)

_LISTS = ("specCharacteristic", "relatedParty")
_OPERATIONS = {"application/json-patch+json": False, "application/json-patch-query+json": True}
Patch = Callable[[Members], Mapping[str, Any]]
"""Gives the patched specification for the shown one."""


def read_patch(media_type: str, content: Any) -> Patch:
    """The patch of a body of this media type. Raises InvalidContent."""
    if media_type not in _OPERATIONS:
        return _merge_patch(content)
    operations = read_operations(content, with_queries=_OPERATIONS[media_type])

    def apply(shown: Members) -> Mapping[str, Any]:
        patched = apply_operations(shown, operations, lists=_LISTS)
        for name in GIVEN_BY_PRODUCT:
            if patched.get(name) != shown.get(name):
                raise Conflict(f"The member {name} is read-only.")
        return patched

    return apply


def _merge_patch(content: Any) -> Patch:
    check_shape(MergePatch, content)
    given = {name: value for name, value in content.items() if name not in GIVEN_BY_PRODUCT}

    def apply(shown: Members) -> Mapping[str, Any]:
        merged: Mapping[str, Any] = merge_attributes(shown, given)
        return merged

    return apply


def plan_change(patch: Patch, language: str) -> PlanChange:
    """The plan of a change by `patch`. `language` is that of the caller, in which the name is shown and given."""

    def plan(known: TicketSpecification) -> SpecificationChange | None:
        shown = specification_json(known, "", language)
        members = to_kept(check_shape(SpecificationMembers, patch(shown)))
        if members == {name: value for name, value in shown.items() if name not in GIVEN_BY_PRODUCT}:
            return None
        status = members.get("lifecycleStatus")
        return SpecificationChange(
            members=members,
            names=None
            if members["name"] == shown["name"]
            else _names(known.category, members["name"], language),
            is_in_use=None if status is None else not retires(status),
        )

    return plan


def _names(category: Category, name: str, language: str) -> Mapping[str, str]:
    """The names of the category: in both languages if they were the same, otherwise in the language of the caller."""
    given = make_name(name, category.code)
    was_same = category.names["en"] == category.names["zh"]
    return {"en": given, "zh": given} if was_same else {language: given}
