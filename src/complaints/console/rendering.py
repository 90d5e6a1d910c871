"""Templates made into pages and fragments. The policy of every answer lets in scripts and styles of this host only."""

import secrets
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from complaints.console.locale import Locale
from complaints.console.static_files import address_of_file

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The style sheet of Pico has its icons as `data:` images."""

_ENVIRONMENT = Environment(
    loader=PackageLoader("complaints.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals["file"] = address_of_file
_ENVIRONMENT.globals["new_attempt"] = lambda: secrets.token_urlsafe(16)
_VARY = "Accept-Language, Cookie, HX-Request"


def render(template: str, *, locale: Locale, **values: Any) -> str:
    """The HTML that a template makes of `values`. `t` has the texts, `locale` the forms of times and numbers."""
    return _ENVIRONMENT.get_template(template).render(t=locale.texts, locale=locale, **values)


def html_response(
    content: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The answer with a page or a fragment. No cache keeps it."""
    fixed = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Vary": _VARY, "Cache-Control": "no-store"}
    return HTMLResponse(content, status, {**fixed, **(headers or {})})
