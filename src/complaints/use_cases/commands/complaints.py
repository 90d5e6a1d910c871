"""Request bodies about complaints, checked as far as that needs no database. Unknown members are refused."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, field_validator

from complaints.domain.complaint.members import GROUPS, PLAIN_MEMBERS, cleared_value
from complaints.domain.vocabulary import (
    Action,
    Cause,
    Channel,
    ContactChannel,
    ContactOutcome,
    HoldReason,
    LinkType,
    Outcome,
    Priority,
    RecipientRole,
    Severity,
)
from complaints.use_cases.commands.field_types import (
    WHOLE,
    AccountNo,
    Attributes,
    Code,
    Content,
    Currency,
    Email,
    ExternalIdChanges,
    ExternalIds,
    Instant,
    LongText,
    Name,
    NoteText,
    Phone,
    Reason,
    Subject,
    Switch,
    Tags,
    Text,
)


class PersonIn(Content):
    """A person: the complainant, or the reporter who speaks for them."""

    name: Name | None = None
    phone: Phone | None = None
    email: Email | None = None
    account_no: AccountNo | None = None
    preferred_contact: ContactChannel | None = None
    language: Code | None = None
    vulnerable: Switch | None = None


class ServiceIn(Content):
    """The service complained of."""

    type: Annotated[Code | None, Field(description="The kind of service, such as `mobile`.")] = None
    id: Annotated[Code | None, Field(description="The name of the service, such as its phone number.")] = None


class CreateComplaint(Content):
    """A complaint to post. Its deadlines start at `received_at`, now if absent."""

    channel: Channel
    subject: Subject
    description: LongText | None = None
    source: Code | None = None
    external_id: Code | None = None
    external_ids: ExternalIds | None = None
    received_at: Instant | None = None
    severity: Severity | None = None
    category: Code | None = None
    priority: Priority | None = None
    region: Code | None = None
    complainant: PersonIn | None = None
    reporter: PersonIn | None = None
    service: ServiceIn | None = None
    first_owner: Code | None = None
    tags: Tags | None = None
    attributes: Attributes | None = None


def _never_null(schema: dict[str, Any]) -> None:
    """Describe a member that may be absent, but not null."""
    schema |= schema.pop("anyOf")[0]
    schema.pop("default")


class PatchComplaint(Content):
    """Members to change, in the way of RFC 7396: those absent stay, null clears, objects are merged.

    Without a priority, the priority follows from severity, complainant and channel again.
    """

    subject: Annotated[Subject | None, Field(json_schema_extra=_never_null)] = None
    description: LongText | None = None
    category: Code | None = None
    severity: Annotated[Severity | None, Field(json_schema_extra=_never_null)] = None
    priority: Priority | None = None
    region: Code | None = None
    tags: Tags | None = None
    attributes: Attributes | None = None
    external_ids: ExternalIdChanges | None = None
    complainant: PersonIn | None = None
    reporter: PersonIn | None = None
    service: ServiceIn | None = None
    first_owner: Annotated[Code | None, Field(json_schema_extra=_never_null)] = None

    @field_validator("subject", "severity", "first_owner", mode="before")
    @classmethod
    def _keeps_a_value(cls, value: object) -> object:
        if value is None:
            raise ValueError("cannot be cleared: a complaint always has one")
        return value


_UNGROUPED_NAMES = tuple(member.name for member in PLAIN_MEMBERS if member.group is None)


def given_members(content: Content) -> dict[str, Any]:
    """The members that a request body gives, by name. An absent member and a null are left out."""
    return {name: value for name, value in vars(content).items() if value is not None}


def changed_members(content: Content) -> dict[str, Any]:
    """The members that a change names, by name. None clears a member."""
    return {name: getattr(content, name) for name in content.model_fields_set}


def changed_plain_values(command: PatchComplaint) -> dict[str, Any]:
    """The plain members that a change names, by their names in `PlainMembers`, with their new values.

    A member that is cleared has the value of a complaint without it. `attributes` are a change, to be merged.
    """
    changed = changed_members(command)
    values = {}
    for member in PLAIN_MEMBERS:
        if (member.group or member.name) not in changed:
            continue
        value = changed[member.group or member.name]
        if member.group and value is not None:
            if member.key not in value.model_fields_set:
                continue
            value = getattr(value, member.key)
        values[member.name] = cleared_value(member) if value is None else value
    return values


def plain_values(command: CreateComplaint) -> dict[str, Any]:
    """The plain members that a request body gives, by their names in `PlainMembers`."""
    given = vars(command)
    values = {name: value for name in _UNGROUPED_NAMES if (value := given.get(name)) is not None}
    for group, names in GROUPS.items():
        if (content := given.get(group)) is not None:
            values |= {names[key]: value for key, value in given_members(content).items()}
    return values


class Compensation(Content):
    """Money granted."""

    amount: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)]
    currency: Currency


class _Transition(Content):
    any_of: ClassVar[tuple[str, ...]] = ()
    """Members of which at least one must be there."""

    null_counts: ClassVar[tuple[str, ...]] = ()
    """Members that may be null, where null is not the same as absent."""

    @classmethod
    def required_members(cls) -> tuple[str, ...]:
        """The names of the members that must be there, besides `action`."""
        return tuple(
            name for name, member in cls.model_fields.items() if member.is_required() and name != "action"
        )

    @classmethod
    def optional_members(cls) -> tuple[str, ...]:
        """The names of the members that may be absent."""
        return tuple(name for name, member in cls.model_fields.items() if not member.is_required())

    def arguments(self) -> dict[str, Any]:
        """The members that the action carries, by name, without `action` itself."""
        return {name: value for name, value in given_members(self).items() if name != "action"}


class Assign(_Transition):
    """Give the work to a team, a person, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            # Not `anyOf`: programs that generate clients would make a class of each alternative.
            "if": {"not": {"required": ["team"], "properties": {"team": {"type": "string"}}}},
            "then": {"required": ["assignee"]},
        }
    )

    any_of: ClassVar[tuple[str, ...]] = ("team", "assignee")
    null_counts: ClassVar[tuple[str, ...]] = ("assignee",)
    action: Literal[Action.ASSIGN]
    team: Code | None = None
    assignee: Annotated[
        Code | None, Field(description="The user who works on it. null takes the assignment back.")
    ] = None

    def arguments(self) -> dict[str, Any]:
        """As for the other actions. `take_back` is true if only `assignee` is null, which is not absent.

        A team cannot be null: a complaint always has one.
        """
        found = super().arguments()
        is_team_null = self.team is None and "team" in self.model_fields_set
        if self.assignee is None and "assignee" in self.model_fields_set and not is_team_null:
            found["take_back"] = True
        return found


