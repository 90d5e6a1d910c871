"""Ids, summaries and request headers of the operations in the OpenAPI document."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi.routing import APIRoute

_FIRST_SENTENCE = re.compile(r"(.+?)\.(?=\s|$)", re.DOTALL)
_VERSIONED = "/v1/"

HEADERS: dict[str, dict[str, Any]] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    "IfMatch": {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "schema": {"type": "string"},
        "examples": {"english": {"value": "en"}, "chinese": {"value": "zh-CN"}},
    },
}
"""The request headers that several operations take, by component name. Their texts stand in `texts.toml`.

Two have no example: a viewer would send it, and it would be refused the second time.
"""


def make_operation_id(route: APIRoute) -> str:
    """The operation id of a route: `createComplaint` for the function `create_complaint`."""
    first, *rest = route.name.split("_")
    return first + "".join(word.title() for word in rest)


def describe_operations(document: dict[str, Any]) -> None:
    """Give each operation its summary and its headers, in place.

    The summary is the first sentence of the description. FastAPI would take the name of the function.
    """
    document["components"]["parameters"] = deepcopy(HEADERS)
    for path, method, operation in _operations(document):
        if found := _FIRST_SENTENCE.match(operation.get("description", "")):
            operation["summary"] = " ".join(found[1].split())
        if path.startswith(_VERSIONED):
            taken = [{"$ref": f"#/components/parameters/{name}"} for name in _headers(method, operation)]
            operation["parameters"] = [*operation.get("parameters", ()), *taken]


def _headers(method: str, operation: dict[str, Any]) -> Iterator[str]:
    """The headers that an operation takes. An answer 412 shows that it reads `If-Match`.

    To sign in again makes another session, so these calls keep no answer.
    """
    if method == "post" and operation.get("security") != []:
        yield "IdempotencyKey"
    if "412" in operation["responses"]:
        yield "IfMatch"
    yield "AcceptLanguage"


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation
