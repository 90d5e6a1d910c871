"""The commands of callers that change the configuration, with the checks that need no database.

In a change, a member that is absent or null keeps its value. `""` removes the value of an optional member.
"""

from typing import Annotated, Literal

from pydantic import Field

from complaints.domain.policy.categories import CODE
from complaints.domain.time.preview import DURATION, DURATION_LENGTH
from complaints.domain.vocabulary import AccessRole, Cause, Nature, UserScope
from complaints.use_cases.commands.field_types import Code, Content, Email, EmailChange, Instant, Name, Switch

IDENTIFIER = "[A-Za-z0-9][A-Za-z0-9._@-]{0,199}"
Identifier = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]*$")]
Reference = Annotated[str, Field(max_length=200, pattern=r"^([A-Za-z0-9][A-Za-z0-9._@-]*)?$")]
CategoryCode = Annotated[str, Field(max_length=200, json_schema_extra={"pattern": f"^{CODE}$"})]


class Names(Content):
    """A name in each language of the house."""

    en: Name
    zh: Name


class NamesChange(Content):
    """Names to change."""

    en: Name | None = None
    zh: Name | None = None


class CreateCategory(Content):
    """A category: `network` at the first level, `network.outage` below it. `parent` follows from the code."""

    code: CategoryCode
    parent: CategoryCode | None = None
    names: Names
    cause: Cause | None = None
    nature: Nature | None = None
    team: Identifier | None = None
    active: Switch | None = None


class PatchCategory(Content):
    """Members to change. A category that is not active takes no new complaints, nor do those below it."""

    names: NamesChange | None = None
    cause: Cause | None = None
    nature: Nature | None = None
    team: Reference | None = None
    active: Switch | None = None


class CreateDepartment(Content):
    """A department. The top department has no parent, and its head is the executive."""

    code: Identifier
    names: Names
    head: Identifier | None = None
    deputy: Identifier | None = None
    parent: Identifier | None = None


class PatchDepartment(Content):
    """Members to change."""

    names: NamesChange | None = None
    head: Reference | None = None
    deputy: Reference | None = None
    parent: Reference | None = None


class CreateTeam(Content):
    """A team of a department."""

    code: Identifier
    names: Names
    department: Identifier
    lead: Identifier | None = None
    deputy: Identifier | None = None
    active: Switch | None = None


class PatchTeam(Content):
    """Members to change. A team that is not active takes no new complaints."""

    names: NamesChange | None = None
    department: Identifier | None = None
    lead: Reference | None = None
    deputy: Reference | None = None
    active: Switch | None = None


Roles = Annotated[tuple[AccessRole, ...], Field(max_length=10)]
Identifiers = Annotated[tuple[Identifier, ...], Field(max_length=200)]


class CreateUser(Content):
    """A user. During an absence the deputy stands in. An absence without `absent_until` has no end yet.

    `scope` limits or widens the complaints that the user may know of. Without it they follow from `roles` and `teams`.
    """

    login: Identifier
    name: Name
    email: Email | None = None
    active: Switch | None = None
    deputy: Identifier | None = None
    absent_from: Instant | None = None
    absent_until: Instant | None = None
    roles: Roles | None = None
    teams: Identifiers | None = None
    scope: UserScope | None = None
    scope_names: Identifiers | None = None


class PatchUser(Content):
    """Members to change. A new `absent_from` is a new absence; an `absent_until` in the past ends it.

    `successor` takes over what belongs to a user who is deactivated. `roles`, `teams` and `scope_names` replace the
    former lists. `scope: ""` lets the scope follow from the roles.
    """

    name: Name | None = None
    email: EmailChange | None = None
    active: Switch | None = None
    successor: Identifier | None = None
    deputy: Reference | None = None
    absent_from: Instant | None = None
    absent_until: Instant | None = None
    roles: Roles | None = None
    teams: Identifiers | None = None
    scope: UserScope | Literal[""] | None = None
    scope_names: Identifiers | None = None


class RotateKey(Content):
    """How long the present secret of a key works on: an ISO 8601 duration of at most 30 days. `PT0S` ends it now."""

    overlap: Annotated[
        str, Field(json_schema_extra={"pattern": f"^{DURATION}$", "maxLength": DURATION_LENGTH})
    ] = "PT24H"


class CreateKey(Content):
    """A key. Complaints posted with it belong to `source`, else to the name of the key. It acts as `user`, if given."""

    name: Identifier
    roles: Annotated[tuple[AccessRole, ...], Field(json_schema_extra={"minItems": 1})]
    source: Code | None = None
    user: Identifier | None = None
    expires_at: Instant | None = None
