"""Every citation names a rule or section of docs/domain.md, and every numbered rule has a test that names it.

A citation has one of these written forms. Upper and lower case are the same, and a line break may replace a space.

- `rule 2.8`: a numbered rule. `rules 2.8 and 2.11`, `rules 2.1, 3.1–3.4`, `domain rules 2.1 to 2.13`: several rules.
- `domain §3`: a section. `domain §1, §2 and §5`, `domain §2 to §5`: several sections.
- `Handbook 5.1`: a section of the handbook. The top of docs/domain.md lists these sections.
- `test_rule_2_08_pauses_are_kept`: a rule in the name of a test.

A range (`–`, `-` or `to`) names every number between its two ends. A test names a rule in its name, in a comment, or in
its docstring; the citation stands inside the test function.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/domain.md"
THIS_FILE = "tests/architecture/test_rule_citations.py"  # it plants wrong citations
CITING = ("src/**/*.py", "tests/**/*.py", "benchmarks/**/*.py", "migrations/**/*", "docs/**/*.md")

# The rule book ----------------------------------------------------------------------------------------------

SECTION_HEADING = re.compile(r"## ([0-9]+)\. \S")
PLANNED_HEADING = "### Planned"
RULE_START = re.compile(r"\*\*([0-9]+)\.([0-9]+)\*\* [^:]+: \S")
LIKE_A_RULE = re.compile(r"\*\*\s*[0-9]|[0-9]+\.[0-9]+\s+[A-Z]")
HANDBOOK_LINE = re.compile(r"- Handbook ([0-9]+\.[0-9]+): \S")


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The citations that the page allows, and the faults in its numbering."""

    rules: tuple[str, ...]
    sections: tuple[str, ...]
    handbook: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def known(self) -> set[str]:
        """Every citation that names something on the page."""
        return {*self.rules, *self.sections, *self.handbook}


def read_rule_book(text: str) -> RuleBook:
    """Read the page line by line. Sections and rules are numbered from 1, in order; planned features are not."""
    rules: list[str] = []
    sections: list[str] = []
    faults: list[str] = []
    following, is_planned = 1, False
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := SECTION_HEADING.match(line):
            sections.append(f"domain §{heading[1]}")
            following, is_planned = 1, False
            if sections[-1] != f"domain §{len(sections)}":
                faults.append(f"line {number}: section {len(sections)} was expected here")
        is_planned = is_planned or line == PLANNED_HEADING
        if rule := RULE_START.match(line):
            rules.append(f"rule {rule[1]}.{rule[2]}")
            if is_planned or rules[-1] != f"rule {len(sections)}.{following}":
                expected = "no rule" if is_planned else f"rule {len(sections)}.{following}"
                faults.append(f"line {number}: {expected} was expected here")
            following += 1
        elif LIKE_A_RULE.match(line):
            faults.append(f"line {number}: a rule begins with **1.2** and a title with a colon")
    handbook = [f"Handbook {found[1]}" for line in text.splitlines() if (found := HANDBOOK_LINE.match(line))]
    return RuleBook(tuple(rules), tuple(sections), tuple(handbook), tuple(faults))


# Citations --------------------------------------------------------------------------------------------------


def list_of(item: str) -> str:
    """The pattern of a list of items and ranges: `1, 3–5 and 7`."""
    item_or_range = rf"{item}(?:\s*(?:–|-|\bto\b)\s*{item})?"
    return rf"{item_or_range}(?:(?:\s*,)?\s*(?:,|\band\b|\bor\b)\s*{item_or_range})*"


NUMBER = r"[0-9]+\.[0-9]+(?!\.?[0-9])"
FORMS = {
    "rule ": re.compile(rf"\brules?\s+({list_of(NUMBER)})", re.IGNORECASE),
    "domain §": re.compile(rf"\bdomain\s+({list_of('§[0-9]+')})", re.IGNORECASE),
    "Handbook ": re.compile(rf"(?<![\w-])handbook\s+({list_of(NUMBER)})", re.IGNORECASE),
}
IN_A_TEST_NAME = re.compile(r"\btest_rule_([0-9]+)_([0-9]+)_")
ITEM_OR_RANGE = re.compile(r"([0-9.]+)(?:\s*(?:–|-|to)\s*§?([0-9.]+))?")
LINE_BREAK = re.compile(r"\n[ \t]*#?")


