"""What the fuzzer must know of this API: how its media types are written, and which refusals of valid data are
right because no schema can say what they say. Loaded by `schemathesis.toml` beside it.
"""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.openapi.checks import RejectedPositiveData

# Whole documents with a grammar of their own, which the description calls a string or an object; the name of a file.
DOCUMENTS = {
    ("POST", "/v1/imports"),
    ("POST", "/v1/policies"),
    ("POST", "/v1/policies/validate"),
    ("POST", "/v1/complaints/{reference}/attachments"),
}
# What exists, what was said before, how two members go together, which characters can be seen: no JSON Schema
# can say it, so that a refusal with one of these messages contradicts none.
BEYOND_A_SCHEMA = re.compile(
    "|".join(
        (
            r"cursor (is not one that this (list|feed) gave|was given for other filters)",
            r"[Tt]here is no |Must be an IANA time zone",
            r"NUL character|must have a visible character|lone surrogate",
            r"must be 5 to 32 digits|must be one phone number|must be one e-mail address|characters after NFKC",
            r"needs a key of a user|Only a user can take complaints|characters that show nothing",
            r"must be the number of a complaint|[Mm]ust be the id or the number|neither the id nor the number",
            r"[Mm]ust lie between the years|names a (time|day) that does not exist",
            r"such as PT4H, P2D or P1M|Only the last of hours|exact to the micro|at most \d+ (years|days)",
            r"Months and years have no fixed length|Must be more than nothing",
            r"must be what stands before the dot|a category with a parent has|is no longer in use",
            r"A deputy is somebody else|cannot be below itself|The code in the path is",
            r"in the future|A hold lasts at most|An absence (ends after it begins|needs its beginning)",
            r"Must end after it starts|24:00 as an end|Overlaps another span|cannot end before it starts",
            r"This Idempotency-Key was used for other content|is now at version \d+|in quotation marks: ",
            r"[Gg]ive (a target|either)|needs (a kind|expected_count)|does not go with|is the same as /|More than 500",
            r"is not a (target|time between)|has \d+ follow-ups|the one promised|needs a key that belongs to a user",
            r"Too many (wrong passwords|people sign in)|one of the most common|is not the login|is not active",
            r"The URL |A replay has at most|must not be less than from_sequence|This webhook is disabled",
            r"to lies after from|A period has at most|needs group_by|group_by needs the group|no group is a period",
            r"This period ends on|was not published before|Name a team or a department|periods of this layout",
            r"A column has exactly one of|refers to itself|Two columns have|department has no team",
            r"This layout comes with the program",
            r"must be a currency of ISO 4217",
            r"No hour is open|too far (away|in the past)|linked to itself|An early close needs",
        )
    )
)


@schemathesis.check
def valid_data_is_accepted(ctx: Any, response: Any, case: Any) -> None:
    """As the check `positive_data_acceptance`, but for refusals of what a schema cannot say."""
    try:
        check: Any = CHECKS.get_one("positive_data_acceptance")
        check(ctx, response, case)
    except RejectedPositiveData:
        if (case.method, case.path) in DOCUMENTS:
            return
        problem = json.loads(response.content)
        said = [error["message"] for error in problem.get("errors", ())] or [problem["detail"]]
        if not all(BEYOND_A_SCHEMA.search(message) for message in said):
            raise


@schemathesis.serializer(
    "application/x-ndjson",
    "application/yaml",
    "application/x-yaml",
    "text/csv",
    "text/yaml",
    "text/x-yaml",
)
def as_it_is(_ctx: Any, value: Any) -> bytes:
    """These bodies are strings: sent as they are, and not written once more as CSV or YAML."""
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


def _written(instant: datetime, minutes: int) -> str:
    return instant.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes))).isoformat()


# The fuzzer's own instants are mostly of years that no complaint is from.
schemathesis.openapi.format(
    "date-time",
    st.builds(
        _written,
        st.datetimes(min_value=datetime(1901, 1, 1), max_value=datetime(2999, 12, 1)),  # noqa: DTZ001
        st.sampled_from([0, 0, 480, -690, 840]),
    ),
)
