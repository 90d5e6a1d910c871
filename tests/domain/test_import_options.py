"""The options of an import, as a query and as the command line give them."""

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.options import (
    Dates,
    ImportOptions,
    MemberKind,
    RepeatedIds,
    Unmapped,
    find_member,
    parse_options,
    speak_as_command,
)


def refused(*query: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(InvalidContent) as caught:
        parse_options(query)
    return {fault.parameter or "": fault.message for fault in caught.value.faults}


def test_without_options_nothing_is_mapped_and_everything_unclear_is_asked() -> None:
    assert parse_options([]) == ImportOptions(
        mapping={},
        constants={},
        expect={},
        unmapped=Unmapped.REFUSE,
        dates=Dates.ASK,
        repeated_ids=RepeatedIds.ASK,
    )


def test_every_option_is_taken() -> None:
    options = parse_options(
        [
            ("map.subject", "Customer Complaint"),
            ("map.received_at", "Date+Time"),
            ("map.phone", "Caller"),
            ("set.channel", "phone"),
            ("set.attributes.import.batch", "2015"),
            ("expect.external_id", r"\d+"),
            ("date_format", "%d-%m-%y %I:%M:%S %p"),
            ("timezone", "America/New_York"),
            ("unmapped", "attributes"),
            ("dates", "swap_ambiguous"),
            ("repeated_ids", "accept"),
        ]
    )
    assert options.mapping == {
        "subject": "Customer Complaint",
        "received_at": "Date+Time",
        "complainant.phone": "Caller",
    }
    assert options.constants == {"channel": "phone", "attributes.import.batch": "2015"}
    assert options.expect == {"external_id": r"\d+"}
    assert (options.date_format, options.timezone) == ("%d-%m-%y %I:%M:%S %p", "America/New_York")
    assert options.unmapped is Unmapped.ATTRIBUTES
    assert options.dates is Dates.SWAP_AMBIGUOUS
    assert options.repeated_ids is RepeatedIds.ACCEPT


@pytest.mark.parametrize("short", ["name", "phone", "email", "account_no"])
def test_the_complainants_members_have_short_names(short: str) -> None:
    member = find_member(short)
    assert member is not None
    assert member.name == f"complainant.{short}"
    assert member == find_member(f"complainant.{short}")


def test_the_rest_of_an_attributes_name_is_its_key() -> None:
    member = find_member("attributes.cell/site.no")
    assert member is not None
    assert member.path == ("attributes", "cell/site.no")
    assert member.pointer == "/attributes/cell~1site.no"
    assert member.kind is MemberKind.JSON


@pytest.mark.parametrize(
    "name", ["number", "id", "attributes.", "complainant.age", "attributes." + "k" * 201, ""]
)
def test_what_the_server_owns_or_does_not_know_is_no_member(name: str) -> None:
    assert find_member(name) is None


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ([("map.subjet", "Title")], "map.subjet", "Did you mean 'subject'?"),
        ([("map.number", "No")], "map.number", "no member 'number'"),
        ([("map.subject", " ")], "map.subject", "no value"),
        ([("map.subject", "a"), ("map.subject", "b")], "map.subject", "given twice"),
        ([("map.name", "a"), ("map.complainant.name", "b")], "map.complainant.name", "given twice"),
        ([("map.channel", "a"), ("set.channel", "phone")], "set.channel", "both mapped and set"),
        ([("dateformat", "%d")], "dateformat", "Did you mean 'date_format'?"),
        ([("dry_run", "true")], "dry_run", "expect.<member>, map_value.<member>:<word>, date_format"),
        ([("map.", "a")], "map.", "unknown option"),
        ([("unmapped", "keep")], "unmapped", "refuse, ignore, attributes"),
        ([("dates", "swap")], "dates", "ask, as_written, swap_ambiguous"),
        ([("repeated_ids", "no")], "repeated_ids", "ask, accept"),
        ([("timezone", "")], "timezone", "no value"),
        ([("timezone", "UTC"), ("timezone", "UTC")], "timezone", "given twice"),
        ([("map.a/b~c", "x")], "map.a/b~c", "no member"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    query: list[tuple[str, str]], parameter: str, words: str
) -> None:
    faults = refused(*query)
    assert list(faults) == [parameter]
    assert words in faults[parameter]


def test_all_that_is_wrong_is_reported_at_once() -> None:
    assert set(refused(("map.x", "1"), ("set.y", "2"), ("zone", "3"), ("dates", "4"))) == {
        "map.x", "set.y", "zone", "dates",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "spoken"),
    [
        ("map.status: a complaint has no member", "--map status: a complaint has no member"),
        (
            "give map.channel=<column> or set.channel=<value>",
            "give --map channel=<column> or --set channel=<value>",
        ),
        ("unmapped: give unmapped=ignore", "--unmapped: give --unmapped ignore"),
        ("with date_format=excel (--date-format excel) it is", "with --date-format excel it is"),
        ("dates=swap_ambiguous (--dates swap_ambiguous) exchanges", "--dates swap_ambiguous exchanges"),
        ("map_value.status:Done: status is not mapped", "--map-value status:Done: status is not mapped"),
        ("2 of 9 dates can be read; roadmap.md", "2 of 9 dates can be read; roadmap.md"),
    ],
)
def test_a_refusal_names_the_options_of_the_command_line(message: str, spoken: str) -> None:
    refusal = speak_as_command(InvalidContent.at("map.status", message))
    assert (refusal.detail, [(fault.pointer, fault.message) for fault in refusal.faults]) == (
        spoken,
        [("", spoken)],
    )
