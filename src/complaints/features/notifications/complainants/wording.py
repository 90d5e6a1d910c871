"""The words of mails to complainants, from files in both languages, and their layouts as text and as HTML.

The files and the policy have the words. Nothing that a user wrote is ever read as a template.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from complaints.features.notifications.texts import match_language

_FOLDER = Path(__file__).parent
_LAYOUTS = Environment(
    loader=FileSystemLoader(_FOLDER / "layouts"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True)
class MailContent:
    """A mail before its layout. `quote` are the words of the house, as a person wrote them.

    `steps` are pairs of what comes next and the latest time for it. `link` leads to the page of the complaint.
    """

    language: str
    title: str
    paragraphs: tuple[str, ...]
    way_to_answer: str
    footer: tuple[str, ...]
    quote: str | None = None
    steps: tuple[tuple[str, str], ...] = ()
    link: str | None = None

    @property
    def words(self) -> Mapping[str, Any]:
        """The words of the layouts in the language of the mail."""
        words: Mapping[str, Any] = words_in(self.language)["common"]
        return words

    def write(self, form: str) -> str:
        """The mail in a form: `txt` or `html`."""
        return _LAYOUTS.get_template(f"mail.{form}").render(mail=self, words=self.words)


def words_in(language: str) -> Mapping[str, Any]:
    """All words in the language that is nearest to a language tag."""
    return _read_words(match_language(language))


@cache
def _read_words(language: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / "texts" / f"{language}.toml").read_text(encoding="utf-8"))
