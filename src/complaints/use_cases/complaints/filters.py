"""The filters of complaint lists: as callers send them, and as the storage applies them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from complaints.domain.complaint.identity import identify
from complaints.domain.complaint.members import PLAIN_NAMES
from complaints.domain.complaint.numbers import sequence_of
from complaints.domain.complaint.search_terms import query_terms
from complaints.domain.policy.categories import Category
from complaints.domain.vocabulary import Cause, Channel, DeadlineKind, Priority, Status
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_lists import Filters
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.field_types import Content, FilterText, Flag, Instant, Phone, SearchText
from complaints.use_cases.service import Service


def _number(text: str) -> str:
    if sequence_of(text) is None:
        raise ValueError("must be the number of a complaint: C, its digits and the check digit")
    return text


def _with_plus(value: object) -> object:
    """A plus sign that was not escaped in a query arrives as a space."""
    return "+" + value[1:] if isinstance(value, str) and value.startswith(" ") else value


def _with_offset(value: object) -> object:
    """Like `_with_plus`, for the plus sign in the offset of an instant."""
    return value[:-6] + "+" + value[-5:] if isinstance(value, str) and value[-6:-5] == " " else value


FilterInstant = Annotated[Instant, BeforeValidator(_with_offset)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class ComplaintFilter(Content):
    """The complaints that a caller asks for. An absent member asks nothing; all given members must fit."""

    status: Annotated[list[Status] | None, Field(description="Any of these; repeat it for several.")] = None
    overdue: Annotated[
        Flag | None,
        Field(description="Whether a deadline is past due and unmet, by the clock."),
    ] = None
    deadline_kind: Annotated[
        DeadlineKind | None,
        Field(description="With an unmet deadline of this kind; with overdue=true an overdue one."),
    ] = None
    due_before: Annotated[FilterInstant | None, Field(description="next_due_at before this.")] = None
    team: Annotated[FilterText | None, Field(description="Code of a team.")] = None
    assignee: Annotated[FilterText | None, Field(description="Login of a user.")] = None
    priority: Priority | None = None
    category: Annotated[FilterText | None, Field(description="A parent finds its children too.")] = None
    cause: Cause | None = None
    channel: Channel | None = None
    source: FilterText | None = None
    external_id: Annotated[FilterText | None, Field(description="Its name in any system.")] = None
    region: FilterText | None = None
    number: Annotated[
        Annotated[str, AfterValidator(_number)] | None,
        Field(description="As people write it: case, spaces and dashes do not matter."),
    ] = None
    account_no: Annotated[FilterText | None, Field(description="The complainant's.")] = None
    phone: Annotated[
        Annotated[Phone, BeforeValidator(_with_plus)] | None,
        Field(description="The complainant's, however it is written: compared as E.164."),
    ] = None
    received_from: Annotated[FilterInstant | None, Field(description="received_at at or after this.")] = None
    received_to: Annotated[FilterInstant | None, Field(description="received_at before this.")] = None
    escalation_level_min: Annotated[
        Count | None, Field(description="The highest level reached by a deadline that is still unmet.")
    ] = None
    first_owner: Annotated[FilterText | None, Field(description="Login of a user.")] = None
    tag: FilterText | None = None
    cycle_min: Annotated[Count | None, Field(description="2: reopened at least once.")] = None
    q: Annotated[
        SearchText | None,
        Field(
            description="Words that are all in subject, description, resolution, root cause or external id."
        ),
    ] = None

    def digest(self) -> str:
        """The digest of these filters, in 16 characters. A cursor keeps it, so that it serves no other filters."""
        asked = {name: getattr(self, name) for name in sorted(ComplaintFilter.model_fields)}
        asked["status"] = sorted(set(self.status or ()))
        text = json.dumps(asked, default=str, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_UNCHANGED = (
    "overdue", "deadline_kind", "due_before", "team", "assignee", "priority", "cause", "source", "received_from",
    "received_to", "escalation_level_min", "first_owner", "tag", "cycle_min", "external_id",
)  # fmt: skip
_PLAIN = tuple(n for n in PLAIN_NAMES if n in ComplaintFilter.model_fields and n not in _UNCHANGED)


def filters_of(service: Service, tx: Transaction, caller: Caller, asked: ComplaintFilter) -> Filters:
    """The filters for the storage, within the scope of the caller.

    A filter by personal data finds only complaints whose persons the caller may see: the answer reveals them. Raises
    Forbidden if the caller may see none.
    """
    scope = caller.scope
    if asked.phone is not None or asked.account_no is not None:
        caller.require(Right.SEE_PERSONS)
        scope = caller.scope_for(Right.SEE_PERSONS)
    configuration = service.configuration(tx)
    region = configuration.policy_at(tx.now).phone_region
    known = identify(account_no=asked.account_no, phone=asked.phone, email=None, region=region)
    return Filters(
        **{name: getattr(asked, name) for name in _UNCHANGED},
        plain={name: value for name in _PLAIN if (value := getattr(asked, name)) is not None},
        statuses=tuple(dict.fromkeys(asked.status or ())),
        categories=_with_children(asked.category, configuration.categories),
        sequence=sequence_of(asked.number) if asked.number else None,
        account_nos=_spellings(asked.account_no, known.account_no),
        phone_e164=known.phone_e164,
        terms=tuple(query_terms(asked.q)) if asked.q and not asked.q.isspace() else None,
        scope=scope,
    )


def _with_children(code: str | None, categories: Mapping[str, Category]) -> tuple[str, ...] | None:
    if code is None:
        return None
    return (code, *(child.code for child in categories.values() if child.parent == code))


def _spellings(*texts: str | None) -> tuple[str, ...] | None:
    """The different texts among these that are not empty; None if there are none."""
    return tuple(dict.fromkeys(text for text in texts if text)) or None
