"""What is committed is fit to be published, and to be installed anywhere."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "src/complaints").rglob("*.py"))
# Made by tools, or one's own; .gitignore names the same.
NOT_COMMITTED = {
    *(".git", ".venv", ".idea", ".vscode", "__pycache__", "build", "dist", "htmlcov"),
    *(".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
    *(".schemathesis", "var"),
}
DOCUMENTED = re.compile(r'(?:\s|#.*\n)*"""\s*[^"\s]')
OWN_FILE = re.compile(r"\.db\b|\.sqlite3|^\.env$|\.py[cod]$")
# Files of others, kept as published: `tests/api/test_docs_page.py` compares their checksums.
VENDORED = re.compile(r"/static/swagger-ui-[\d.]+$")
BANNED = {
    "a registry host": r"pypi\.org|pythonhosted|npmjs\.|crates\.io|deb\.debian\.org|proxy\.golang",
    "a path of one machine": r"/(?<![\w.~)}>]/)(?:work|root|home)/\w",
    "an AI": r"AI\b(?<!\wAI)",
    "unfinished work": r"\b(?:TODO|FIXME|XXX)\b",
}
# Sought in the text in small letters: to ignore the case of each letter takes eight times as long.
BANNED_IN_ANY_CASE = {
    "who or what wrote it": r"claude|anthropic|chatgpt|copilot|language model|co-authored-by",
    "an issue number": r"(?:issue|fixes|closes|pull request|bug) #\d+",
}


def committed_texts() -> Iterator[tuple[Path, str]]:
    """Every text file but this one, which names what it bans."""
    for directory, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in NOT_COMMITTED]
        if VENDORED.search(Path(directory).as_posix()):
            continue
        for path in (Path(directory, name) for name in names if not OWN_FILE.search(name)):
            content = path.read_bytes()
            if path != Path(__file__).resolve() and b"\0" not in content:
                yield path, content.decode()


def mentions_in(text: str) -> Iterator[str]:
    """What is banned and stands in a text."""
    for patterns, sought_in in ((BANNED, text), (BANNED_IN_ANY_CASE, text.lower())):
        yield from (what for what, pattern in patterns.items() if re.search(pattern, sought_in))


def test_no_file_mentions_what_is_banned(subtests: pytest.Subtests) -> None:
    found: dict[str, list[str]] = {what: [] for what in (*BANNED, *BANNED_IN_ANY_CASE)}
    for path, text in committed_texts():
        for what in mentions_in(text):
            found[what] += [
                f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
                for number, line in enumerate(text.splitlines(), start=1)
                if what in mentions_in(line)
            ]
    for what, lines in found.items():
        with subtests.test(what):
            assert not lines, "\n".join(lines)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a registry host", "--index-url https://pypi.org/simple"),
        ("a path of one machine", "--find-links /home/someone/wheels"),
        ("a path of one machine", "url = sqlite:////root/complaints.db"),
        ("who or what wrote it", "Co-Authored-By: Copilot"),
        ("an AI", "written by an AI"),
        ("an issue number", "see Issue #12"),
        ("unfinished work", "# TODO later"),
    ],
)
def test_a_mention_would_be_found(what: str, line: str) -> None:
    assert list(mentions_in(line)) == [what]


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_every_requirement_is_pinned_and_has_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    lines = [line.split("    #")[0] for line in text.splitlines() if not line.lstrip().startswith("#")]
    requirements = [part for part in "\n".join(lines).replace("\\\n", " ").splitlines() if part.strip()]
    assert len(requirements) > 20
    wrong = [
        requirement
        for requirement in requirements
        if not re.fullmatch(
            r"[a-z0-9-]+==\S+( ; [^-][^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", requirement
        )
    ]
    assert not wrong


def test_the_tests_run_on_the_versions_that_the_server_runs_on() -> None:
    pins = {
        name: set(
            re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / name).read_text(encoding="utf-8"), re.M)
        )
        for name in ("run.txt", "test.txt")
    }
    assert pins["run.txt"] <= pins["test.txt"]


def test_every_module_says_what_it_is() -> None:
    assert MODULES
    silent = [path for path in MODULES if not DOCUMENTED.match(path.read_text(encoding="utf-8"))]
    assert silent == []


def test_a_member_of_a_complaint_is_spelled_in_few_files() -> None:
    """Columns, commands, filters, answers and labels follow from its declaration."""
    texts = [
        path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".toml", ".html", ".json", ".js"}
    ]
    named = [path for path in texts if "service_type" in path.read_text(encoding="utf-8")]
    assert len(named) <= 5, named
