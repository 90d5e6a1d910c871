"""Refusals as an `Error` of TMF621 (TMF630, part 1): `code`, `reason`, `message`, and `status` as text.

The interface declares neither 422 nor 412, so invalid content is a 400, and an old version a 409.
`referenceError` is absent: version 4 wants an absolute URI. `GET /problems/<code>` explains each code.
"""

import json

from starlette.responses import Response

from complaints.api.problems.catalogue import RefusalParts
from complaints.api.problems.languages import Language

_STATUSES = {422: 400, 412: 409}
_MOST_FAULTS = 5
_ENDS = ".。"
_POSSIBLE = {Language.ENGLISH: "Possible now: ", Language.CHINESE: "现在可以："}


def write_error(parts: RefusalParts) -> Response:
    """The answer with a refusal. `message` names the faulty members, and the actions that are possible instead."""
    problem = parts.problem
    status = _STATUSES.get(problem.status, problem.status)
    is_chinese = parts.language is Language.CHINESE
    error = {
        "@type": "Error",
        "code": problem.code,
        "reason": problem.title_zh if is_chinese else problem.title_en,
        "message": _message(parts),
        "status": str(status),
    }
    return Response(
        json.dumps(error, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=status,
        media_type="application/json",
        headers=dict(parts.headers),
    )


def _message(parts: RefusalParts) -> str:
    """The detail with the faults behind it, each with its JSON Pointer or parameter, and with the possible actions."""
    said = parts.detail
    for fault in parts.errors[:_MOST_FAULTS]:
        place = fault.get("parameter") or fault["pointer"]
        if place and fault["message"] not in parts.detail:
            said = f"{said.rstrip(_ENDS)}; {fault['message'].rstrip(_ENDS)} ({place})."
        elif place and place not in parts.detail:
            said = f"{said.rstrip(_ENDS)} ({place})."
    if parts.allowed is not None:
        said = f"{said} {_POSSIBLE[parts.language]}{', '.join(parts.allowed)}."
    return said
