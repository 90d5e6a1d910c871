"""Routes for complaints: post, read, change, act."""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Annotated, Any

from fastapi import Body, Request
from pydantic_core import from_json
from starlette.responses import Response
from starlette.types import Scope

from complaints.api.complaints.group_commit import GroupCommit
from complaints.api.complaints.json_shapes import complaint_json, posted_json
from complaints.api.complaints.schemas import ComplaintShown, CreatedComplaintShown, TransitionList
from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.api.http.strict_route import StrictRoute
from complaints.api.openapi.example_files import read_examples
from complaints.api.problems.languages import Language, language_headers
from complaints.api.problems.schemas import refusals
from complaints.api.problems.translations import say
from complaints.api.request import (
    ApiRequest,
    CallerLanguage,
    CurrentRequest,
    Reply,
    encode_reply,
    make_response,
    read_request_with_right,
    require_right,
)
from complaints.domain.complaint.facts import Complaint
from complaints.domain.vocabulary import Action
from complaints.use_cases.access import Right
from complaints.use_cases.commands.complaints import (
    TRANSITIONS,
    CreateComplaint,
    PatchComplaint,
    Transition,
)
from complaints.use_cases.complaints import actions, available_actions, edit, lists
from complaints.use_cases.complaints.available_actions import ActionOption, Requirement
from complaints.use_cases.complaints.intake import IntakeResult
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.post import Show, answer_requests
from complaints.use_cases.complaints.views import ComplaintView, view, view_one
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Service, Transaction
from complaints.use_cases.work import taking

_EXAMPLES = read_examples("complaints.api.complaints")

router = PrefixedRouter(prefix="/complaints", tags=["complaints"], route_class=StrictRoute)

_ETAG = {"description": "The version, for If-Match.", "schema": {"type": "string"}, "example": '"2"'}
_LOCATION = {"description": "The address of the complaint.", "schema": {"type": "string"}}
_POSTED = {"model": CreatedComplaintShown}
_NOT_FOUND = "There is no such complaint, or the key may not know of it."
_STALE = "If-Match names another version than the present one."


def _complaint(description: str, **headers: dict[str, Any]) -> dict[str, Any]:
    return {"model": ComplaintShown, "description": description, "headers": {"ETag": _ETAG, **headers}}


def _etag(complaint: Complaint) -> dict[str, str]:
    return {"ETag": f'"{complaint.version}"'}


def _shown(found: ComplaintView) -> Reply:
    return 200, complaint_json(found.parts), _etag(found.complaint)


@router.post(
    "",
    status_code=201,
    responses={
        201: _complaint("The new complaint, with its clocks running", Location=_LOCATION) | _POSTED,
        200: _complaint("Known under this source and external id: the complaint as it is now") | _POSTED,
        **refusals(
            forbidden="The key may not post, or not for this source.",
            idempotency_in_progress="The first request with this Idempotency-Key is still running.",
        ),
    },
)
async def create_complaint(
    http_request: Request,
    request: Annotated[ApiRequest, read_request_with_right(Right.CREATE)],
    command: Annotated[CreateComplaint, Body(openapi_examples=_EXAMPLES["create"])],
) -> Response:
    """Post a complaint. Under a known external id it is a contact on that complaint (200).

    The same words as before are a retry and change nothing. A contact after the end may make a new complaint (201).
    """
    return await answer_post(http_request.scope, IntakeRequest(request.caller, command, request.attempt))


async def answer_post(scope: Scope, request: IntakeRequest) -> Response:
    """The answer to a post, after its commit. `direct_posting` calls it too. Raises the refusal of the post."""
    intake: GroupCommit[IntakeRequest, Answer] = scope["app"].state.intake
    answer = await intake.result_of(request)
    note_posted(scope, answer)
    return make_response(answer)


def note_posted(scope: Scope, answer: Answer) -> None:
    """Note the id of the posted complaint for the line of the request in the log."""
    scope["state"]["complaint"] = _posted_id(answer)


def _posted_id(answer: Answer) -> str:
    """The id of the posted complaint."""
    location = answer.headers.get("Location")
    if location is not None:
        return location.rpartition("/")[2]
    return str(from_json(answer.body)["id"])


def group_intake(service: Service, show: Show | None = None) -> GroupCommit[IntakeRequest, Answer]:
    """The group commit of posts: requests that arrive together share one transaction.

    `show` makes the answer to each; None: the complaint as the API shows it.
    """

    def show_complaint(tx: Transaction, request: IntakeRequest, result: IntakeResult) -> Answer:
        complaint, caller = result.complaint, request.caller
        if result.created and result.recurrence_of is None:
            found = view(service, tx, caller, complaint, result.persons)
        else:
            found = view_one(service, tx, caller, complaint)
        policy = service.configuration(tx).policy(complaint.policy_code, complaint.policy_version)
        shown, headers = posted_json(found, result, policy), _etag(complaint)
        if not result.created:
            return encode_reply((200, shown, headers))
        return encode_reply((201, shown, headers | {"Location": f"/v1/complaints/{complaint.id}"}))

    return GroupCommit(
        lambda requests: answer_requests(service, requests, show or show_complaint),
        name=lambda request: request.attempt and (request.attempt.scope, request.attempt.key),
    )


@router.get(
    "/{reference}",
    dependencies=[require_right(Right.READ_OWN)],
    responses={200: _complaint("The complaint"), **refusals(not_found=_NOT_FOUND)},
)
def get_complaint(request: CurrentRequest, reference: str) -> Response:
    """Read a complaint, by its id or its number."""
    return request.read(lambda tx: _shown(lists.load_view(request.service, tx, request.caller, reference)))


