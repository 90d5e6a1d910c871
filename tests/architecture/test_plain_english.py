"""Docstrings and comments are plain English, also in tests and benchmarks. No two public classes share a name.

The style page in CONTRIBUTING.md says how to write. This test finds what a machine can find: words that readers
stumble over, and sentences that are too long. A sentence ends at `.`, `:`, `;`, `?`, `!`, a blank line or a list item.
Words in backticks count as one word, and table rows are no sentences.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted((ROOT / "src").rglob("*.py"))
WITH_PROSE = [
    *CODE,
    *(
        path
        for name in ("tests", "benchmarks", "client", "examples")
        for path in sorted((ROOT / name).rglob("*.py"))
    ),
]
MOST_WORDS = 25
STIFF_WORDS = (
    "anew", "befall", "forthwith", "hath", "heretofore", "hinder", "hindered", "hinders", "hitherto", "lent", "lest",
    "nothings", "nursery", "nursing", "of theirs", "of ours", "reckon", "reckoned", "reckoning", "reckons", "thence",
    "thereby", "thereof", "told", "tells of", "untold", "wherefore", "whence", "whereof", "wherever", "heard of",
    "those that are", "what is told", "be it", "goes by", "go by", "sees to", "by turns", "comes to serve",
)  # fmt: skip
_STIFF = re.compile(rf"\b({'|'.join(map(re.escape, STIFF_WORDS))})\b", re.IGNORECASE)
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")
_SENTENCE_END = re.compile(r"[.:;?!](?=\s|$)|\n\s*\n|\n\s*[-*|] ")
# As the tokens of Python. Its own tokenizer takes ten times as long.
_STRING_OR_COMMENT = re.compile(
    r"""\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*""",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z][\w'’-]*|`")


def prose_of(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings and runs of comment lines of a module, each with the line it begins at."""
    yield from _docstrings(ast.parse(source))
    yield from _comments(source)


def _docstrings(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in _with_statements(module):
        body = getattr(node, "body", None)
        first = body[0] if body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            yield first.lineno, first.value.value


def _with_statements(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all statements below it. Expressions are left out: they contain no statement."""
    yield node
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, name, ()):
            yield from _with_statements(child)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    run: list[str] = []
    begins_at = last = 0
    line, counted = 1, 0
    for found in _STRING_OR_COMMENT.finditer(source):
        comment, start = found[0], found.start()
        if not comment.startswith("#") or comment.startswith(("# noqa", "# type:", "# fmt:", "# ruff:")):
            continue
        line, counted = line + source.count("\n", counted, start), start
        stands_alone = not source[source.rfind("\n", 0, start) + 1 : start].strip()
        if run and not (stands_alone and line == last + 1):
            yield begins_at, "\n".join(run)
            run = []
        begins_at, last = (begins_at if run else line), line
        run.append(re.sub(r"\s*(noqa|type: ignore).*", "", comment.lstrip("# ")))
    if run:
        yield begins_at, "\n".join(run)


def _is_meant(word: str, sentence: str) -> bool:
    """True for the glossary's `told`: the complainant is told the result."""
    return word.lower() == "told" and bool(
        re.search(r"complainant|result|customer|reporter", sentence, re.IGNORECASE)
    )


def faults_in(text: str) -> list[str]:
    """Stiff words and sentences that are too long, in one docstring or comment."""
    bare = _QUOTED.sub("`", text)
    faults = []
    for sentence in _SENTENCE_END.split(bare):
        faults += [
            f"stiff word {word!r}" for word in _STIFF.findall(sentence) if not _is_meant(word, sentence)
        ]
        count = len(_WORD.findall(sentence))
        if count > MOST_WORDS:
            faults.append(f"a sentence of {count} words: {' '.join(sentence.split())[:80]}…")
    return faults


def _folder(path: Path) -> str:
    return "/".join(path.relative_to(ROOT).parent.parts[:3])


def test_the_prose_is_plain(subtests: pytest.Subtests) -> None:
    for folder, paths in groupby(sorted(WITH_PROSE, key=_folder), _folder):
        faults = [
            f"{path.relative_to(ROOT)}:{line}: {fault}"
            for path in paths
            for line, text in prose_of(path.read_text(encoding="utf-8"))
            for fault in faults_in(text)
        ]
        with subtests.test(folder):
            assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""A clock is started anew."""', "stiff word 'anew'"),
        ("x = 1  # the reckoned time", "stiff word 'reckoned'"),
        (f'"""{" ".join(["word"] * 26)}."""', "a sentence of 26 words"),
        (f"# {' '.join(['word'] * 13)}\n# {' '.join(['word'] * 13)}\n", "a sentence of 26 words"),
    ],
)
def test_a_planted_fault_is_found(source: str, expected: str) -> None:
    faults = [fault for _, text in prose_of(source) for fault in faults_in(text)]
    assert any(fault.startswith(expected) for fault in faults)


def test_names_in_backticks_and_short_sentences_pass() -> None:
    text = f'"""Calls `told_{"_".join(["long"] * 30)}`. {" ".join(["word"] * 25)}."""'
    assert not [fault for _, found in prose_of(text) for fault in faults_in(found)]


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in CODE:
        for name in re.findall(r"^class ([^\W_]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            homes[name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}
