"""The software bill of materials, CycloneDX 1.6 as JSON: the locked libraries, and the viewer in the package.

The lock file has the digests of the files of each library.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import complaints
from complaints.api.openapi.docs_page import VIEWER

LOCK = Path(__file__).parent.parent / "requirements" / "run.txt"
_LOCKED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def render_sbom() -> str:
    """The text of `sbom.cdx.json`."""
    viewer, _, version = VIEWER.rpartition("-")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "complaints",
                "name": "complaints",
                "version": complaints.__version__,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            *_libraries(),
            {
                **_component(f"{viewer}-dist", version, kind="npm"),
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _libraries() -> Iterator[dict[str, Any]]:
    for name, version, marker in _LOCKED.findall(LOCK.read_text(encoding="utf-8")):
        component = _component(name, version, kind="pypi")
        if marker:
            component["properties"] = [{"name": "environment-marker", "value": marker}]
        yield component


def _component(name: str, version: str, *, kind: str) -> dict[str, Any]:
    address = f"pkg:{kind}/{name}@{version}"
    return {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}
