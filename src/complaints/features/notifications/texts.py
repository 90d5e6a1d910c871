"""The texts of messages to the staff, from templates as files: one for each language, and one layout for HTML.

The first line of a template is the title. No text of a complaint and no person stands in a message: the link leads
there. Other annexes bring templates of their own for their notices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from complaints.api.problems.languages import Language
from complaints.domain.vocabulary import Priority

LANGUAGES = ("en", "zh")
MOST_LINES = 50
_TEMPLATES = Path(__file__).parent / "templates"
_NO_FACTS: Mapping[str, Any] = dict.fromkeys(
    ("number", "kind", "step", "level", "due", "next_due", "priority", "category", "team", "repetition"), ""
)
_PRIORITIES = {
    Priority.URGENT: "紧急",
    Priority.HIGH: "高",
    Priority.NORMAL: "普通",
    Priority.LOW: "低",
}
_KINDS = {
    "first_response": ("first response", "首次响应"),
    "resolution": ("result", "处理结果"),
    "follow_up": ("follow-up contact", "回访"),
    "closure": ("closure", "办结"),
    "promise": ("promise", "承诺"),
}


@dataclass(frozen=True, slots=True)
class StaffText:
    """A text in one language. `link` is where the reader finds more; None: the public address is not known."""

    title: str
    body: str
    link: str | None = None

    @property
    def line(self) -> str:
        """The title and the link, for a place with little room."""
        return f"{self.title} {self.link}" if self.link else self.title


@dataclass(frozen=True, slots=True)
class TextWriter:
    """Writes texts. `folders` are the templates of other annexes, by precedence after those of this one."""

    folders: tuple[Path, ...] = ()

    def write(self, template: str, language: str, link: str | None, facts: Mapping[str, Any]) -> StaffText:
        """The text of a template. Raises jinja2.TemplateError for an unknown one."""
        found = _environment(self.folders).get_template(f"{template}.{match_language(language)}.txt")
        title, _, body = found.render({**_NO_FACTS, **facts}).partition("\n")
        return StaffText(title.strip(), body.strip(), link)

    def gather(self, texts: Sequence[StaffText], language: str) -> StaffText:
        """One text that lists others."""
        lines, more = texts[:MOST_LINES], max(0, len(texts) - MOST_LINES)
        return self.write("digest", language, None, {"lines": [text.line for text in lines], "more": more})

    def html(self, text: StaffText, language: str, gathered: Sequence[StaffText] = ()) -> str:
        """A text as HTML, for mail. `gathered` are the texts that it lists."""
        blocks = [] if gathered else [part.splitlines() for part in text.body.split("\n\n") if part]
        layout = _environment(self.folders).get_template("message.html")
        return layout.render(
            language=match_language(language),
            title=text.title,
            paragraphs=blocks,
            link=text.link,
            links=[(one.title, one.link) for one in gathered[:MOST_LINES]],
            note=text.body.splitlines()[-1] if len(gathered) > MOST_LINES else "",
        )


def match_language(language: str) -> Language:
    """The language of the house that is nearest to a language tag: Chinese for all its forms, otherwise English."""
    return Language.CHINESE if language.lower().startswith("zh") else Language.ENGLISH


def name_priority(priority: Priority | None, language: str) -> str:
    """The word for a priority, or nothing."""
    if priority is None:
        return ""
    return _PRIORITIES[priority] if match_language(language) == "zh" else priority.value


def name_kind(kind: str | None, language: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """The word for a kind of deadline. A kind of an annex keeps its own name, and so does one without a title."""
    if kind is None:
        return ""
    chosen = match_language(language)
    if kind in titles:
        return titles[kind][chosen]
    return _KINDS.get(kind, (kind, kind))[LANGUAGES.index(chosen)]


def write_local_time(instant: datetime | None, timezone: str) -> str:
    """An instant as the local time of a zone, with the offset."""
    return instant.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %z") if instant else ""


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    return Environment(
        loader=FileSystemLoader([_TEMPLATES, *folders]),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
