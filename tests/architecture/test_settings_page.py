"""docs/deployment.md lists the environment variables, each one once."""

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"
_ROW = re.compile(r"^\| `(COMPLAINTS_\w+)`", re.MULTILINE)


def test_each_variable_is_listed_once() -> None:
    listed = Counter(_ROW.findall(PAGE.read_text(encoding="utf-8")))
    assert len(listed) >= 40
    assert [name for name, times in listed.items() if times > 1] == []
