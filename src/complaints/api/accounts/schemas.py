"""The answers about accounts, for the OpenAPI document."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from complaints.domain.scope import ScopeKind
from complaints.domain.vocabulary import AccessRole, SignInMethod
from complaints.use_cases.access import Right


class SessionShown(BaseModel):
    """A session of a user."""

    id: str
    login: str
    method: Annotated[SignInMethod, Field(description="How the user signed in.")]
    address: Annotated[str, Field(description="The address from which the user signed in.")]
    agent: Annotated[str, Field(description="The name that the browser gave itself.")]
    created_at: Annotated[AwareDatetime, Field(description="When the user signed in.")]
    seen_at: Annotated[AwareDatetime, Field(description="When it was used last, to the minute.")]
    expires_at: Annotated[AwareDatetime, Field(description="When it ends, even if it is used until then.")]
    current: Annotated[bool, Field(description="True for the session of this request.")]


class SessionList(BaseModel):
    """Sessions that have not ended, latest first."""

    items: list[SessionShown]


class PasswordLinkShown(BaseModel):
    """A link by which a user sets a password. Only this answer has its token."""

    login: str
    token: Annotated[str, Field(description="The token for `POST /v1/password-links`. It works once.")]
    expires_at: Annotated[AwareDatetime, Field(description="When the link stops working.")]


class ScopeShown(BaseModel):
    """The complaints that a caller may know of."""

    kind: Annotated[
        ScopeKind, Field(description="The member of a complaint that is compared; `all`: none is.")
    ]
    names: Annotated[list[str], Field(description="The sources, teams, departments or logins.")]


class MeShown(BaseModel):
    """The caller of this request: a user with a session, or a key."""

    name: Annotated[str, Field(description="The name of the user, or of the key.")]
    login: Annotated[
        str | None, Field(description="The login of the user; null: the key belongs to no user.")
    ]
    roles: list[AccessRole]
    rights: Annotated[list[Right], Field(description="What the roles allow. No call needs `erase` yet.")]
    scope: Annotated[ScopeShown, Field(description="The complaints that the caller may know of.")]
    source: Annotated[str, Field(description="The source of the complaints that the caller posts.")]