def citations_in(text: str) -> Iterator[tuple[int, str]]:
    """The citations of a text: line, and name such as `rule 2.8`, `domain §3` or `Handbook 5.1`."""
    on_one_line = LINE_BREAK.sub(lambda found: " " * len(found[0]), text)
    for form, pattern in FORMS.items():
        for found in pattern.finditer(on_one_line):
            for number in numbers_in(found[1]):
                yield line_of(found, text), form + number
    for found in IN_A_TEST_NAME.finditer(text):
        yield line_of(found, text), f"rule {int(found[1])}.{int(found[2])}"


def line_of(found: re.Match[str], text: str) -> int:
    return text.count("\n", 0, found.start()) + 1


def numbers_in(listed: str) -> Iterator[str]:
    """Every number of a list of numbers and ranges."""
    for first, last in ITEM_OR_RANGE.findall(listed):
        yield first
        if last:
            yield from numbers_between(first, last)
            yield last


def numbers_between(first: str, last: str) -> Iterator[str]:
    """The numbers between `2.1` and `2.4`, or between `1` and `3`; none if the section is not the same."""
    section, dot, start = first.rpartition(".")
    other_section, _, end = last.rpartition(".")
    if section == other_section:
        yield from (f"{section}{dot}{number}" for number in range(int(start) + 1, int(end)))


# The checkout -----------------------------------------------------------------------------------------------


def citing_files(root: Path) -> list[Path]:
    """Every file below `root` that may cite a rule, without this one."""
    found = {path for pattern in CITING for path in root.glob(pattern)}
    return sorted(
        path for path in found if path.is_file() and path.suffix != ".pyc" and path != root / THIS_FILE
    )


def citations_of_nothing(root: Path) -> list[str]:
    """The citations below `root` that name nothing in the rule book: file, line and name."""
    known = read_rule_book((root / PAGE).read_text(encoding="utf-8")).known
    return [
        f"{path.relative_to(root).as_posix()}:{line}: {name}"
        for path in citing_files(root)
        for line, name in citations_in(path.read_text(encoding="utf-8"))
        if name not in known
    ]


def named_by_tests(root: Path) -> set[str]:
    """The citations inside the test functions below `root`."""
    return {
        name
        for path in citing_files(root)
        if path.name.startswith("test_") and path.suffix == ".py"
        for test in sources_of_tests(path.read_text(encoding="utf-8"))
        for _, name in citations_in(test)
    }


