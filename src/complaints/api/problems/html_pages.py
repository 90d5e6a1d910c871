"""Small HTML pages: no script, nothing from another host, a style allowed by its hash.

A page for people is a route of `Feature.pages`. Its reader has no key. So refusals there are pages too.
"""

import base64
import hashlib
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from complaints.api.problems.media_ranges import prefers

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }
body { max-width: 64rem; margin: 0 auto; padding: 1rem; }
code { font: 0.9em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
th, td { border-bottom: 1px solid #8884; }
.quiet { opacity: 0.75; }
""".strip()

_LAYOUT = """<!doctype html>
<html lang="{{ language | default('en') }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
{% block main %}{% endblock %}
</main>
</body>
</html>
"""


class Pages:
    """Templates by name. Each one extends `layout`, or has `{{ style }}`. Jinja escapes every value that is put in.

    `form_target` is where forms may be sent to: a source of the Content Security Policy.
    """

    def __init__(
        self, templates: Mapping[str, str], *, style: str = STYLE, form_target: str = "'none'"
    ) -> None:
        self._environment = Environment(
            loader=DictLoader({"layout": _LAYOUT, **templates}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["style"] = Markup(style)  # noqa: S704 - a file of our own
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
        self._policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; "
            f"form-action {form_target}; frame-ancestors 'none'; base-uri 'none'"
        )

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The page that `template` makes of `values`. Its policy allows its own style and nothing else."""
        content = self._environment.get_template(template).render(**values)
        return HTMLResponse(content, status, headers={"Content-Security-Policy": self._policy})


_REFUSALS = Pages(
    {
        "refused": """{% extends "layout" %}{% block title %}{{ p.title }}{% endblock %}{% block main %}
<h1>{{ p.title }}</h1>
<p>{{ p.text }}</p>
{% if number %}
<p>{{ number }}</p>
{% endif %}
{% endblock %}"""
    },
    style=STYLE + "\nh1 { font-size: 1.5rem; line-height: 1.3; }",
)
PAGE_REFUSALS: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    resources.files("complaints.api.problems").joinpath("page_refusals.toml").read_text(encoding="utf-8")
)


def refusal_page(status: int, language: str, request_id: str | None) -> HTMLResponse:
    """The answer to a reader of a page for people. `request_id` stands there if the reader should tell it."""
    words = PAGE_REFUSALS[language]
    number = words["number"].format(request_id=request_id) if request_id else ""
    said = words.get(str(status), words["other"])
    return _REFUSALS.page("refused", status=status, p=said, number=number, language=language)


def page_prefix_of(scope: Mapping[str, Any] | None) -> str | None:
    """The first part of the path, such as `/c`, if the request is for a page for people. None: it is not."""
    if scope is None or "app" not in scope:
        return None
    prefix = "/" + scope["path"].lstrip("/").partition("/")[0]
    return prefix if prefix in getattr(scope["app"].state, "page_prefixes", ()) else None


def prefers_html(accept: str) -> bool:
    """True if an Accept header ranks `text/html` above `application/json`."""
    return prefers(accept, "text/html")
