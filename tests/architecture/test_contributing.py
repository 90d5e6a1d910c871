"""The table of changes in CONTRIBUTING.md names at least ten changes, and files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| (?P<change>an? [^|]+) \| (?P<files>[^|]+) \|$", re.MULTILINE)
_PATH = re.compile(r"`([\w./-]+/[\w./-]+|[A-Z]+\.md)`")


def rows() -> dict[str, list[str]]:
    """The files that each change names."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return {found["change"]: _PATH.findall(found["files"]) for found in _ROW.finditer(text)}


def test_the_table_has_at_least_ten_changes() -> None:
    assert len(rows()) >= 10


def test_each_change_names_files_that_exist() -> None:
    missing = {
        (change, name) for change, names in rows().items() for name in names if not (ROOT / name).exists()
    }
    assert not missing
    assert all(rows().values())


def test_a_plain_member_touches_at_most_five_files_of_the_product() -> None:
    files = [name for name in rows()["a plain member of a complaint"] if name.startswith("src/")]
    assert len(files) <= 5
