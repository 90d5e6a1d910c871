"""The fuzzer's knowledge of TMF621: which refusals of valid data are right, because no schema can say the reason.

The fuzzer loads this module by `SCHEMATHESIS_HOOKS`. Version 4 and version 5 share it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

FAILURES = "TMF621_FAILURES"
"""The environment variable with the path of a file. Each failure is written to it, in a line of JSON."""

# A query that names nothing, a shape of JSONPath, a cursor of another list, an address that must not be called.
BEYOND_A_SCHEMA = re.compile("|".join((r"NUL character|lone surrogate",)))


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """True if the failure counts. A refusal of valid data does not count if a schema cannot say its reason."""
    if not isinstance(failure, RejectedPositiveData):
        _write(failure, case, failure.message)
        return True
    said = json.loads(response.content)["message"]
    if BEYOND_A_SCHEMA.search(said):
        return False
    _write(failure, case, said)
    return True


def _write(failure: Any, case: Any, reason: str) -> None:
    if path := os.environ.get(FAILURES):
        operation = f"{case.method} {case.operation.path}"
        line = {"operation": operation, "failure": type(failure).__name__, "reason": reason}
        with Path(path).open("a", encoding="utf-8") as failures:
            failures.write(json.dumps(line) + "\n")
