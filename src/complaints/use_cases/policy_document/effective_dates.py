"""Writes another date of effect into the text of a policy document. Everything else in the text stays as it is."""

import re
from datetime import datetime

from complaints.domain.instants import write_instant
from complaints.use_cases.policy_document.yaml_document import read_yaml

_MEMBER = re.compile(r"""(["']?effective_at["']?\s*:\s*)("[^"]*"|'[^']*'|[^\s,}#]+)""")
_POINTER = "/effective_at"


def set_effective_at(text: str, effective_at: datetime) -> str:
    """The document with another `effective_at`. A document without this member stays as it is.

    Raises InvalidContent for a text that is no YAML or JSON.
    """
    line = read_yaml(text).lines.get(_POINTER)
    if line is None:
        return text
    lines = text.split("\n")
    lines[line - 1] = _MEMBER.sub(
        lambda found: f'{found[1]}"{write_instant(effective_at)}"', lines[line - 1], count=1
    )
    return "\n".join(lines)
