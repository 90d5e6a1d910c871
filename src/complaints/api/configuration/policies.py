"""Routes of policies. The body of a request is the policy document itself, in JSON or YAML."""

from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from complaints.api.configuration.schemas import (
    AppliedPolicyShown,
    ListedPolicyShown,
    Page,
    PolicyShown,
    ValidPolicyShown,
)
from complaints.api.http import strict_json
from complaints.api.http.content_types import JSON, ContentType, read_content_type
from complaints.api.http.csv_lists import ListRoute
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.openapi.example_files import read_examples
from complaints.api.pages import PageQuery, make_page
from complaints.api.problems.languages import Language, language_headers
from complaints.api.problems.refusals import BadRequest, UnsupportedMediaType
from complaints.api.problems.schemas import refusals
from complaints.api.problems.translations import say
from complaints.api.request import CallerLanguage, CurrentRequest, Reply, require_right
from complaints.domain.errors import Fault
from complaints.domain.json_text import to_json
from complaints.use_cases.access import Right
from complaints.use_cases.complaints.filters import FilterInstant
from complaints.use_cases.configuration import policies
from complaints.use_cases.configuration.policies import ListedPolicy
from complaints.use_cases.policy_document.document import read_policy, to_document
from complaints.use_cases.service import Configuration, Transaction
from complaints.use_cases.upkeep.seeding import BUILT_IN_POLICY, shipped_policy

router = PrefixedRouter(prefix="/policies", tags=["policies"], route_class=ListRoute)
_YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")


def _body(example: dict[str, Any]) -> dict[str, Any]:
    """The description of a policy document as a request body. Only its JSON form has an example."""
    content = {
        JSON: {"schema": {"type": "object"}, "example": example},
        _YAML[0]: {"schema": {"type": "string"}},
    }
    description = f"A policy document. Other names for YAML are taken too: {', '.join(_YAML[1:])}."
    return {"requestBody": {"required": True, "description": description, "content": content}}


_NOT_FOUND = refusals(not_found="There is no such policy.")
_FAULTY = refusals(invalid_content="The document has faults: each with its pointer, and its line.")
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


async def read_document(request: Request) -> str:
    """The document in the body, as text. Raises an error for a wrong media type, encoding or JSON."""
    body = await request.body()
    sent = read_content_type(request.headers.get("content-type", "")) if body else ContentType(JSON, ())
    if sent.media_type not in (JSON, *_YAML) or not sent.is_utf8:
        raise UnsupportedMediaType(f"Send the document as Content-Type: {JSON} or {_YAML[0]}, in UTF-8.")
    if body and sent.media_type == JSON:
        strict_json.loads(body)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The document is not UTF-8: byte {error.start} does not belong there.") from error


Text = Annotated[str, Depends(read_document)]


def listed_json(listed: ListedPolicy) -> dict[str, Any]:
    """A version of a policy, as in a list."""
    return {
        "code": listed.policy.code,
        "version": listed.policy.version,
        "title": dict(listed.policy.title),
        "effective_at": to_json(listed.policy.effective_at),
        "applied_at": to_json(listed.applied_at),
        "applied_by": listed.applied_by,
        "in_force": listed.in_force,
    }


def _policy_json(tx: Transaction, configuration: Configuration, code: str, version: int) -> dict[str, Any]:
    listed, text = policies.load_policy(tx, configuration, code, version)
    return listed_json(listed) | {"document": to_document(listed.policy), "text": text}


def _warnings(warnings: tuple[Fault, ...], language: Language) -> list[dict[str, str]]:
    return [{"pointer": warning.pointer, "message": say(warning.message, language)} for warning in warnings]


class PolicyQuery(PageQuery):
    """The query parameters of a list of policies."""

    in_force_at: Annotated[
        FilterInstant | None,
        Field(description="Only versions that a complaint received at this instant can get."),
    ] = None


PolicyParameters = Annotated[PolicyQuery, Query()]


def _list(request: CurrentRequest, query: PolicyQuery, code: str | None) -> Response:
    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        listed = policies.list_policies(tx, configuration, code)
        if (at := query.in_force_at) is not None:
            listed = [one for one in listed if configuration.side_by_side.is_in_force(one.policy, at)]
        shown = [listed_json(one) for one in listed]
        return make_page(shown, query, kind="policies", order=["code", "version"], shape=ListedPolicyShown)

    return request.read(work)


@router.get(
    "", dependencies=[require_right(Right.READ_OWN)], responses={200: {"model": Page[ListedPolicyShown]}}
)
def list_policies(request: CurrentRequest, query: PolicyParameters) -> Response:
    """Every version of every policy, by code and version."""
    return _list(request, query, None)


@router.get(
    "/{code}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: {"model": Page[ListedPolicyShown]}, **_NOT_FOUND},
)
def list_policy_versions(request: CurrentRequest, code: str, query: PolicyParameters) -> Response:
    """Every version of one policy."""
    return _list(request, query, code)


@router.get(
    "/{code}/{version}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: {"model": PolicyShown}, **_NOT_FOUND},
)
def get_policy(request: CurrentRequest, code: str, version: Version) -> Response:
    """One version of a policy: what it says, and the text it was applied from."""

    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        return 200, _policy_json(tx, configuration, code, version), {}

    return request.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[require_right(Right.CONFIGURE)],
    openapi_extra=_body(to_document(read_policy(shipped_policy(BUILT_IN_POLICY)).policy)),
    responses={200: {"model": AppliedPolicyShown}, 201: {"model": AppliedPolicyShown}, **_FAULTY},
)
def apply_policy(request: CurrentRequest, text: Text, language: CallerLanguage) -> Response:
    """Apply a document as the next version of its policy (201); one that says the same as the latest version
    adds none (200). Complaints received before keep their version. Stored calendars it names are taken in as
    they are now.
    """

    def work(tx: Transaction) -> Reply:
        applied = policies.apply_policy(request.service, tx, request.caller, text)
        code, version = applied.policy.code, applied.policy.version
        shown = _policy_json(tx, request.service.cache.claim(tx), code, version)
        headers = {"Location": f"/v1/policies/{code}/{version}", **language_headers(language)}
        warnings = _warnings(applied.warnings, language)
        return 201 if applied.created else 200, shown | {"warnings": warnings}, headers

    return request.configure(work)


@router.post(
    "/validate",
    dependencies=[require_right(Right.CONFIGURE)],
    openapi_extra=_body(read_examples("complaints.api.configuration")["faulty_policy"]),
    responses={200: {"model": ValidPolicyShown}, **_FAULTY},
)
def validate_policy(request: CurrentRequest, text: Text, language: CallerLanguage) -> Response:
    """Say what is wrong with a document, and store nothing."""

    def work(tx: Transaction) -> Reply:
        configuration = request.service.cache.current(tx, certain=True)
        reading = policies.validate_policy(text, configuration, now=tx.now)
        return (
            200,
            {"valid": True, "warnings": _warnings(reading.warnings, language)},
            language_headers(language),
        )

    return request.write(work)
