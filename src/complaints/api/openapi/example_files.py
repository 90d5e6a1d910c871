"""Reads the examples of the OpenAPI document. They stand in `examples.json` beside the code of their routes.

An example may use another example of its file or of `api/examples.json`:

- the text `"$number"` stands for the example `number`;
- the member `"$like": "deadline"` stands for the members of the example `deadline`. A later member of the same
  name replaces a member from there.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

_SHARED = "complaints.api"
_LIKE = "$like"


@cache
def read_examples(package: str) -> Mapping[str, Any]:
    """The examples of the package's `examples.json` by name, with all references replaced.

    Raises KeyError if an example refers to an unknown name.
    """
    text = resources.files(package).joinpath("examples.json").read_text(encoding="utf-8")
    written = json.loads(text)
    known = written if package == _SHARED else {**read_examples(_SHARED), **written}
    return MappingProxyType({name: _resolve(example, known) for name, example in written.items()})


def _resolve(value: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return _resolve(known[value[1:]], known)
    if isinstance(value, list):
        return [_resolve(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    resolved: dict[str, Any] = {}
    for name, member in value.items():
        if name == _LIKE:
            resolved |= _resolve(known[member], known)
        else:
            resolved[name] = _resolve(member, known)
    return resolved
