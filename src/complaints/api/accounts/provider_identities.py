"""Routes for the provider identity of a user: link, show, unlink."""

from typing import Annotated, Any

from fastapi import Body
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.problems.schemas import refusals
from complaints.api.request import CurrentRequest, Reply, require_right
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.accounts import provider_identities
from complaints.use_cases.accounts.provider_identities import ProviderIdentity
from complaints.use_cases.commands.provider_identities import LinkIdentity
from complaints.use_cases.service import Transaction

_EXAMPLE = {"issuer": "https://login.example/realms/house", "subject": "f3c1d9a2-7b1e-4a52-9c1d-5d1f0e6a7b88"}
router = PrefixedRouter(
    prefix="/users/{login}/identity",
    tags=["accounts"],
    route_class=StrictRoute,
    dependencies=[require_right(Right.ADMINISTER)],
)


class ProviderIdentityShown(BaseModel):
    """By which subject of which issuer a user signs in."""

    issuer: Annotated[str, Field(description="The issuer that vouches for the user.")]
    subject: Annotated[str, Field(description="The name of the user at the issuer, which never changes.")]
    linked_at: Annotated[AwareDatetime, Field(description="When the user was linked.")]
    linked_by: Annotated[str, Field(description="Who linked the user; the user, if an e-mail address did.")]


def identity_json(identity: ProviderIdentity) -> dict[str, Any]:
    """A provider identity as the API shows it."""
    return {
        "issuer": identity.issuer,
        "subject": identity.subject,
        "linked_at": to_json(identity.linked_at),
        "linked_by": identity.linked_by,
    }


@router.get(
    "",
    responses={200: {"model": ProviderIdentityShown}, **refusals(not_found="No such user, or no identity.")},
)
def get_identity(request: CurrentRequest, login: str) -> Response:
    """The provider identity by which a user signs in."""

    def work(tx: Transaction) -> Reply:
        found = provider_identities.load_identity(request.service, tx, request.caller, login)
        return 200, identity_json(found), {}

    return request.read(work)


@router.put(
    "",
    responses={
        200: {"model": ProviderIdentityShown},
        **refusals(not_found="There is no such user.", conflict="The subject is linked to another user."),
    },
)
def link_identity(
    request: CurrentRequest, login: str, command: Annotated[LinkIdentity, Body(examples=[_EXAMPLE])]
) -> Response:
    """Link a user to a subject of an OpenID provider, in place of an earlier one.

    The user signs in there from now on. If there was an earlier subject, the sessions of the user end.
    """

    def work(tx: Transaction) -> Reply:
        linked = provider_identities.link_identity(
            request.service,
            tx,
            request.caller,
            login,
            issuer=command.issuer,
            subject=command.subject,
        )
        return 200, identity_json(linked), {}

    return request.configure(work)


@router.delete("", status_code=204, responses=refusals(not_found="No such user, or no identity."))
def unlink_identity(request: CurrentRequest, login: str) -> Response:
    """Take the provider identity of a user away. The sessions of the user end, those by password too.

    Afterwards no e-mail address links the user again: only an administrator does.
    """

    def work(tx: Transaction) -> Reply:
        provider_identities.unlink_identity(request.service, tx, request.caller, login)
        return 204, None, {}

    return request.configure(work)
