"""The pages of the annex: one frame and one style, in two languages."""

from importlib import resources
from typing import Any

from starlette.responses import HTMLResponse

from complaints.api.problems.html_pages import Pages
from complaints.api.problems.languages import Language
from complaints.features.reports.publishing.wording import TEXTS

_FILES = resources.files(__package__)
_TEMPLATES = ("frame.html", "layouts/layout.html", "publishing/templates/report.html")


def _read(path: str) -> str:
    return _FILES.joinpath(path).read_text(encoding="utf-8")


_PAGES = Pages(
    {path.rpartition("/")[2]: _read(path) for path in _TEMPLATES},
    style=_read("publishing/style.css").strip(),
)


def print_page(
    template: str, language: Language, *, title: str, period: str, query: str = "", **values: Any
) -> HTMLResponse:
    """A page with links to itself in the other language and to its workbook.

    `query` is what these links need beside format and language, with `&` at its end.
    """
    other = next(one for one in Language if one is not language)
    page = _PAGES.page(
        template,
        t=TEXTS[language],
        tag=language.value,
        other={"tag": other.value, "code": TEXTS[other]["code"], "name": TEXTS[other]["name"]},
        title=title,
        period=period,
        query=query,
        **values,
    )
    page.headers["Content-Language"] = TEXTS[language]["code"]
    return page
