"""Reads a Containerfile: the steps of each stage, and what starts at the end."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "CMD"}


@dataclass(slots=True)
class Stage:
    """One stage: its name, and its steps as pairs of instruction and text, in order."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def texts(self, instruction: str) -> list[str]:
        """The texts of all steps with this instruction."""
        return [text for name, text in self.steps if name == instruction]

    @property
    def command(self) -> list[str]:
        """The program that starts, with its arguments."""
        words: list[str] = json.loads(self.texts("CMD")[-1])
        return words

    @property
    def variables(self) -> dict[str, str]:
        """The environment that the stage sets."""
        pairs = [pair.partition("=") for text in self.texts("ENV") for pair in shlex.split(text)]
        return {name: value for name, _, value in pairs}


@dataclass(frozen=True, slots=True)
class Copy:
    """A COPY step: sources and target, and the stage and the owner that its options name."""

    sources: tuple[str, ...]
    target: str
    stage: str | None
    owner: str | None


def read_stages(path: Path = ROOT / "Containerfile") -> list[Stage]:
    """The stages of a Containerfile. Fails for an instruction that is not known here."""
    text = re.sub(r"(?m)^#.*\n", "", path.read_text(encoding="utf-8"))
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line.strip():
            continue
        instruction, _, rest = line.partition(" ")
        assert instruction in _KNOWN, instruction
        if instruction == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2]))
        stages[-1].steps.append((instruction, rest))
    return stages


def read_copy(text: str) -> Copy:
    """The parts of a COPY step."""
    words = shlex.split(text)
    options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    assert options.keys() <= {"from", "chown"}, options
    return Copy(tuple(sources), target, options.get("from"), options.get("chown"))
