"""The answers about the configuration, for the OpenAPI document."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.openapi.calendar_schemas import ShownSpans
from complaints.api.openapi.example_files import read_examples
from complaints.domain.vocabulary import AccessRole, Cause, Nature, UserScope

_EXAMPLES = read_examples("complaints.api.configuration")

T = TypeVar("T")


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    model_config = ConfigDict(json_schema_extra={"description": "A page of a list."})

    items: list[T]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`TeamPage` for a page of `TeamShown`."""
        return f"{params[0].__name__.removesuffix('Shown')}Page"


class NamesShown(BaseModel):
    """A name in each language of the house."""

    en: str
    zh: str


class CategoryShown(BaseModel):
    """A category. A null `cause` or `nature` is left to the categories below it, a null `team` to the policy."""

    model_config = _example(_EXAMPLES["category"])

    code: str
    parent: str | None
    names: NamesShown
    cause: Cause | None
    nature: Nature | None
    team: str | None
    active: bool


class DepartmentShown(BaseModel):
    """A department."""

    model_config = _example(_EXAMPLES["department"])

    code: str
    names: NamesShown
    head: str | None
    deputy: str | None
    parent: str | None


class TeamShown(BaseModel):
    """A team."""

    model_config = _example(_EXAMPLES["team"])

    code: str
    names: NamesShown
    department: str
    lead: str | None
    deputy: str | None
    active: bool


class UserShown(BaseModel):
    """A user: a member of the staff who works on complaints."""

    model_config = _example(_EXAMPLES["user"])

    login: str
    name: str
    email: str | None
    active: bool
    deputy: str | None
    absent_from: AwareDatetime | None
    absent_until: AwareDatetime | None
    roles: list[AccessRole] | None
    teams: list[str]
    scope: UserScope | None
    scope_names: list[str]


class LeavingShown(BaseModel):
    """How far the handing over is for a user who leaves. Once all is handed over, `finished_at` is set."""

    login: Annotated[str, Field(description="The login of the user who leaves.")]
    successor: Annotated[str | None, Field(description="Who takes over; null: the teams do.")]
    started_at: Annotated[AwareDatetime, Field(description="When the user was deactivated.")]
    started_by: Annotated[str, Field(description="Who did it, such as `user:li.wei`.")]
    total: Annotated[int, Field(ge=0, description="How many complaints and other subjects the user owned.")]
    done: Annotated[int, Field(ge=0, description="How many of them are handed over.")]
    finished_at: Annotated[AwareDatetime | None, Field(description="When none was left; null: it goes on.")]


class KeyShown(BaseModel):
    """A key, without its secret."""

    model_config = _example(_EXAMPLES["key"])

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    roles: list[AccessRole]
    source: str
    user: str | None
    expires_at: AwareDatetime | None
    created_at: AwareDatetime
    created_by: str
    revoked_at: AwareDatetime | None
    previous_until: AwareDatetime | None
    last_used_at: AwareDatetime | None


class NewKeyShown(KeyShown):
    """A new key with its secret `key`. No other call shows the secret."""

    model_config = ConfigDict(json_schema_extra={})

    key: str = Field(examples=["cmp_3q2-7wAbCdEfGhIjKlMnOpQrStUvWxYz0123456789A"])


class CalendarShown(BaseModel):
    """A stored calendar. With `hours` null it is always open."""

    model_config = _example(_EXAMPLES["stored_calendar"])

    code: str
    timezone: str
    hours: dict[str, ShownSpans] | None
    holidays: dict[str, str]
    overrides: dict[str, ShownSpans]


class ListedPolicyShown(BaseModel):
    """A version of a policy. Complaints received now use the version that is in force."""

    model_config = _example(_EXAMPLES["listed_policy"])

    code: str
    version: int
    title: dict[str, str]
    effective_at: AwareDatetime
    applied_at: AwareDatetime
    applied_by: str
    in_force: bool


class PolicyShown(ListedPolicyShown):
    """A version of a policy: `document` in full, its calendars written out, and the `text` that was sent."""

    model_config = _example(_EXAMPLES["policy"])

    document: dict[str, Any]
    text: Annotated[str, Field(description="The document as it was sent.")]


class Finding(BaseModel):
    """A warning about a member of a document."""

    pointer: str
    message: Annotated[str, Field(description="What looks strange.")]


class AppliedPolicyShown(PolicyShown):
    """A version of a policy, with the warnings about its document."""

    model_config = _example(_EXAMPLES["applied_policy"])

    warnings: list[Finding]


class ValidPolicyShown(BaseModel):
    """A document without a fault."""

    model_config = _example(_EXAMPLES["valid_policy"])

    valid: Literal[True]
    warnings: list[Finding]
