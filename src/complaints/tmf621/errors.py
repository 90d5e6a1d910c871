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
    """The detail with the faults behind it, each at its JSON Pointer or parameter."""
    lines = [parts.detail]
    for fault in parts.errors[:_MOST_FAULTS]:
        place = fault.get("parameter") or fault["pointer"]
        if place and fault["message"] not in parts.detail:
            lines.append(f"{place}: {fault['message']}")
        elif place and place not in parts.detail:
            lines.append(place)
    if parts.allowed is not None:
        lines.append(f"[{', '.join(parts.allowed)}]")
    return " ".join(lines)
