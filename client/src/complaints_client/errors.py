"""The errors of the client. All are kinds of `ClientError`."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import httpx2

from complaints_client.shapes import Problem, ProblemError

JSON_PROBLEM = "application/problem+json"


class ClientError(Exception):
    """A call did not succeed."""


class NoAnswer(ClientError):
    """The server gave no usable answer in time. The request may have worked.

    `key` is the idempotency key of a POST. Make the same call again with it, and nothing happens twice.
    """

    def __init__(self, message: str, *, key: str | None) -> None:
        super().__init__(message)
        self.key = key


class Refusal(ClientError):
    """The server refused the call, and nothing was changed.

    `problem` is the answer (RFC 9457). `code` is its kind, such as `invalid-content`; `/problems/<code>` of the server
    explains it. `errors` has every fault of the request, and `allowed` the actions that are possible now.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(_describe(problem))
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem["status"]

    @property
    def code(self) -> str:
        """The kind of the problem, which is the end of its `type`."""
        return code_of(self.problem)

    @property
    def detail(self) -> str:
        """The reason, in the language of the client."""
        return self.problem["detail"]

    @property
    def errors(self) -> Sequence[ProblemError]:
        """Every fault of the request; empty if the problem names none."""
        return self.problem.get("errors", [])

    @property
    def allowed(self) -> Sequence[str]:
        """The actions that are possible instead; empty if the problem names none."""
        return self.problem.get("allowed", [])


class StaleVersion(Refusal):
    """Somebody changed the complaint after the version of `if_match`. Read it again, and decide again."""


class FeedSetBack(Refusal):
    """The database was restored to an instant before the cursor. The copy may hold what the server has lost.

    Read `changes(after="now")`, then all complaints, repair the copy, and go on with the cursor of that batch.
    """


def code_of(problem: Mapping[str, Any]) -> str:
    """The kind of a problem, such as `not-found`."""
    return str(problem["type"]).rpartition("/")[2]


def refusal_of(response: httpx2.Response) -> Refusal:
    """The error for an answer that is no success."""
    problem = problem_of(response)
    kinds = {"feed-set-back": FeedSetBack, "stale-version": StaleVersion}
    return kinds.get(code_of(problem), Refusal)(problem)


def problem_of(response: httpx2.Response) -> Problem:
    """The problem in an answer. If the answer has none, as from a proxy: one that says what came."""
    if response.headers.get("content-type", "").startswith(JSON_PROBLEM):
        with suppress(ValueError):
            content = response.json()
            if isinstance(content, dict) and {"type", "status", "detail"} <= content.keys():
                return cast(Problem, content)
    return {
        "type": "about:blank",
        "title": response.reason_phrase or "No success",
        "status": response.status_code,
        "detail": response.text[:500] or "The answer has no body.",
        "instance": response.request.url.path,
    }


def _describe(problem: Problem) -> str:
    faults = "; ".join(f"{_place(fault)}: {fault['message']}" for fault in problem.get("errors", []))
    return f"{problem['status']} {code_of(problem)}: {faults or problem['detail']}"


def _place(fault: ProblemError) -> str:
    return fault.get("parameter") or fault["pointer"] or "the body"
