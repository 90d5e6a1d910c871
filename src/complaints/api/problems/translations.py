"""Translates the messages of refusals. Code writes them in English; `messages_zh.toml` has the Chinese forms.

A template of that file has the literal words of a message, and names in braces for the parts that vary. The name of
a part says what becomes of it: `message` and `messages` are translated too, a `word` is looked up, the words between
`choices` are translated. Every other part stays as it is.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from complaints.api.problems.languages import Language

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_LONGEST_TEXT = 2000
_MOST_PIECES = 10
_DEEPEST = 3
_ENDS = (".", "?", "!", "…", "。", "？")


def say(message: str, language: Language) -> str:
    """A message in `language`, with its final stop. A message without a translation stays English."""
    if language is Language.CHINESE and (found := find_translation(message)) is not None:
        return found
    return message if not message or message.endswith(_ENDS) else f"{message}."


def find_translation(message: str) -> str | None:
    """The Chinese form of an English message, or of several that "; " joins. None without a template for it."""
    found = _translate_joined(message, 0) if len(message) <= _LONGEST_TEXT else None
    return found if found is None or found.endswith(_ENDS) else f"{found}。"


def _translate_joined(text: str, depth: int) -> str | None:
    """Translate messages from the last to the first, because a message may have "; " in it too."""
    pieces = text.split("; ", _MOST_PIECES - 1)
    found: list[str | None] = [*(None for _ in pieces), ""]
    for start in reversed(range(len(pieces))):
        for end in range(start + 1, len(found)):
            rest = found[end]
            first = None if rest is None else _translate("; ".join(pieces[start:end]), depth)
            if first is not None:
                found[start] = f"{first}；{rest}" if rest else first
                break
    return found[0]


@lru_cache(maxsize=256)
def _translate(text: str, depth: int) -> str | None:
    """The Chinese form of one message, without its final stop. The first template that fits makes it."""
    if depth > _DEEPEST:
        return None
    fitted = (_fit(template, text.removesuffix("."), depth) for template in _templates())
    return next((found for found in fitted if found is not None), None)


@dataclass(frozen=True, slots=True)
class _Template:
    """`literal` is a literal part of the English template. To look for it first is cheap."""

    literal: str
    pattern: re.Pattern[str]
    chinese: str


def _fit(template: _Template, text: str, depth: int) -> str | None:
    found = template.pattern.fullmatch(text) if template.literal in text else None
    if found is None:
        return None
    parts: dict[str, str] = {}
    for name, part in found.groupdict().items():
        translated = _translate_part(name, part, depth)
        if translated is None:
            return None
        parts[name] = translated
    return template.chinese.format_map(parts)


def _translate_part(name: str, part: str, depth: int) -> str | None:
    match name:
        case "message":
            return _translate(part, depth + 1)
        case "messages":
            return _translate_joined(part, depth + 1)
        case "word":
            return _read()["words"].get(part, part)
        case "choices":
            return part.replace(" or ", " 或 ").replace(" and more", " 等")
        case _:
            return part


@cache
def _templates() -> tuple[_Template, ...]:
    """The templates in the order in which they are tried.

    Those that hold another message come first: a part of that message could take in their words. Among the others,
    the one with more literal characters comes first, because it says more.
    """
    messages = _read()["messages"]
    ordered = sorted(messages, key=_rank, reverse=True)
    return tuple(
        _Template(max(_PLACEHOLDER.split(english)[::2], key=len), _compile(english), messages[english])
        for english in ordered
    )


def _rank(english: str) -> tuple[bool, int]:
    return "{message" in english, len(_PLACEHOLDER.sub("", english))


@cache
def _read() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("complaints.api.problems").joinpath("messages_zh.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _compile(english: str) -> re.Pattern[str]:
    """The pattern of a template. It takes linear time: each part ends at the first place where it can."""
    return re.compile("".join(_patterns(english)), re.DOTALL)


def _patterns(english: str) -> Iterator[str]:
    first, *rest = _PLACEHOLDER.split(english)
    yield re.escape(first)
    for name, literal in zip(rest[:-2:2], rest[1:-2:2], strict=True):
        yield f"(?>(?P<{name}>.+?){re.escape(literal)})"
    if rest:
        yield f"(?P<{rest[-2]}>.+){re.escape(rest[-1])}"