@router.patch(
    "/{reference}",
    dependencies=[require_right(Right.CONTRIBUTE)],
    responses={
        200: _complaint("The complaint as changed"),
        **refusals(
            forbidden="The key may not change complaints, or not the first owner.",
            not_found=_NOT_FOUND,
            stale_version=_STALE,
        ),
    },
)
def change_complaint(
    request: CurrentRequest,
    reference: str,
    command: Annotated[PatchComplaint, Body(openapi_examples=_EXAMPLES["patch"])],
) -> Response:
    """Change members of a complaint: absent ones stay, null clears, and objects are merged (RFC 7396).

    Running deadlines follow priority and category. An intake key may raise the severity, and change nothing else.
    """

    def work(tx: Transaction) -> Reply:
        changed = edit.patch(request.service, tx, request.caller, reference, command, request.versions)
        return _shown(view_one(request.service, tx, request.caller, changed))

    return request.write(work)


@router.get(
    "/{reference}/transitions",
    dependencies=[require_right(Right.READ_OWN)],
    responses={
        200: {
            "model": TransitionList,
            "description": "Every action, allowed or not",
            "headers": {"ETag": _ETAG},
        },
        **refusals(not_found=_NOT_FOUND),
    },
)
def list_transitions(request: CurrentRequest, reference: str, language: CallerLanguage) -> Response:
    """List every action: what may be done now, what each action must carry, and why the rest may not."""

    def work(tx: Transaction) -> Reply:
        complaint, found = available_actions.load_action_options(
            request.service, tx, request.caller, reference
        )
        headers = {"ETag": f'"{complaint.version}"', **language_headers(language)}
        return 200, _options_json(complaint, found, language), headers

    return request.read(work)


def _options_json(complaint: Complaint, found: list[ActionOption], language: Language) -> dict[str, Any]:
    items = [
        {
            "action": choice.action,
            "allowed": choice.allowed,
            "refused_because": say(choice.refused_because, language) if choice.refused_because else None,
            "requires": [
                {"name": one.name, "required": one.required, "schema": _schema_of(one)}
                for one in choice.requires
            ],
            "any_of": list(choice.any_of),
            "to": choice.to,
            "to_if_not_solved": choice.to_if_not_solved,
        }
        for choice in found
    ]
    return {
        "id": str(complaint.id),
        "status": complaint.status,
        "version": complaint.version,
        "items": items,
    }


def _schema_of(requirement: Requirement) -> Mapping[str, Any]:
    """The schema of the values of a member, with null if it may be null."""
    schema = requirement.schema
    return {**schema, "type": [schema["type"], "null"]} if requirement.takes_null else schema


def _describe_examples(examples: Mapping[str, Any]) -> dict[str, Any]:
    """The examples of actions, by action. Each says what its action does and which members it takes."""
    return {
        name: {**shown, "description": _describe_action(Action(name))} for name, shown in examples.items()
    }


def _describe_action(action: Action) -> str:
    transition = TRANSITIONS[action]
    required, optional = _listed(transition.required_members()), _listed(transition.optional_members())
    if transition.any_of:
        needs = f"Takes {optional}, at least one of them."
    elif required:
        needs = f"Needs {required}." + (f" May have {optional}." if optional else "")
    else:
        needs = f"May have {optional}." if optional else "Takes no other member."
    return f"{cleandoc(transition.__doc__ or '')} {needs}".replace("\n", " ")


def _listed(names: Sequence[str]) -> str:
    """The names with commas, and an `and` before the last one."""
    *first, last = [f"`{name}`" for name in names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


@router.post(
    "/{reference}/transitions",
    dependencies=[require_right(Right.CONTRIBUTE)],
    responses={
        200: _complaint("The complaint after the action"),
        **refusals(
            forbidden="The key may not take actions, or not close early.",
            not_found=_NOT_FOUND,
            transition_refused="The action is not possible now; `allowed` lists the actions that are possible.",
            stale_version=_STALE,
        ),
    },
)
def take_action(
    request: CurrentRequest,
    reference: str,
    command: Annotated[Transition, Body(openapi_examples=_describe_examples(_EXAMPLES["actions"]))],
) -> Response:
    """Take an action on a complaint. `action` names it, and the other members depend on it: see the examples."""

    def work(tx: Transaction) -> Reply:
        changed = actions.transition(
            request.service, tx, request.caller, reference, command, request.versions
        )
        return _shown(view_one(request.service, tx, request.caller, changed))

    return request.write(work)


@router.post(
    "/{reference}/take",
    tags=["work"],
    dependencies=[require_right(Right.WORK)],
    responses={
        200: _complaint("The complaint, which the caller has now"),
        **refusals(
            forbidden="The key may not work on complaints.",
            not_found=_NOT_FOUND,
            conflict="Another user has it already.",
            transition_refused="The complaint has ended.",
            stale_version=_STALE,
        ),
    },
)
def take_complaint(request: CurrentRequest, reference: str) -> Response:
    """Assign an open complaint to the user of the key. If the user has it already, nothing changes."""

    def work(tx: Transaction) -> Reply:
        taken = taking.take(request.service, tx, request.caller, reference, request.versions)
        return _shown(view_one(request.service, tx, request.caller, taken))

    return request.write(work)