class Respond(_Transition):
    """A human contact to the complainant about the complaint."""

    action: Literal[Action.RESPOND]
    message: Text
    contact_channel: ContactChannel


class StartHold(_Transition):
    """Work waits, until a stated time at the latest."""

    action: Literal[Action.HOLD]
    reason: Annotated[HoldReason, Field(description="What the work waits for.")]
    until: Instant


class Resume(_Transition):
    """Work goes on."""

    action: Literal[Action.RESUME]


class Resolve(_Transition):
    """Decide and solve; it counts once the complainant has been told."""

    action: Literal[Action.RESOLVE]
    resolution: Text
    outcome: Outcome
    cause: Cause
    root_cause: Text | None = None
    compensation: Compensation | None = None

    def arguments(self) -> dict[str, Any]:
        """As for the other actions, but the compensation is a pair of amount and currency."""
        found = super().arguments()
        if self.compensation is not None:
            found["compensation"] = (self.compensation.amount, self.compensation.currency)
        return found


class ResolveAssumed(Resolve):
    """As `Resolve`, for a caller whose interface cannot name the outcome: `not_upheld` is assumed (rule 1.20).

    No body of the API has this form, so its callers must name the outcome.
    """

    outcome: Literal[Outcome.NOT_UPHELD] = Outcome.NOT_UPHELD
    outcome_assumed: Literal[True] = True


