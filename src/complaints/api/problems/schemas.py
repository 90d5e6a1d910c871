"""The description of problems in the OpenAPI document."""

from copy import deepcopy
from typing import Any

from complaints.api.problems.catalogue import PROBLEM_MEDIA_TYPE, PROBLEMS, Problem

_PROBLEM_CONTENT = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `type` is `/problems/<code>`, which explains it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "The kind of the problem, by which programs tell problems apart.",
            "examples": ["/problems/invalid-content"],
        },
        "title": {"type": "string", "description": "The kind in words."},
        "status": {
            "type": "integer",
            "minimum": 400,
            "maximum": 599,
            "description": "The HTTP status code.",
        },
        "detail": {"type": "string", "description": "What was wrong this time, and what to do."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "errors": {"type": "array", "maxItems": 50, "items": {"$ref": "#/components/schemas/ProblemError"}},
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Where an action was refused: the actions that are legal now.",
        },
        "request_id": {
            "type": "string",
            "description": "The `X-Request-ID` of the answer, if the status is 500. It stands in the log too.",
        },
    },
}
PROBLEM_ERROR_SCHEMA: dict[str, Any] = {
    "title": "ProblemError",
    "description": "One fault of a request.",
    "type": "object",
    "required": ["pointer", "message"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "JSON Pointer (RFC 6901) into the body; empty for the whole of it, or outside it.",
        },
        "in": {
            "type": "string",
            "enum": ["query", "header", "cookie"],
            "description": "Where the parameter stands, outside the body.",
        },
        "parameter": {
            "type": "string",
            "description": "The name of the parameter at fault, outside the body.",
        },
        "message": {"type": "string", "description": "What is wrong."},
    },
}


def describe_problems(document: dict[str, Any]) -> None:
    """Describe in an OpenAPI document, in place, the problems that operations answer with.

    The description of validation failures by FastAPI is removed, because they are never sent in that form.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= deepcopy({"Problem": PROBLEM_SCHEMA, "ProblemError": PROBLEM_ERROR_SCHEMA})
    for operations in document.get("paths", {}).values():
        for operation in operations.values():
            _describe_answers(operation)


def _describe_answers(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "HTTPValidationError" in str(responses.get("422", {}).get("content")):
        responses["422"] = {"description": PROBLEMS["invalid-content"].title_en, "content": _PROBLEM_CONTENT}
    if operation.get("security"):
        responses["401"] = {"description": PROBLEMS["unauthenticated"].title_en, "content": _PROBLEM_CONTENT}
    responses.setdefault("default", {"description": "A problem (RFC 9457)", "content": _PROBLEM_CONTENT})


def refusals(*own: Problem, **why: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint for its own problems: the code with underscores, and the reason.

    `own` are problems of an annex; the title of each is its reason. Problems of one status share a description.
    """
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    described = [(PROBLEMS[code.replace("_", "-")].status, when) for code, when in why.items()]
    described += [(problem.status, f"{problem.title_en} (`{problem.type}`).") for problem in own]
    by_status: dict[int, list[str]] = {}
    for status, text in described:
        by_status.setdefault(status, []).append(text)
    return {
        status: {"description": " ".join(texts), "content": content} for status, texts in by_status.items()
    }
