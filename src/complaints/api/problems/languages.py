"""The language of an answer: English, or Chinese if the caller prefers it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

_RANGE = re.compile(r"([A-Za-z0-9*-]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
_MOST_RANGES = 20


class Language(StrEnum):
    """A language in which a refusal is explained."""

    ENGLISH = "en"
    CHINESE = "zh"


def choose_language(accepted: str) -> Language:
    """The language that an `Accept-Language` header prefers (RFC 9110, 12.5.4).

    Of two languages with the same weight, the one named first. English if the header names neither.
    """
    weights: dict[str, float] = {}
    for part in accepted.split(",", _MOST_RANGES)[:_MOST_RANGES]:
        if found := _RANGE.fullmatch(part.strip(" \t")):
            primary = found[1].lower().partition("-")[0]
            weights[primary] = max(weights.get(primary, 0.0), float(found[2] or 1))
    others = weights.get("*", 0.0)
    languages = sorted(Language, key=[*weights, *Language].index)
    best = max(languages, key=lambda language: weights.get(language, others))
    return best if weights.get(best, others) > 0 else Language.ENGLISH


def language_headers(language: Language) -> dict[str, str]:
    """The headers of an answer that depends on the language of the caller."""
    return {"Content-Language": language, "Vary": "Accept-Language"}


def language_of(scope: Mapping[str, Any] | None) -> Language:
    """The language for the answer to a request. English if its head could not be read, so that it has no `scope`."""
    headers = scope["headers"] if scope else ()
    return choose_language(
        ",".join(str(value, "latin-1") for name, value in headers if name == b"accept-language")
    )
