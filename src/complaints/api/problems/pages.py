"""`GET /problems` and `GET /problems/<code>`, the address in the `type` of a problem: JSON or a page."""

from collections.abc import Collection
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from complaints.api.problems.catalogue import Problem
from complaints.api.problems.html_pages import Pages, prefers_html
from complaints.domain.errors import NotFound, clip

router = APIRouter(tags=["problems"])

_PAGES = Pages(
    {
        "list": """{% extends "layout" %}{% block title %}Problems · 问题{% endblock %}{% block main %}
<h1>Problems · 问题</h1>
<table>
<tr><th>status</th><th>code</th><th>title</th><th>名称</th></tr>
{% for p in problems %}
<tr><td>{{ p.status }}</td><td><a href="/problems/{{ p.code }}"><code>{{ p.code }}</code></a></td>
<td>{{ p.title_en }}</td><td>{{ p.title_zh }}</td></tr>
{% endfor %}
</table>
{% endblock %}""",
        "one": """{% extends "layout" %}{% block title %}{{ p.title_en }}{% endblock %}{% block main %}
<h1>{{ p.title_en }}<br><span lang="zh">{{ p.title_zh }}</span></h1>
<p class="quiet">{{ p.status }} · <code>{{ p.code }}</code></p>
<p>{{ p.explanation_en }}</p>
<p lang="zh">{{ p.explanation_zh }}</p>
<p><a href="/problems">All problems · 全部问题</a></p>
{% endblock %}""",
    }
)


@router.get("/problems", summary="List every problem this service answers with")
async def list_problems(request: Request) -> Response:
    """The catalogue of problems: JSON, or a page for whoever prefers `text/html`."""
    problems: Collection[Problem] = request.app.state.problems.values()
    if _wants_page(request):
        return _vary(_PAGES.page("list", problems=problems))
    return _vary(JSONResponse({"items": [_described(problem) for problem in problems]}))


@router.get("/problems/{code}", summary="Explain one problem")
async def explain_problem(code: str, request: Request) -> Response:
    """What a problem means and what to do about it: JSON, or a page for whoever prefers `text/html`."""
    problem: Problem | None = request.app.state.problems.get(code)
    if problem is None:
        raise NotFound(f'There is no problem "{clip(code, 100)}"; GET /problems lists them.')
    if _wants_page(request):
        return _vary(_PAGES.page("one", p=problem))
    return _vary(JSONResponse(_described(problem)))


def _wants_page(request: Request) -> bool:
    return prefers_html(request.headers.get("accept", ""))


def _vary(response: Response) -> Response:
    response.headers["Vary"] = "Accept"
    return response


def _described(problem: Problem) -> dict[str, Any]:
    return {
        "type": problem.type,
        "code": problem.code,
        "status": problem.status,
        "title": problem.title_en,
        "title_zh": problem.title_zh,
        "explanation": problem.explanation_en,
        "explanation_zh": problem.explanation_zh,
    }
