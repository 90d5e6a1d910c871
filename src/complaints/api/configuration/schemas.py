"""The answers about the configuration, for the OpenAPI document, and examples of requests."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from complaints.api.openapi.calendar_schemas import ShownSpans
from complaints.domain.vocabulary import AccessRole, Cause, Nature

T = TypeVar("T")

# No example has a null value: FastAPI leaves null out of the document.
_CATEGORY = {
    "code": "network.outage",
    "parent": "network",
    "names": {"en": "Outage", "zh": "网络中断"},
    "cause": "technical",
    "nature": "technical",
    "team": "operations",
    "active": True,
}
_DEPARTMENT = {
    "code": "service",
    "names": {"en": "Service department", "zh": "服务部"},
    "head": "li.wei",
    "deputy": "admin",
    "parent": "head_office",
}
_TEAM = {
    "code": "night_shift",
    "names": {"en": "Night shift", "zh": "夜班"},
    "department": "service",
    "lead": "li.wei",
    "deputy": "admin",
    "active": True,
}
_USER = {
    "login": "li.wei",
    "name": "李伟",
    "email": "li.wei@example.com",
    "active": True,
    "deputy": "admin",
    "absent_from": "2026-11-22T00:00:00Z",
    "absent_until": "2026-11-29T00:00:00Z",
}
_KEY = {
    "id": "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11",
    "name": "cc-north",
    "roles": ["intake"],
    "source": "cc-north",
    "user": "li.wei",
    "expires_at": "2027-11-22T00:00:00Z",
    "created_at": "2026-11-22T01:15:00Z",
    "created_by": "key:bootstrap",
    "revoked_at": "2026-12-24T08:00:00Z",
}
CALENDAR: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "hours": {day: [["09:00", "12:00"], ["13:30", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": {"2026-10-01": "国庆节"},
    "overrides": {"2026-10-10": [["09:00", "18:00"]]},
}
_LISTED_POLICY = {
    "code": "telecom-handbook",
    "version": 1,
    "title": {"en": "Telecom service-quality handbook", "zh": "电信服务质量管理与提升手册"},
    "effective_at": "1970-01-01T00:00:00Z",
    "applied_at": "2026-01-05T01:00:00Z",
    "applied_by": "system",
    "in_force": True,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Page(BaseModel, Generic[T]):
    """A page of a list. `next_cursor` asks for the next page; it is null on the last page."""

    items: list[T]
    next_cursor: str | None


class NamesShown(BaseModel):
    """A name in each language of the house."""

    en: str
    zh: str


class CategoryShown(BaseModel):
    """A category. A null `cause` or `nature` is left to the categories below it, a null `team` to the policy."""

    model_config = _example(_CATEGORY)

    code: str
    parent: str | None
    names: NamesShown
    cause: Cause | None
    nature: Nature | None
    team: str | None
    active: bool


class DepartmentShown(BaseModel):
    """A department."""

    model_config = _example(_DEPARTMENT)

    code: str
    names: NamesShown
    head: str | None
    deputy: str | None
    parent: str | None


class TeamShown(BaseModel):
    """A team."""

    model_config = _example(_TEAM)

    code: str
    names: NamesShown
    department: str
    lead: str | None
    deputy: str | None
    active: bool


class UserShown(BaseModel):
    """A user: a member of the staff who works on complaints."""

    model_config = _example(_USER)

    login: str
    name: str
    email: str | None
    active: bool
    deputy: str | None
    absent_from: AwareDatetime | None
    absent_until: AwareDatetime | None


class KeyShown(BaseModel):
    """A key, without its secret."""

    model_config = _example(_KEY)

    id: str = Field(json_schema_extra={"format": "uuid"})
    name: str
    roles: list[AccessRole]
    source: str
    user: str | None
    expires_at: AwareDatetime | None
    created_at: AwareDatetime
    created_by: str
    revoked_at: AwareDatetime | None


class NewKeyShown(KeyShown):
    """A new key with its secret `key`. No other call shows the secret."""

    model_config = ConfigDict(json_schema_extra={})

    key: str = Field(examples=["cmp_3q2-7wAbCdEfGhIjKlMnOpQrStUvWxYz0123456789A"])


class CalendarShown(BaseModel):
    """A stored calendar. With `hours` null it is always open."""

    model_config = _example({"code": "office", **CALENDAR})

    code: str
    timezone: str
    hours: dict[str, ShownSpans] | None
    holidays: dict[str, str]
    overrides: dict[str, ShownSpans]


class ListedPolicyShown(BaseModel):
    """A version of a policy. Complaints received now use the version that is in force."""

    model_config = _example(_LISTED_POLICY)

    code: str
    version: int
    title: dict[str, str]
    effective_at: AwareDatetime
    applied_at: AwareDatetime
    applied_by: str
    in_force: bool


class PolicyShown(ListedPolicyShown):
    """A version of a policy: `document` in full, its calendars written out, and the `text` that was sent."""

    model_config = _example(_LISTED_POLICY | {"document": {"code": "telecom-handbook"}, "text": "code: …"})

    document: dict[str, Any]
    text: str


class Finding(BaseModel):
    """A warning about a member of a document."""

    pointer: str
    message: str


class AppliedPolicyShown(PolicyShown):
    """A version of a policy, with the warnings about its document."""

    model_config = _example(
        _LISTED_POLICY | {"document": {"code": "telecom-handbook"}, "text": "code: …", "warnings": []}
    )

    warnings: list[Finding]


class ValidPolicyShown(BaseModel):
    """A document without a fault."""

    model_config = _example(
        {
            "valid": True,
            "warnings": [{"pointer": "/deadlines/promise", "message": "line 57: counts working time by …"}],
        }
    )

    valid: Literal[True]
    warnings: list[Finding]


CATEGORY_EXAMPLE = {
    "code": "network.handover",
    "names": {"en": "Dropped between cells", "zh": "切换掉话"},
    "cause": "technical",
    "nature": "technical",
}
DEPARTMENT_EXAMPLE = {
    "code": "call_centre",
    "names": {"en": "Call centre", "zh": "呼叫中心"},
    "head": "admin",
    "parent": "service",
}
TEAM_EXAMPLE = {**_TEAM, "lead": "admin", "deputy": "li.wei"}
USER_EXAMPLE = {"login": "li.wei", "name": "李伟", "email": "li.wei@example.com", "deputy": "admin"}
KEY_EXAMPLE = {"name": "cc-north", "roles": ["intake"], "source": "cc-north"}
