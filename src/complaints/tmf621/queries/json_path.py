"""`filter`: JSONPath in the shapes of the examples of TMF621, such as `attachment[?(@size==300)]`. Pure."""

import re
from dataclasses import dataclass

_NAME = r"@?[A-Za-z_][A-Za-z0-9_]*"
_SHAPE = re.compile(
    rf"(?:\$|(?:\$\.)?(?P<outer>{_NAME}(?:\.{_NAME})*))\s*\[\s*\?\s*\(\s*@\.?(?P<inner>{_NAME}(?:\.{_NAME})*)\s*"
    r"==\s*(?P<value>'(?P<single>[^'\\]*)'|\"(?P<double>[^\"\\]*)\"|-?\d{1,15}(?:\.\d{1,15})?)\s*\)\s*\]",
    re.ASCII,
)
"""An optional list, and one comparison of a member of its elements with a number or a quoted text."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A member, by its dotted path, and the value that it must have. `is_quoted`: the value is a text."""

    path: str
    value: str
    is_quoted: bool


def read_json_path(text: str) -> Comparison | None:
    """The comparison of a filter. None: the text has another shape."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        return None
    outer, inner = found["outer"], found["inner"]
    quoted = found["single"] if found["single"] is not None else found["double"]
    path = f"{outer}.{inner}" if outer else inner
    return Comparison(path, found["value"] if quoted is None else quoted, quoted is not None)
