"""The invented texts of the demo, in Chinese and English, from `texts.yaml`."""

from functools import cache
from importlib import resources
from random import Random
from typing import Any, cast

from complaints.use_cases.policy_document.yaml_document import read_yaml

_SLOTS = ("places", "plans", "days")


@cache
def _load() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("texts.yaml").read_text(encoding="utf-8")
    return cast(dict[str, Any], read_yaml(text).data)


def categories_with_texts() -> list[str]:
    """The codes of the categories of which the demo has complaints."""
    return [*_load()["complaints"]]


class Wording:
    """Chooses texts at random, in a language: `zh` or `en`."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._texts = _load()

    def choose(self, language: str, *path: str, **slots: str) -> str:
        """One of the texts at a place of the file, with its slots filled."""
        return str(self._pick(language, *path)).format(**slots)

    def describe(self, language: str, category: str) -> tuple[str, str]:
        """The subject and the description of a complaint of a category."""
        slots = {slot.removesuffix("s"): self._pick(language, slot) for slot in _SLOTS}
        slots["amount"] = str(self._random.randint(5, 298))
        subject, description = self._pick(language, "complaints", category)
        return subject, description.format(**slots)

    def _pick(self, language: str, *path: str) -> Any:
        found = self._texts
        for name in path:
            found = found[name]
        texts = found[language]
        return texts if isinstance(texts, str) else self._random.choice(texts)