def sources_of_tests(source: str) -> Iterator[str]:
    """The source of each test function, with its decorators and comments."""
    if next(citations_in(source), None) is None:
        return
    lines = source.splitlines()
    for node in statements_in(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            first = min(part.lineno for part in (node, *node.decorator_list))
            yield "\n".join(lines[first - 1 : node.end_lineno])


def statements_in(node: ast.AST) -> Iterator[ast.AST]:
    """The statements below the node. Expressions are left out: they contain no function with a name."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, name, ()):
            yield child
            yield from statements_in(child)


BOOK = read_rule_book((ROOT / PAGE).read_text(encoding="utf-8"))


def test_the_rule_book_is_numbered_in_order() -> None:
    assert not BOOK.faults, "\n".join(BOOK.faults)
    assert list(BOOK.sections) == [f"domain §{number}" for number in range(1, 13)]
    assert len(BOOK.rules) >= 36
    assert BOOK.handbook


def test_every_citation_names_something_in_the_rule_book() -> None:
    wrong = citations_of_nothing(ROOT)
    assert not wrong, "\n".join(wrong)


def test_a_test_names_each_rule() -> None:
    named = named_by_tests(ROOT)
    assert [rule for rule in BOOK.rules if rule not in named] == []


# The finder finds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("as rule 2.8 says", ["rule 2.8"]),
        ("Rule 2.12: a deadline that runs.", ["rule 2.12"]),
        ("late (domain rule 3.7).", ["rule 3.7"]),
        ("(rule 3.5); again", ["rule 3.5"]),
        ("rules 2.8 and 2.11", ["rule 2.8", "rule 2.11"]),
        ("rules 2.8, 2.9, and 2.11", ["rule 2.8", "rule 2.9", "rule 2.11"]),
        ("rule 2.8 or 2.9", ["rule 2.8", "rule 2.9"]),
        ("rules 2.3–2.5, 2.13 and 3.2", ["rule 2.3", "rule 2.4", "rule 2.5", "rule 2.13", "rule 3.2"]),
        ("domain rules 2.9 to 2.11", ["rule 2.9", "rule 2.10", "rule 2.11"]),
        ("rules 3.1-3.2", ["rule 3.1", "rule 3.2"]),
        ("rules 3.2 to 3.1", ["rule 3.2", "rule 3.1"]),
        ("rules 2.13 to 3.1", ["rule 2.13", "rule 3.1"]),
        ("rule 2.12 and others", ["rule 2.12"]),
        ("a rule\n    2.8", ["rule 2.8"]),
        ("# see rules 2.8\n    # and 2.11", ["rule 2.8", "rule 2.11"]),
        ("when and why (domain §2).", ["domain §2"]),
        ("(domain §1, §2 and §5)", ["domain §1", "domain §2", "domain §5"]),
        ("(domain §2 to §4,\ndocs/policies.md)", ["domain §2", "domain §3", "domain §4"]),
        ("(domain §2, rules 2.4 and 2.5)", ["rule 2.4", "rule 2.5", "domain §2"]),
        ("(domain §1, `merge`)", ["domain §1"]),
        ('"""Handbook 5.1."""', ["Handbook 5.1"]),
        ("cause (handbook 5.1), nature (handbook 3.1)", ["Handbook 5.1", "Handbook 3.1"]),
        ("def test_rule_2_08_pauses_are_kept() -> None:", ["rule 2.8"]),
        ("def test_rule_3_2_the_100_percent_step() -> None:", ["rule 3.2"]),
    ],
)
def test_a_citation_is_found(text: str, names: list[str]) -> None:
    assert [name for _, name in citations_in(text)] == names


@pytest.mark.parametrize(
    "text",
    [
        "Python 3.11",
        "the rules of 2.4 million deadlines",
        "rule 3.11.2",
        "a schedule 2.8 hours long",
        "telecom-handbook 5.1",
        "section 3, RFC 6901",
        "§subject§",
        "def test_rules_2_08() -> None:",
        "latest_rule_2_08_or_none",
    ],
)
def test_other_text_is_no_citation(text: str) -> None:
    assert list(citations_in(text)) == []


def test_a_citation_is_found_with_its_line() -> None:
    text = '"""Rule 2.1.\n\nHandbook 5.1, and rule\n2.3.\n"""\n\n\ndef test_rule_2_4_it() -> None: ...\n'
    assert sorted(citations_in(text)) == [
        (1, "rule 2.1"),
        (3, "Handbook 5.1"),
        (3, "rule 2.3"),
        (8, "rule 2.4"),
    ]


# It can fail ------------------------------------------------------------------------------------------------

SMALL_PAGE = """# The rule book

- Handbook 5.1: causes.

## 1. First

**1.1** A rule: It holds.

**1.2** Another rule: It holds too, as rule 1.1 does.

### Planned

- A feature without number.

## 2. Second

### Planned

- Another feature.
"""


def plant(root: Path, file: str, text: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(text, encoding="utf-8")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two rules. Its code cites them, and its tests name them."""
    plant(tmp_path, PAGE, SMALL_PAGE)
    plant(tmp_path, "src/complaints/domain/rules.py", '"""Rules (domain §1 and §2; Handbook 5.1)."""\n')
    plant(
        tmp_path,
        "tests/domain/test_rules.py",
        "def test_rule_1_1_holds():\n    # rule 1.2\n    assert True\n",
    )
    return tmp_path


def test_a_small_page_is_read() -> None:
    book = read_rule_book(SMALL_PAGE)
    assert (book.rules, book.sections, book.handbook, book.faults) == (
        ("rule 1.1", "rule 1.2"),
        ("domain §1", "domain §2"),
        ("Handbook 5.1",),
        (),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("**1.2** Another", "**1.3** Another", "line 9: rule 1.2 was expected here"),
        ("**1.2** Another", "**1.1** Another", "line 9: rule 1.2 was expected here"),
        ("**1.2** Another", "**2.2** Another", "line 9: rule 1.2 was expected here"),
        ("## 2. Second", "## 3. Second", "line 15: section 2 was expected here"),
        ("- Another feature.", "**2.1** A plan: No.", "line 19: no rule was expected here"),
        (
            "**1.1** A rule:",
            "**1.1 ** A rule:",
            "line 7: a rule begins with **1.2** and a title with a colon",
        ),
        ("**1.1** A rule:", "1.1 A rule:", "line 7: a rule begins with **1.2** and a title with a colon"),
        ("**1.1** A rule:", "**1.1** A rule.", "line 7: a rule begins with **1.2** and a title with a colon"),
    ],
)
def test_a_fault_in_the_numbering_is_found(right: str, wrong: str, fault: str) -> None:
    assert right in SMALL_PAGE
    assert fault in read_rule_book(SMALL_PAGE.replace(right, wrong)).faults


