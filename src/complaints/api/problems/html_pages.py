"""Small HTML pages for `problems.pages`: no script, nothing from another host, a style allowed by its hash."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }
body { max-width: 64rem; margin: 0 auto; padding: 1rem; }
code { font: 0.9em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; }
th, td { border-bottom: 1px solid #8884; }
.quiet { opacity: 0.75; }
""".strip()

_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_LAYOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>%(style)s</style>
</head>
<body>
<main>
{% block main %}{% endblock %}
</main>
</body>
</html>
"""


class Pages:
    """Templates by name. Each one extends `layout`. Jinja escapes every value that is put in."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._environment = Environment(
            loader=DictLoader({"layout": _LAYOUT.replace("%(style)s", STYLE), **templates}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, template: str, **values: Any) -> HTMLResponse:
        """The page that `template` makes of `values`. Its policy allows its own style and nothing else."""
        content = self._environment.get_template(template).render(**values)
        return HTMLResponse(content, headers={"Content-Security-Policy": _POLICY})


def prefers_html(accept: str) -> bool:
    """True if an Accept header ranks `text/html` above `application/json` (RFC 9110, section 12.5.1)."""
    ranges = _ranges(accept)
    return _quality(ranges, "text/html") > _quality(ranges, "application/json")


def _ranges(accept: str) -> dict[str, float]:
    ranges: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights = [piece[2:] for piece in parameters if piece.startswith("q=")]
        ranges[media_range] = _weight(weights[0]) if weights else 1.0
    return ranges


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(ranges: Mapping[str, float], media_type: str) -> float:
    family = media_type.partition("/")[0] + "/*"
    for candidate in (media_type, family, "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
