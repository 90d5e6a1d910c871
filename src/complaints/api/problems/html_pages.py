"""Small HTML pages for `problems.pages`: no script, nothing from another host, a style allowed by its hash."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
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
    """True if an Accept header ranks `text/html` above `application/json`."""
    return prefers(accept, "text/html")