def test_a_checkout_without_fault_has_no_findings(checkout: Path) -> None:
    assert citations_of_nothing(checkout) == []
    assert named_by_tests(checkout) == {"rule 1.1", "rule 1.2"}


@pytest.mark.parametrize(
    ("file", "text", "finding"),
    [
        ("src/complaints/domain/planted.py", "# rule 1.3", "1: rule 1.3"),
        ("src/complaints/planted.py", '"""Rules 1.1 to 1.4."""', "1: rule 1.3"),
        ("src/complaints/planted.py", '"""Domain §9."""', "1: domain §9"),
        ("src/complaints/planted.py", '"""\n\nHandbook 5.2."""', "3: Handbook 5.2"),
        ("tests/api/test_planted.py", "def test_rule_4_1_it(): ...", "1: rule 4.1"),
        ("tests/support.py", "# rule 1.1 and 7.7", "1: rule 7.7"),
        ("benchmarks/planted.py", "# rule 1.10", "1: rule 1.10"),
        ("migrations/versions/0009_planted.py", "# rule 0.1", "1: rule 0.1"),
        ("migrations/script.py.mako", "rule 8.1", "1: rule 8.1"),
        ("docs/decisions/0099-planted.md", "# Title\n\nSee rule\n2.1.", "3: rule 2.1"),
    ],
)
def test_a_planted_citation_of_nothing_is_found(checkout: Path, file: str, text: str, finding: str) -> None:
    plant(checkout, file, text)
    assert f"{file}:{finding}" in citations_of_nothing(checkout)


@pytest.mark.parametrize(
    ("file", "text", "names_it"),
    [
        ("tests/api/test_planted.py", "def test_rule_1_2_it(): ...", True),
        ("tests/api/test_planted.py", "def test_it():\n    # rule 1.2\n    assert True", True),
        ("tests/api/test_planted.py", 'def test_it():\n    """Rules 1.1 and 1.2."""', True),
        ("tests/api/test_planted.py", "@mark(1)  # rule 1.2\n@mark(2)\ndef test_it(): ...", True),
        ("tests/api/test_planted.py", "class TestIt:\n    async def test_rule_1_2_it(self): ...", True),
        ("tests/api/test_planted.py", '"""Rule 1.2."""\n\n\ndef test_it(): ...', False),
        ("tests/api/test_planted.py", "def helper():\n    # rule 1.2\n    assert True", False),
        ("tests/api/test_planted.py", "# def test_rule_1_2_it(): ...", False),
        ("tests/support.py", "def test_rule_1_2_it(): ...", False),
        ("src/complaints/planted.py", "def test_rule_1_2_it(): ...", False),
    ],
)
def test_only_a_test_names_a_rule(checkout: Path, file: str, text: str, names_it: bool) -> None:
    plant(checkout, "tests/domain/test_rules.py", "def test_rule_1_1_holds(): ...\n")
    plant(checkout, file, text)
    assert ("rule 1.2" in named_by_tests(checkout)) is names_it
