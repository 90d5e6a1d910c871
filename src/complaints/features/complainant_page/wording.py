"""The words of the page in each language, from the files in `texts`."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from complaints.api.problems.languages import Language

Texts = Mapping[str, Any]


def read_texts(language: Language) -> Texts:
    """The texts of a language by key."""
    file = resources.files("complaints.features.complainant_page").joinpath(f"texts/{language}.toml")
    return MappingProxyType(tomllib.loads(file.read_text(encoding="utf-8")))


TEXTS: Mapping[Language, Texts] = {language: read_texts(language) for language in Language}
