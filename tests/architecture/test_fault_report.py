"""The page on reliability holds the report of the fault tests, put there by a program."""

from tests.faults.report import BEGIN, END, PAGE, put_in_page, render, with_later

REPORT = {
    "form": "long",
    "date": "2026-01-05",
    "processors": 2,
    "python": "3.11.2",
    "seconds": 1500.4,
    "scenarios": [
        {"fault": "Workers killed", "counts": {"kills": 1000}, "seconds": 600.2, "outcome": "held"},
        {"fault": "Disk full", "counts": {}, "seconds": 3.1, "outcome": "FAILED"},
    ],
}


def test_a_report_is_shown_as_a_table() -> None:
    table = render(REPORT)
    assert "The long form, 2026-01-05, 2 processors, Python 3.11.2: 1500 s in all." in table
    assert "| Workers killed | kills 1,000 | 600 | held |" in table
    assert "| Disk full | — | 3 | FAILED |" in table


def test_a_report_takes_the_place_of_the_one_before() -> None:
    page = f"before\n{BEGIN}\nthe old one\n{END}\nafter\n"
    assert put_in_page(page, REPORT) == f"before\n{BEGIN}\n\n{render(REPORT)}\n\n{END}\nafter\n"


def test_the_page_has_the_place() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
    assert page.index(BEGIN) < page.index(END)
    assert "FAILED" not in page


def test_a_later_run_replaces_its_scenarios() -> None:
    first, *rest = REPORT["scenarios"]
    later = {**REPORT, "date": "2027-01-01", "scenarios": [{**first, "outcome": "held again"}]}
    merged = with_later(REPORT, later)
    assert merged["scenarios"] == [{**first, "outcome": "held again"}, *rest]
    assert "2027-01-01" in render(merged)
    assert "1 of these tests were run again" in render(merged)
