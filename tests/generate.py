"""Writes the generated files again: `python -m tests.generate`. Tests compare them."""

from pathlib import Path

from benchmarks import performance_page
from complaints.api.feature import Annexes
from complaints.api.problems.catalogue import render_catalogue
from complaints.domain.rules.lifecycle_page import render_page
from complaints.features.registry import FEATURES
from complaints.wiring import openapi_document
from tests.sbom import render_sbom

ROOT = Path(__file__).parent.parent
GENERATED = {
    "docs/lifecycle.md": render_page,
    "docs/performance.md": performance_page.render_page,
    "docs/problems.md": lambda: render_catalogue(Annexes(FEATURES).problems),
    "openapi/complaints.json": openapi_document,
    "sbom.cdx.json": render_sbom,
}


def main() -> None:
    """Write every generated file."""
    for name, render in GENERATED.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
