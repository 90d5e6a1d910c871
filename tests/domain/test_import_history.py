"""Rule 2.14: which complaints of a file have ended, and how the words of a file are translated."""

import json

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV, NDJSON, ImportRow, open_import, parse_options

STATUS = ("map.status", "State")
CLOSED = ("map.closed_at", "Done")
AT = "2026-01-02T03:04:05Z"
KEEP = ("unmapped", "attributes")


def read(header: str, line: str, *options: tuple[str, str]) -> ImportRow:
    content = f"subject,{header}\nx,{line}\n".encode()
    chosen = parse_options([("set.channel", "web"), *options])
    (row,) = open_import(content, media_type=CSV, charset=None, options=chosen).rows()
    return row


def refused(*options: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidContent) as caught:
        read("State", "Closed", STATUS, *options)
    return {fault.parameter or "": fault.message for fault in caught.value.faults}


def ended(body: object) -> dict[str, object]:
    assert isinstance(body, dict)
    return {name: value for name, value in body.items() if name not in ("channel", "subject")}


@pytest.mark.parametrize(
    ("header", "line", "options", "expected"),
    [
        ("State", "Closed", [STATUS], {"status": "closed"}),
        ("State", " REJECTED ", [STATUS], {"status": "rejected"}),
        ("State", "Open", [STATUS, ("map-value.status:open", "received")], {"attributes": {"State": "Open"}}),
        ("State", "investigating", [STATUS], {"attributes": {"State": "investigating"}}),
        ("State", "Received", [STATUS], {}),
        ("State", "", [STATUS], {}),
        (
            "State",
            "Erledigt  und weg",
            [STATUS, ("map_value.status:erledigt und weg", "closed")],
            {"status": "closed", "attributes": {"State": "Erledigt  und weg"}},
        ),
        ("State,Done", f"Closed,{AT}", [STATUS, CLOSED], {"status": "closed", "closed_at": AT}),
        ("State,Done", "Closed,", [STATUS, CLOSED], {"status": "closed"}),
        ("State,Done", f"On_hold,{AT}", [STATUS, CLOSED], {"attributes": {"State": "On_hold", "Done": AT}}),
        ("Done", AT, [CLOSED], {"status": "closed", "closed_at": AT}),
        ("Done", "", [CLOSED], {}),
        ("Done", "N/A", [CLOSED, ("map_value.closed_at:n/a", "")], {"attributes": {"Done": "N/A"}}),
        ("City", "Bonn", [KEEP, ("history", "true")], {"status": "closed", "attributes": {"City": "Bonn"}}),
        ("City", "Bonn", [KEEP, ("set.status", "withdrawn")], {"status": "withdrawn", "attributes": {"City": "Bonn"}}),
        ("status,outcome", "closed,upheld", [("history", "1")], {"status": "closed", "outcome": "upheld"}),
        ("status,team", "Erledigt,Nord", [KEEP], {"attributes": {"status": "Erledigt", "team": "Nord"}}),
        ("Team", "Nord", [("map.team", "Team"), ("map_value.team:NORD", "operations")], {"team": "operations"}),
    ],
)  # fmt: skip
def test_status_and_closing_time_tell_what_has_ended(
    header: str, line: str, options: list[tuple[str, str]], expected: dict[str, object]
) -> None:
    row = read(header, line, *options)
    assert (row.faults, ended(row.body)) == ((), expected)


@pytest.mark.parametrize("word", ["Erledigt", "merged", "open"])
def test_a_word_that_is_no_status_fails_its_row_and_names_the_option(word: str) -> None:
    [fault] = read("State", word, STATUS).faults
    assert fault.pointer == "/status"
    assert f"--map-value status:'{word}'=closed" in fault.message


@pytest.mark.parametrize(
    ("member", "word", "value", "expected"),
    [
        ("channel", "Open Data", "phone", "phone"),
        ("severity", "Sehr hoch", "critical", "critical"),
        ("priority", "P1", "urgent", "urgent"),
        ("priority", "None", "", None),
        ("category", "Netz", "network", "network"),
        ("region", "Berlin", "DE-BE", "DE-BE"),
        ("complainant.vulnerable", "ja", "yes", True),
        ("complainant.preferred_contact", "Anruf", "phone", "phone"),
    ],
)
def test_a_word_of_the_file_is_translated(member: str, word: str, value: str, expected: object) -> None:
    content = json.dumps({"subject": "x", "Word": word.upper()}).encode()
    options = [(f"map.{member}", "Word"), (f"map_value.{member}:{word}", value)]
    options += [("set.channel", "web")] if member != "channel" else []
    file = open_import(content, media_type=NDJSON, charset=None, options=parse_options(options))
    (row,) = file.rows()
    assert row.faults == ()
    assert row.body is not None
    found = row.body
    for part in member.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else found
    assert (found or None) == expected


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("map_value.status:Closed", "over", "is 'over', which is none of"),
        ("map_value.status:Closed", "merged", "which is none of"),
        ("map_value.channel:Phone", "web", "is not mapped"),
        ("map_value.colour:red", "blue", "no member 'colour'"),
        ("map_value.tags:red", "blue", "cannot be translated"),
        ("map_value.status", "closed", "names no word"),
        ("map_value.status: ", "closed", "names no word"),
        ("history", "perhaps", "true or false"),
    ],
)
def test_an_option_that_no_row_could_use_is_refused(name: str, value: str, words: str) -> None:
    [(parameter, message)] = refused((name, value)).items()
    assert words in message
    assert parameter.startswith(name.partition(":")[0])


def test_a_word_is_translated_once() -> None:
    options = [("map_value.status:Done", "closed"), ("map-value.status:done ", "rejected")]
    assert "given twice" in refused(*options)["map-value.status:done "]
