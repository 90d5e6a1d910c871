"""The fuzzer's knowledge of TMF621: what is right, though the description cannot say it.

The fuzzer loads this module by `SCHEMATHESIS_HOOKS`. Version 4 and version 5 share it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import MissingContentType, RejectedPositiveData, UndefinedStatusCode

FAILURES = "TMF621_FAILURES"
"""The environment variable with the path of a file. Each failure is written to it, in a line of JSON."""

BEYOND_VERSION_4 = ((UndefinedStatusCode, 415), (MissingContentType, 204))
MERGE_PATCHES = ("application/json", "application/merge-patch+json")
# Grammars inside of texts, pages of other lists, and operations that lack their value: no JSON Schema can say them.
BEYOND_A_SCHEMA = re.compile(
    "|".join(
        (
            # addresses to call
            r"^The URL |^A query has |^callback should have at least 1 character",
            # queries
            r"is unknown here; check its spelling|or these with - before them|must have no semicolon",
            r"must be a cursor from the header Link|Send only one of offset, before and after",
            r"must be one comparison, such as attachment",
            # JSON Patch
            r"The operation (add|replace|test|move|copy) needs|is not a JSON Pointer",
            # texts
            r"lone surrogate|is not Base64|The file name must|Content-Type must be a media type",
        )
    )
)
# A changed list of references or attachments must leave objects that a new ticket could have too.
INCOMPLETE = re.compile(r"^\S+ is required \(/")
# The words of a schema that does not hold, and its place.
SCHEMA_ERROR = re.compile(r"(is (?:not )?valid [^\n]*keyword).*Schema at (\S+):", re.DOTALL)


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """The body with an address as its callback, if it has any text there. Hardly a text is an address by chance."""
    if isinstance(body, dict) and isinstance(body.get("callback"), str):
        return {**body, "callback": f"https://host/{quote(body['callback'], errors='replace')}"}
    return body


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """True if the failure counts.

    A refusal of valid data does not count if a schema cannot say its reason. Nor does a merge patch as RFC 7396 has
    it: a null removes a member, for which the schema of the file has no word. Version 4 declares no 415, the answer of
    RFC 9110 to a body of another type, and declares a type for answers that have no content.
    """
    if case.operation.base_url.endswith("/v4") and (type(failure), response.status_code) in BEYOND_VERSION_4:
        return False
    found = SCHEMA_ERROR.search(failure.message)
    reason = f"{found[2]}: {found[1]}" if found else failure.message
    if isinstance(failure, RejectedPositiveData):
        reason = json.loads(response.content)["message"]
        if BEYOND_A_SCHEMA.search(reason) or (case.method == "PATCH" and INCOMPLETE.search(reason)):
            return False
    if isinstance(failure, AcceptedNegativeData) and is_right_merge_patch(case):
        return False
    _write(failure, case, reason)
    return True


def is_right_merge_patch(case: Any) -> bool:
    """True if the body is a merge patch that is valid but for members of null."""
    invalid = [place.name for place, component in case.meta.components.items() if component.mode.is_negative]
    media_type = (case.media_type or "").partition(";")[0]
    if case.method != "PATCH" or media_type not in MERGE_PATCHES or invalid != ["BODY"]:
        return False
    if not isinstance(case.body, dict):
        return False
    schema = next(
        body.validation_schema for body in case.operation.body if body.media_type == case.media_type
    )
    return bool(jsonschema_rs.Draft4Validator(schema).is_valid(_merged(case.body)))


def _merged(patch: Any) -> Any:
    """The result of a merge patch for objects that have a type and nothing else."""
    if not isinstance(patch, dict):
        return patch
    return {name: _merged(value) for name, value in patch.items() if value is not None}


def _write(failure: Any, case: Any, reason: str) -> None:
    if path := os.environ.get(FAILURES):
        operation = f"{case.method} {case.operation.path}"
        line = {"operation": operation, "failure": type(failure).__name__, "reason": reason}
        with Path(path).open("a", encoding="utf-8") as failures:
            failures.write(json.dumps(line) + "\n")
