"""The catalogue of problems (RFC 9457), read from `problems.toml`, and the answers made from it.

Every refusal has a code. `/problems/<code>` is the type of the problem and explains it. `errors[]` of an answer
lists the faults. `pointer` is a JSON Pointer (RFC 6901) into the body; "" means the whole body. A fault outside
the body has an empty pointer. Its place is in `in` (`query`, `header` or `cookie`) and `parameter` (its name).
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from complaints.api.problems.html_pages import page_prefix_of, refusal_page
from complaints.api.problems.languages import Language, language_headers, language_of
from complaints.api.problems.translations import say
from complaints.domain.errors import ComplaintError, Fault, clip
from complaints.use_cases.commands.messages import MAX_ERRORS

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the catalogue. `headers` go out with every answer of this problem."""

    code: str
    status: int
    title_en: str
    title_zh: str
    explanation_en: str
    explanation_zh: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The problem's type, a relative URI reference."""
        return f"/problems/{self.code}"


def _read_problems() -> Mapping[str, Problem]:
    text = resources.files("complaints.api.problems").joinpath("problems.toml").read_text(encoding="utf-8")
    return MappingProxyType({code: Problem(code, **members) for code, members in tomllib.loads(text).items()})


PROBLEMS: Mapping[str, Problem] = _read_problems()
"""Every problem by its code, in the order of their status."""

_BY_KIND = {
    "invalid": "invalid-content",
    "forbidden": "forbidden",
    "not-found": "not-found",
    "conflict": "conflict",
    "stale": "stale-version",
    "unavailable": "service-unavailable",
}


def problem_for(refusal: ComplaintError, problems: Mapping[str, Problem] = PROBLEMS) -> Problem:
    """The entry for a refusal by its code. If the code is unknown, the kind decides: the answer is never a 500.

    `problems` is the catalogue with the problems of the annexes.
    """
    found = problems.get(refusal.code)
    return found if found is not None else PROBLEMS[_BY_KIND.get(refusal.kind, "bad-request")]


def faults_as_errors(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """The faults as members of `errors[]`, in English. `problem_members` translates them."""
    return [_as_error(fault) for fault in faults]


def _as_error(fault: Fault) -> dict[str, str]:
    place = {} if fault.parameter is None else {"in": fault.place, "parameter": clip(fault.parameter, 100)}
    return {"pointer": clip(fault.pointer), **place, "message": fault.message}


def problem_members(
    problem: Problem,
    language: Language,
    *,
    detail: str,
    instance: str,
    errors: Sequence[Mapping[str, str]] = (),
    allowed: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The members of `problem` as JSON in `language`: texts are cut, and at most 50 errors are kept."""
    body: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title_zh if language is Language.CHINESE else problem.title_en,
        "status": problem.status,
        "detail": clip(say(detail, language)),
        "instance": clip(instance),
    }
    if errors or problem.status == 422:
        listed = list(errors)[:MAX_ERRORS] or [{"pointer": "", "message": detail}]
        body["errors"] = [{**one, "message": clip(say(one["message"], language))} for one in listed]
    if allowed is not None:
        body["allowed"] = list(allowed)
    return body


def refusal_members(
    refusal: ComplaintError,
    language: Language,
    *,
    instance: str,
    problems: Mapping[str, Problem] = PROBLEMS,
) -> dict[str, Any]:
    """The members of the problem for a refusal, as JSON in `language`."""
    return problem_members(
        problem_for(refusal, problems),
        language,
        detail=refusal.detail,
        instance=instance,
        errors=faults_as_errors(refusal.faults),
        allowed=refusal.allowed,
    )


def problem_response(
    problem: Problem,
    *,
    detail: str,
    scope: Mapping[str, Any] | None,
    errors: Sequence[dict[str, str]] = (),
    allowed: Sequence[str] | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> Response:
    """The answer with `problem`, as `application/problem+json`, or as a page if the request is for a page for people.

    `scope` is that of the request, None if its head could not be read. Its headers choose the language.
    """
    language = language_of(scope)
    sent = {**problem.headers, **(headers or {}), **language_headers(language)}
    if (form := _form_of(scope)) is not None:
        said = [{**one, "message": say(one["message"], language)} for one in errors]
        return form(RefusalParts(problem, say(detail, language), said, allowed, sent, language))
    if page_prefix_of(scope) is not None:
        page = refusal_page(problem.status, language, request_id)
        page.headers.update(sent)
        return page
    instance = instance_of(scope) if scope else ""
    body = problem_members(
        problem, language, detail=detail, instance=instance, errors=errors, allowed=allowed
    )
    if request_id is not None:
        body["request_id"] = request_id
    return Response(
        # A lone surrogate has no UTF-8 form. "replace" keeps it from turning the refusal into a failure.
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=sent,
    )


@dataclass(frozen=True, slots=True)
class RefusalParts:
    """A refusal before it is written: for a face with a form of its own. Its texts are in `language`."""

    problem: Problem
    detail: str
    errors: Sequence[Mapping[str, str]]
    allowed: Sequence[str] | None
    headers: Mapping[str, str]
    language: Language


RefusalForm = Callable[[RefusalParts], Response]
"""Writes a refusal in the form that the callers of a face expect."""


def _form_of(scope: Mapping[str, Any] | None) -> RefusalForm | None:
    """The form for refusals below the first part of the path; None: `application/problem+json`."""
    if scope is None or "app" not in scope:
        return None
    forms: Mapping[str, RefusalForm] = getattr(scope["app"].state, "refusal_forms", {})
    return forms.get("/" + scope["path"].lstrip("/").partition("/")[0])


def instance_of(scope: Mapping[str, Any]) -> str:
    """The path of the request, as it was sent. The query is left out: it may hold personal data."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return raw.partition(b"?")[0].decode("latin-1")


def render_catalogue(problems: Mapping[str, Problem] = PROBLEMS) -> str:
    """The text of `docs/problems.md`."""
    rows = [
        f"| {problem.status} | [`{problem.code}`](#{problem.code}) | {problem.title_en} | {problem.title_zh} |"
        for problem in problems.values()
    ]
    return _PREFACE + "\n".join(rows) + "\n" + "".join(map(_section, problems.values()))


_PREFACE = """# Problems

Generated from `complaints.api.problems.catalogue`; do not edit.

Every refusal is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and
where they apply `errors[]`, `allowed[]`, `request_id` (of a 500). `GET /problems/<code>` explains one, `GET /problems`
lists them.

An entry of `errors[]` has a `message` and a `pointer`: a JSON Pointer (RFC 6901) into the body, empty for the
whole of it. A fault outside the body has an empty `pointer`, and `in` (`query`, `header`, `cookie`) and
`parameter` (its name) say where it is. At most 50 are listed.

`title`, `detail` and each `message` are in English, or in Chinese if `Accept-Language` prefers it, as
`Accept-Language: zh-CN` does. `Content-Language` says which. Codes, names of members and values stay as they are.

| status | code | title | 名称 |
|---|---|---|---|
"""


def _section(problem: Problem) -> str:
    heading = f"## {problem.code}\n\n{problem.status} · {problem.title_en} · {problem.title_zh}"
    sent = [f"Sent with `{name}: {value}`." for name, value in problem.headers.items()]
    return "\n" + "\n\n".join([heading, problem.explanation_en, problem.explanation_zh, *sent]) + "\n"
