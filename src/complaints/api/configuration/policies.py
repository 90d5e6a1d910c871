"""Routes of policies. The body of a request is the policy document itself, in JSON or YAML."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from complaints.api.configuration.schemas import (
    AppliedPolicyShown,
    ListedPolicyShown,
    Page,
    PolicyShown,
    ValidPolicyShown,
)
from complaints.api.http import strict_json
from complaints.api.pages import Paged, page
from complaints.api.problems.refusals import BadRequest, UnsupportedMediaType
from complaints.api.problems.schemas import refusals
from complaints.api.request import Call, Shown, needs
from complaints.domain.errors import Fault
from complaints.domain.json_text import plain
from complaints.storage.configuration import Configuration
from complaints.use_cases.access import Right
from complaints.use_cases.configuration import policies
from complaints.use_cases.configuration.policies import ListedPolicy
from complaints.use_cases.configuration.policy_document import read_policy, to_document
from complaints.use_cases.service import Transaction
from complaints.use_cases.upkeep.seeding import BUILT_IN_POLICY, shipped_policy

router = APIRouter(prefix="/policies", tags=["policies"])
_JSON = "application/json"
_YAML = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii"})
_YAML_SHOWN = {"schema": {"type": "string"}, "example": shipped_policy(BUILT_IN_POLICY)}
_JSON_SHOWN = {
    "schema": {"type": "object"},
    "example": to_document(read_policy(shipped_policy(BUILT_IN_POLICY)).policy),
}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A policy document; docs/policies.md explains every member.",
        "content": {_JSON: _JSON_SHOWN, **dict.fromkeys(_YAML, _YAML_SHOWN)},
    }
}
_NOT_FOUND = refusals(not_found="There is no such policy.")
_FAULTY = refusals(invalid_content="The document has faults: each with its pointer, and its line.")
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


async def read_document(request: Request) -> str:
    """The document in the body, as text. Raises an error for a wrong media type, encoding or JSON."""
    body = await request.body()
    media_type, charset = _content_type(request) if body else (_JSON, "utf-8")
    if media_type not in (_JSON, *_YAML) or charset not in _UTF8:
        raise UnsupportedMediaType(f"Send the document as Content-Type: {_JSON} or {_YAML[0]}, in UTF-8.")
    if body and media_type == _JSON:
        strict_json.loads(body)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The document is not UTF-8: byte {error.start} does not belong there.") from error


def _content_type(request: Request) -> tuple[str, str]:
    media_type, *parameters = (
        part.strip().lower() for part in request.headers.get("content-type", "").split(";")
    )
    named = dict(parameter.partition("=")[::2] for parameter in parameters)
    return media_type, named.get("charset", "utf-8").strip('" ')


Text = Annotated[str, Depends(read_document)]


def listed_json(listed: ListedPolicy) -> dict[str, Any]:
    """A version of a policy, as in a list."""
    return {
        "code": listed.policy.code,
        "version": listed.policy.version,
        "title": dict(listed.policy.title),
        "effective_at": plain(listed.policy.effective_at),
        "applied_at": plain(listed.applied_at),
        "applied_by": listed.applied_by,
        "in_force": listed.in_force,
    }


def _policy_json(tx: Transaction, configuration: Configuration, code: str, version: int) -> dict[str, Any]:
    listed, text = policies.load_policy(tx, configuration, code, version)
    return listed_json(listed) | {"document": to_document(listed.policy), "text": text}


def _warnings(warnings: tuple[Fault, ...]) -> list[dict[str, str]]:
    return [{"pointer": warning.pointer, "message": warning.message} for warning in warnings]


def _list(call: Call, query: Paged, code: str | None) -> Response:
    def work(tx: Transaction) -> Shown:
        configuration = call.service.cache.current(tx, certain=True)
        shown = [listed_json(listed) for listed in policies.list_policies(tx, configuration, code)]
        return page(shown, query, kind="policies", order=["code", "version"], shape=ListedPolicyShown)

    return call.read(work)


@router.get("", dependencies=[needs(Right.READ_OWN)], responses={200: {"model": Page[ListedPolicyShown]}})
def list_policies(call: Call, query: Paged) -> Response:
    """Every version of every policy, by code and version."""
    return _list(call, query, None)


@router.get(
    "/{code}",
    dependencies=[needs(Right.READ_OWN)],
    responses={200: {"model": Page[ListedPolicyShown]}, **_NOT_FOUND},
)
def list_versions(call: Call, code: str, query: Paged) -> Response:
    """Every version of one policy."""
    return _list(call, query, code)


@router.get(
    "/{code}/{version}",
    dependencies=[needs(Right.READ_OWN)],
    responses={200: {"model": PolicyShown}, **_NOT_FOUND},
)
def get_policy(call: Call, code: str, version: Version) -> Response:
    """One version of a policy: what it says, and the text it was applied from."""

    def work(tx: Transaction) -> Shown:
        configuration = call.service.cache.current(tx, certain=True)
        return 200, _policy_json(tx, configuration, code, version), {}

    return call.read(work)


@router.post(
    "",
    status_code=201,
    dependencies=[needs(Right.CONFIGURE)],
    openapi_extra=_BODY,
    responses={200: {"model": AppliedPolicyShown}, 201: {"model": AppliedPolicyShown}, **_FAULTY},
)
def apply_policy(call: Call, text: Text) -> Response:
    """Apply a document as the next version of its policy (201); one that says the same as the latest version
    adds none (200). Complaints received before keep their version. Stored calendars it names are taken in as
    they are now.
    """

    def work(tx: Transaction) -> Shown:
        applied = policies.apply_policy(call.service, tx, call.caller, text)
        code, version = applied.policy.code, applied.policy.version
        shown = _policy_json(tx, call.service.cache.claim(tx), code, version)
        location = {"Location": f"/v1/policies/{code}/{version}"}
        return 201 if applied.created else 200, shown | {"warnings": _warnings(applied.warnings)}, location

    return call.configure(work)


@router.post(
    "/validate",
    dependencies=[needs(Right.CONFIGURE)],
    openapi_extra=_BODY,
    responses={200: {"model": ValidPolicyShown}, **_FAULTY},
)
def validate_policy(call: Call, text: Text) -> Response:
    """Say what is wrong with a document, and store nothing."""

    def work(tx: Transaction) -> Shown:
        reading = policies.validate_policy(text, call.service.cache.current(tx, certain=True))
        return 200, {"valid": True, "warnings": _warnings(reading.warnings)}, {}

    return call.write(work)
