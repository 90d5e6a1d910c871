"""The filters of complaint lists: as callers send them, and as the storage applies them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)

from complaints.domain.complaint.identity import Identity, identify
from complaints.domain.complaint.members import PLAIN_NAMES
from complaints.domain.complaint.numbers import sequence_of
from complaints.domain.complaint.search_terms import QueryPart, full_query, name_query
from complaints.domain.errors import InvalidContent
from complaints.domain.policy.categories import Category
from complaints.domain.vocabulary import Cause, Channel, Nature, Priority, Status
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.complaint_filters import Filters
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.commands.field_types import (
    KINDS_OF_DEADLINES,
    Content,
    Email,
    FilterText,
    Flag,
    Instant,
    Phone,
    SearchText,
)
from complaints.use_cases.named_filters import NOBODY, check_name, resolve_user
from complaints.use_cases.service import Service

_ATTRIBUTE = "attributes."
_LONGEST_ATTRIBUTE = 200


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
    """The complaints that a caller asks for. An absent member asks nothing; all given members must fit.

    Names that begin with `attributes.` ask for the value of an attribute.
    """

    _attributes: dict[str, Any] = PrivateAttr(default_factory=dict)

    status: Annotated[list[Status] | None, Field(description="Any of these; repeat it for several.")] = None
    overdue: Annotated[
        Flag | None,
        Field(description="Whether a deadline is past due and unmet, by the clock."),
    ] = None
    deadline_kind: Annotated[
        FilterText | None,
        Field(
            description=f"With an unmet deadline of this kind; with overdue=true an overdue one. {KINDS_OF_DEADLINES}"
        ),
    ] = None
    due_before: Annotated[FilterInstant | None, Field(description="next_due_at before this.")] = None
    team: Annotated[FilterText | None, Field(description="Code of a team.")] = None
    assignee: Annotated[
        FilterText | None, Field(description="Login of a user, `me`, or `none`: nobody has it.")
    ] = None
    priority: Priority | None = None
    category: Annotated[FilterText | None, Field(description="A parent finds its children too.")] = None
    cause: Cause | None = None
    nature: Nature | None = None
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
    email: Annotated[
        Email | None,
        Field(description="The complainant's. U-labels and A-labels of its domain are the same."),
    ] = None
    name: Annotated[
        FilterText | None, Field(description="Words that are all in the name of the complainant or reporter.")
    ] = None
    received_from: Annotated[FilterInstant | None, Field(description="received_at at or after this.")] = None
    received_to: Annotated[FilterInstant | None, Field(description="received_at before this.")] = None
    closed_from: Annotated[FilterInstant | None, Field(description="Closed at or after this.")] = None
    closed_to: Annotated[FilterInstant | None, Field(description="Closed before this.")] = None
    updated_from: Annotated[FilterInstant | None, Field(description="updated_at at or after this.")] = None
    met_late: Annotated[
        Flag | None, Field(description="Whether a deadline was met, but after its due time.")
    ] = None
    csat_max: Annotated[
        Annotated[int, Field(ge=1, le=5)] | None, Field(description="A satisfaction of at most this.")
    ] = None
    escalation_level_min: Annotated[
        Count | None, Field(description="The highest level reached by a deadline that is still unmet.")
    ] = None
    first_owner: Annotated[FilterText | None, Field(description="Login of a user, or `me`.")] = None
    tag: FilterText | None = None
    cycle_min: Annotated[Count | None, Field(description="2: reopened at least once.")] = None
    q: Annotated[
        SearchText | None,
        Field(
            description="Words that are all in subject, description, resolution, root cause, external id or "
            "number; for callers who may see persons also in name, phone, e-mail or account number."
        ),
    ] = None

    @model_validator(mode="wrap")
    @classmethod
    def _take_attributes(cls, asked: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(asked, dict):
            return handler(asked)
        made = handler({name: value for name, value in asked.items() if not name.startswith(_ATTRIBUTE)})
        made._attributes = {
            name.removeprefix(_ATTRIBUTE): value
            for name, value in asked.items()
            if name.startswith(_ATTRIBUTE)
        }
        return made

    def attributes(self) -> dict[str, str]:
        """The asked values of attributes, by key. Raises InvalidContent for a value that cannot be compared."""
        for key, value in self._attributes.items():
            if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_ATTRIBUTE or "\0" in key + value:
                message = f"must have one value of 1 to {_LONGEST_ATTRIBUTE} characters, without NUL"
                raise InvalidContent.in_query(_ATTRIBUTE + key, message)
        return dict(self._attributes)

    def digest(self) -> str:
        """The digest of these filters, in 16 characters. A cursor keeps it, so that it serves no other filters."""
        asked = {name: getattr(self, name) for name in sorted(ComplaintFilter.model_fields)}
        asked["status"] = sorted(set(self.status or ()))
        asked |= {_ATTRIBUTE + key: value for key, value in sorted(self._attributes.items())}
        text = json.dumps(asked, default=str, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_UNCHANGED = (
    "overdue", "deadline_kind", "due_before", "team", "priority", "cause", "nature", "source", "received_from",
    "received_to", "closed_from", "closed_to", "updated_from", "met_late", "csat_max", "escalation_level_min",
    "tag", "cycle_min", "external_id",
)  # fmt: skip
_PLAIN = tuple(n for n in PLAIN_NAMES if n in ComplaintFilter.model_fields and n not in _UNCHANGED)
_OF_PERSONS = ("phone", "account_no", "email", "name")


def filters_of(service: Service, tx: Transaction, caller: Caller, asked: ComplaintFilter) -> Filters:
    """The filters for the storage, within the scope of the caller.

    A filter by personal data finds only complaints whose persons the caller may see: the answer reveals them. Raises
    Forbidden if the caller may see none, and for a filter by attributes that the caller may not read. Raises
    InvalidContent for a team, user, category or kind of deadlines that does not exist.
    """
    right = Right.READ_OWN
    if any(getattr(asked, name) is not None for name in _OF_PERSONS):
        caller.require(right := Right.SEE_PERSONS)
    if asked.attributes():  # each role that reads them sees persons too
        caller.require(right := Right.SEE_INTERNAL)
    configuration = service.configuration(tx)
    region = configuration.policy_at(tx.now).phone_region
    users = _users(configuration, caller, asked)
    known = identify(account_no=asked.account_no, phone=asked.phone, email=asked.email, region=region)
    return Filters(
        **{name: getattr(asked, name) for name in _UNCHANGED},
        **users,
        **_marks(asked, known),
        plain={name: value for name in _PLAIN if (value := getattr(asked, name)) is not None},
        attributes=asked.attributes(),
        statuses=tuple(dict.fromkeys(asked.status or ())),
        categories=_with_children(asked.category, configuration.categories),
        sequence=sequence_of(asked.number) if asked.number else None,
        terms=_terms(caller, asked, region),
        scope=caller.scope_with(right, tx.now, users["assignee"], users["first_owner"]),
    )


def _users(configuration: Configuration, caller: Caller, asked: ComplaintFilter) -> dict[str, Any]:
    """The filters by users; also checks the team and the kind of deadlines."""
    check_name(
        asked.deadline_kind,
        configuration.deadline_kinds,
        parameter="deadline_kind",
        thing="kind of deadline",
    )
    check_name(asked.team, configuration.directory.teams, parameter="team", thing="team")
    users = configuration.directory.users
    unassigned = asked.assignee == NOBODY
    assignee = None if unassigned else resolve_user(asked.assignee, users, caller, parameter="assignee")
    first_owner = resolve_user(asked.first_owner, users, caller, parameter="first_owner")
    return {"unassigned": unassigned, "assignee": assignee, "first_owner": first_owner}


def _marks(asked: ComplaintFilter, known: Identity) -> dict[str, Any]:
    """The filters by the marks of a complainant. "" finds nobody: a number that is nobody's."""
    return {
        "account_nos": _spellings(asked.account_no, known.account_no),
        "phone_e164": None if asked.phone is None else known.phone_e164 or "",
        "phone_extension": known.extension,
        "email": None if asked.email is None else known.email or "",
    }


def _terms(caller: Caller, asked: ComplaintFilter, region: str) -> tuple[QueryPart, ...] | None:
    has_text = asked.q is not None and bool(asked.q) and not asked.q.isspace()
    if not has_text and asked.name is None:
        return None
    sees_persons = caller.has_right_everywhere(Right.SEE_PERSONS)
    by_text = full_query(asked.q, region=region if sees_persons else None) if asked.q and has_text else []
    by_name = name_query(asked.name) if asked.name is not None else []
    if (has_text and not by_text) or (asked.name is not None and not by_name):
        return ()
    return (*by_text, *by_name)


def _with_children(code: str | None, categories: Mapping[str, Category]) -> tuple[str, ...] | None:
    if code is None:
        return None
    check_name(code, categories, parameter="category", thing="category")
    return (code, *(child.code for child in categories.values() if child.parent == code))


def _spellings(*texts: str | None) -> tuple[str, ...] | None:
    """The different texts among these that are not empty; None if there are none."""
    return tuple(dict.fromkeys(text for text in texts if text)) or None