class NotifyResult(_Transition):
    """Feed the result back to the complainant; the follow-up begins."""

    action: Literal[Action.NOTIFY_RESULT]
    message: Text
    contact_channel: ContactChannel


class RecordContact(_Transition):
    """Put a follow-up contact on record. `unreachable` may be recorded before the result too."""

    action: Literal[Action.RECORD_CONTACT]
    outcome: Annotated[ContactOutcome, Field(description="How the contact ended.")]
    csat: Annotated[int, Field(ge=1, le=5), WHOLE] | None = None
    nps: Annotated[int, Field(ge=0, le=10), WHOLE] | None = None
    note: Text | None = None


class Reopen(_Transition):
    """Take it up again."""

    action: Literal[Action.REOPEN]
    reason: Text


class Close(_Transition):
    """End it as a closed loop. `root_cause` must be there if the outcome is upheld and none is on record. `early`,
    `message` and `contact_channel` go together: the complainant has confirmed the solution.
    """

    action: Literal[Action.CLOSE]
    root_cause: Text | None = None
    early: Switch | None = None
    message: Text | None = None
    contact_channel: ContactChannel | None = None


class Escalate(_Transition):
    """Call on the person who holds a role."""

    action: Literal[Action.ESCALATE]
    reason: Text
    role: RecipientRole


class Reject(_Transition):
    """Refuse it, and tell the complainant so. `reason` is a code of the house."""

    action: Literal[Action.REJECT]
    reason: Annotated[Code, Field(description="Why it is refused: a code of the house.")]
    message: Text
    contact_channel: ContactChannel


class Withdraw(_Transition):
    """The complainant takes it back."""

    action: Literal[Action.WITHDRAW]
    reason: Text


class Merge(_Transition):
    """End it in favour of another complaint of the same complainant. `into`: id or number of the other one."""

    action: Literal[Action.MERGE]
    into: Code


class Unmerge(_Transition):
    """Undo a merge within an hour. The promises that moved come back."""

    action: Literal[Action.UNMERGE]
    reason: Text | None = None


Transition = Annotated[
    Assign
    | Respond
    | StartHold
    | Resume
    | Resolve
    | NotifyResult
    | RecordContact
    | Reopen
    | Close
    | Escalate
    | Reject
    | Withdraw
    | Merge
    | Unmerge,
    Field(discriminator="action", title="Transition", description="An action, and what it carries."),
]
TRANSITIONS: dict[Action, type[_Transition]] = {
    Action.ASSIGN: Assign,
    Action.RESPOND: Respond,
    Action.HOLD: StartHold,
    Action.RESUME: Resume,
    Action.RESOLVE: Resolve,
    Action.NOTIFY_RESULT: NotifyResult,
    Action.RECORD_CONTACT: RecordContact,
    Action.REOPEN: Reopen,
    Action.CLOSE: Close,
    Action.ESCALATE: Escalate,
    Action.REJECT: Reject,
    Action.WITHDRAW: Withdraw,
    Action.MERGE: Merge,
    Action.UNMERGE: Unmerge,
}


class AddNote(Content):
    """A note for colleagues, or one the complainant may read too."""

    text: Annotated[NoteText, Field(description="The note.")]
    visibility: Literal["internal", "public"] | None = None


class Reveal(Content):
    """The wish to see the persons of a complaint in clear."""

    reason: Annotated[Reason, Field(description="Why the caller must see them. It stays in the access log.")]


class AddLink(Content):
    """A link to another complaint, by its id or number."""

    type: LinkType
    complaint_id: Annotated[Code, Field(description="The id or the number of the other complaint.")]


class MakePromise(Content):
    """A promise to the complainant; its own deadline."""

    text: Annotated[Text, Field(description="What is promised.")]
    due_at: Instant


class PolicyVersion(Content):
    """A version of a policy."""

    code: Code
    version: Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


class Replan(Content):
    """Move the complaint to another policy version."""

    policy: Annotated[PolicyVersion, Field(description="The version to move to.")]


class Acknowledge(Content):
    """A person has seen an escalation."""

    note: Text | None = None
