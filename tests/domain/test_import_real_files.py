"""Two files nobody here wrote, imported by options alone; skipped where they are not at hand."""

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV, NDJSON, ImportRow, open_import, parse_options

DATA = Path(__file__).parents[3] / "shared" / "data"
NEW_YORK = ZoneInfo("America/New_York")
CARRIER = [
    ("map.subject", "Customer Complaint"),
    ("map.external_id", "Ticket #"),
    ("map.received_at", "Date+Time"),
    ("set.channel", "phone"),
    ("date_format", "%d-%m-%y %I:%M:%S %p"),
    ("timezone", "America/New_York"),
    ("unmapped", "attributes"),
    ("expect.external_id", r"\d+"),
]
HELPDESK = [
    ("map.subject", "turns.0.text"),
    ("map.external_id", "id"),
    ("map.received_at", "created_at_derived"),
    ("set.channel", "social"),
    ("unmapped", "attributes"),
]


def load(name: str, media_type: str, *options: tuple[str, str]) -> list[ImportRow]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand: it is not part of the project")
    file = open_import(path.read_bytes(), media_type=media_type, charset=None, options=parse_options(options))
    rows = list(file.rows())
    assert len(file) == len(rows)
    return rows


def carrier(*options: tuple[str, str]) -> list[ImportRow]:
    return load("comcast_fcc_complaints_2015.csv", CSV, *CARRIER, *options)


def local_day(row: ImportRow) -> date:
    assert row.body is not None
    return datetime.fromisoformat(row.body["received_at"]).astimezone(NEW_YORK).date()


def test_the_exchanged_dates_are_noticed() -> None:
    with pytest.raises(InvalidContent) as caught:
        carrier()
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.parameter) == ("", "dates")
    assert "609 of 2,224 dates can be read both ways" in fault.message
    assert "37 of them mean the same either way" in fault.message
    assert "run from 2015-04-13 to 2015-06-30" in fault.message
    assert "'04-08-15 10:22:56 AM' is 2015-08-04 as written, 2015-04-08 exchanged" in fault.message


def test_repaired_the_dates_are_a_quarter_without_a_gap() -> None:
    repaired = carrier(("dates", "swap_ambiguous"), ("set.attributes.part", "1"))
    by_day = Counter(local_day(row) for row in repaired if row.body)
    assert sorted(by_day) == [date(2015, 4, 1) + timedelta(days=n) for n in range(91)]
    assert (by_day[date(2015, 6, 23)], by_day[date(2015, 6, 24)]) == (190, 218)


def test_the_repair_touches_the_609_ambiguous_rows_alone() -> None:
    written = [local_day(row) for row in carrier(("dates", "as_written")) if row.body]
    repaired = [local_day(row) for row in carrier(("dates", "swap_ambiguous")) if row.body]
    pairs = list(zip(written, repaired, strict=True))
    assert sum(before.day <= 12 for before, _ in pairs) == 609
    assert sum(before != after for before, after in pairs) == 609 - 37
    assert all(before == after for before, after in pairs if before.day > 12)


def test_the_ticket_that_is_no_number_is_reported_by_row() -> None:
    (failed,) = [row for row in carrier(("dates", "swap_ambiguous")) if row.faults]
    assert (failed.number, failed.line) == (1035, 1036)
    assert failed.faults[0].pointer == "/external_id"
    assert "'comcas'" in failed.faults[0].message


def test_the_format_read_the_american_way_is_noticed() -> None:
    options = [option for option in CARRIER if option[0] != "date_format"]
    with pytest.raises(InvalidContent, match=r"1,615 of 2,224 dates do not read as %m-%d-%y"):
        load("comcast_fcc_complaints_2015.csv", CSV, *options, ("date_format", "%m-%d-%y %I:%M:%S %p"))


def test_what_is_not_mapped_is_kept_as_it_is() -> None:
    row = carrier(("dates", "swap_ambiguous"))[0]
    assert row.body == {
        "channel": "phone",
        "subject": "Comcast Cable Internet Speeds",
        "external_id": "250635",
        "received_at": "2015-04-22T19:53:50Z",
        "attributes": {
            "Date_month_year": "22-Apr-15",
            "Received Via": "Customer Care Call",
            "City": "Abingdon",
            "State": "Maryland",
            "Zip code": "21009",
            "Status": "Closed",
            "Filing on Behalf of Someone": "No",
        },
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([("history", "true")], {"closed": 2223, "failed": 1}),
        ([("map.status", "Status")], {"closed": 733, "failed": 1491}),
        (
            [
                ("map.status", "Status"),
                ("map_value.status:solved", "closed"),
                ("map_value.status:open", "received"),
                ("map_value.status:pending", "received"),
            ],
            {"closed": 1706, "open": 517, "failed": 1},
        ),
    ],
)
def test_the_status_of_the_tickets_tells_which_have_ended(
    options: list[tuple[str, str]], expected: dict[str, int]
) -> None:
    rows = carrier(("dates", "swap_ambiguous"), *options)
    found = Counter("failed" if row.body is None else row.body.get("status", "open") for row in rows)
    assert found == expected


def test_repeated_titles_are_no_duplicates_even_without_an_id() -> None:
    options = [option for option in CARRIER if "external_id" not in option[0]]
    rows = load("comcast_fcc_complaints_2015.csv", CSV, *options, ("dates", "swap_ambiguous"))
    assert not any(row.faults for row in rows)
    assert len({row.digest for row in rows}) == 2224


def test_every_dialogue_but_the_one_without_a_date_is_taken() -> None:
    rows = load("zh_telecom_helpdesk_weibo.jsonl", NDJSON, *HELPDESK)
    assert len(rows) == 2275
    (failed,) = [row for row in rows if row.faults]
    assert [(fault.pointer, fault.message) for fault in failed.faults] == [
        ("/received_at", "received_at is mapped but empty")
    ]
    bodies = [row.body for row in rows if row.body]
    assert all(0 < len(body["subject"]) <= 500 for body in bodies)
    assert len({body["external_id"] for body in bodies}) == 2274
    assert bodies[0]["received_at"] == "2015-04-11T03:18:17Z"
    assert bodies[0]["attributes"]["quality_mean"]["S"] == -0.526
