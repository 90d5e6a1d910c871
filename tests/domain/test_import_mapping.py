"""From columns to create bodies, by options alone."""

import json
from typing import Any

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.import_file import CSV, NDJSON, ImportRow, open_import, parse_options

Options = list[tuple[str, str]]


def rows(content: str, options: Options, *, media_type: str = CSV) -> list[ImportRow]:
    file = open_import(content.encode(), media_type=media_type, charset=None, options=parse_options(options))
    return list(file.rows())


def csv_row(header: str, line: str, *options: tuple[str, str]) -> ImportRow:
    (row,) = rows(f"{header}\n{line}\n", list(options))
    return row


def json_row(values: object, *options: tuple[str, str]) -> ImportRow:
    (row,) = rows(json.dumps(values), list(options), media_type=NDJSON)
    return row


def refused(content: str, options: Options, *, media_type: str = CSV) -> dict[str, str]:
    with pytest.raises(InvalidContent) as caught:
        rows(content, options, media_type=media_type)
    return {fault.parameter or "": fault.message for fault in caught.value.faults}


def test_columns_called_like_members_need_no_option() -> None:
    header = (
        "channel,subject,description,source,external_id,received_at,severity,category,priority,region,"
        "first_owner,name,phone,complainant.email,account_no,complainant.preferred_contact,complainant.language,"
        "complainant.vulnerable,reporter.name,service.type,service.id,tags,attributes.cell"
    )
    line = (
        "phone,No signal,Since Monday,cc-north,CALL-88123,2026-11-22T01:15:00Z,high,network.outage,urgent,"
        "CN-31,li.wei,Wang,+8613800000000,w@e.org,A1,phone,zh-CN,Yes,Li,mobile,M1,vip; again|angry,SH-0423"
    )
    assert csv_row(header, line).body == {
        "channel": "phone",
        "subject": "No signal",
        "description": "Since Monday",
        "source": "cc-north",
        "external_id": "CALL-88123",
        "received_at": "2026-11-22T01:15:00Z",
        "severity": "high",
        "category": "network.outage",
        "priority": "urgent",
        "region": "CN-31",
        "first_owner": "li.wei",
        "complainant": {
            "name": "Wang",
            "phone": "+8613800000000",
            "email": "w@e.org",
            "account_no": "A1",
            "preferred_contact": "phone",
            "language": "zh-CN",
            "vulnerable": True,
        },
        "reporter": {"name": "Li"},
        "service": {"type": "mobile", "id": "M1"},
        "tags": ["vip", "again", "angry"],
        "attributes": {"cell": "SH-0423"},
    }


def test_a_create_body_a_line_needs_no_option() -> None:
    body = {
        "channel": "phone",
        "subject": "No signal",
        "received_at": "2026-11-22T09:15:00+08:00",
        "complainant": {"name": "Wang", "vulnerable": False},
        "service": {"type": "mobile"},
        "tags": ["vip"],
        "attributes": {"cell": {"id": 423}},
    }
    assert json_row({**body, "priority": None, "reporter": None}).body == {
        **body,
        "received_at": "2026-11-22T01:15:00Z",
    }


def test_texts_are_trimmed_and_empty_ones_absent() -> None:
    row = csv_row("channel,subject,description,name,tags", " web , No signal ,  ,,;|")
    assert row.body == {"channel": "web", "subject": "No signal"}


def test_a_column_an_option_uses_does_not_feed_its_namesake_too() -> None:
    row = csv_row("channel,description", "web,No signal", ("map.subject", "description"))
    assert row.body == {"channel": "web", "subject": "No signal"}


def test_a_member_set_does_not_take_its_column() -> None:
    options = [("set.channel", "phone"), ("unmapped", "ignore")]
    assert csv_row("channel,subject", "Call,x", *options).body == {"channel": "phone", "subject": "x"}
    assert "'channel'" in refused("channel,subject\nCall,x\n", options[:1])["unmapped"]


@pytest.mark.parametrize(
    ("header", "expression", "expected"),
    [
        ("A,B", "A+B", "1 2"),
        ("A,B", " A + B ", "1 2"),
        ("A,B", "B+A", "2 1"),
        ("A+B,C", "A+B", "1"),
        ("A+B,C", "A+B+C", "1 2"),
        ("A,B+C", "A+B+C", "1 2"),
        ("A,A+B", "A+B", "2"),
        ("A,B", "A+A", "1 1"),
    ],
)
def test_columns_are_joined_by_a_space(header: str, expression: str, expected: str) -> None:
    row = csv_row(header, "1,2", ("map.subject", expression), ("set.channel", "web"), ("unmapped", "ignore"))
    assert row.body == {"channel": "web", "subject": expected}


def test_an_empty_column_leaves_no_space_in_a_join() -> None:
    assert csv_row("channel,A,B", "web,,2", ("map.subject", "A+B")).body == {"channel": "web", "subject": "2"}


DIALOGUE: dict[str, Any] = {
    "id": 3830401296796826,
    "lang": "zh",
    "created": "2015-04-11T11:18:17+08:00",
    "turns": [{"sender": "customer", "text": " 没有信号 "}, {"sender": "helpdesk", "text": "您好"}],
    "score": {"S": -0.5},
    "nothing": None,
}
DIALOGUE_OPTIONS = [
    ("map.subject", "turns.0.text"),
    ("map.external_id", "id"),
    ("map.received_at", "created"),
    ("map.complainant.language", "lang"),
    ("set.channel", "social"),
]


def test_a_path_leads_into_an_object() -> None:
    body = json_row(DIALOGUE, *DIALOGUE_OPTIONS, ("unmapped", "ignore")).body
    assert body == {
        "channel": "social",
        "subject": "没有信号",
        "external_id": "3830401296796826",
        "received_at": "2015-04-11T03:18:17Z",
        "complainant": {"language": "zh"},
    }


def test_unmapped_members_are_kept_as_they_are_and_one_mapped_in_part_whole() -> None:
    body = json_row(DIALOGUE, *DIALOGUE_OPTIONS, ("unmapped", "attributes")).body
    assert body is not None
    assert body["attributes"] == {"turns": DIALOGUE["turns"], "score": {"S": -0.5}}


def test_only_what_no_option_touches_is_undecided() -> None:
    assert (
        "columns 'score', 'nothing': map them"
        in refused(json.dumps(DIALOGUE), DIALOGUE_OPTIONS, media_type=NDJSON)["unmapped"]
    )


def test_a_path_may_end_in_any_row() -> None:
    content = json.dumps({**DIALOGUE, "turns": []}) + "\n" + json.dumps(DIALOGUE)
    options = [*DIALOGUE_OPTIONS, ("unmapped", "ignore"), ("repeated_ids", "accept")]
    short, whole = rows(content, options, media_type=NDJSON)
    assert short.body is not None
    assert "subject" not in short.body
    assert whole.body is not None
    assert whole.body["subject"] == "没有信号"


@pytest.mark.parametrize(
    "path", ["turns.7.text", "turns.0.txt", "turns.x", "score.S.T", "turns." + "9" * 5000]
)
def test_a_path_that_leads_nowhere_in_all_rows_is_refused(path: str) -> None:
    options = [*DIALOGUE_OPTIONS, ("map.description", path), ("unmapped", "ignore")]
    assert "no row has" in refused(json.dumps(DIALOGUE), options, media_type=NDJSON)["map.description"]


def test_a_path_to_more_than_a_value_fails_the_row() -> None:
    row = json_row(DIALOGUE, *DIALOGUE_OPTIONS, ("map.description", "turns.0"), ("unmapped", "ignore"))
    assert [fault.pointer for fault in row.faults] == ["/description"]
    assert "name a path into it" in row.faults[0].message


def test_a_member_whose_name_has_a_dot_is_found_before_a_path() -> None:
    row = json_row(
        {"channel": "web", "a.b": "exact", "a": {"b": "path"}}, ("map.subject", "a.b"), ("unmapped", "ignore")
    )
    assert row.body == {"channel": "web", "subject": "exact"}


def test_inner_members_are_put_into_an_object_given_whole() -> None:
    row = json_row(
        {"channel": "web", "subject": "x", "complainant": {"name": "Wang"}, "tel": 12345, "cell": "SH-1"},
        ("map.phone", "tel"),
        ("map.attributes.cell", "cell"),
        ("set.complainant.language", "zh"),
    )
    assert row.body == {
        "channel": "web",
        "subject": "x",
        "complainant": {"name": "Wang", "phone": "12345", "language": "zh"},
        "attributes": {"cell": "SH-1"},
    }


@pytest.mark.parametrize("value", ["Wang", 5, ["x"]])
def test_an_object_that_is_none_fails_the_row(value: object) -> None:
    row = json_row({"channel": "web", "subject": "x", "complainant": value})
    assert [(fault.pointer, fault.message) for fault in row.faults] == [
        ("/complainant", "complainant is no object")
    ]


def test_a_foreign_status_goes_to_the_attributes_only() -> None:
    row = csv_row("channel,subject,Status,City", "web,x,Closed,", ("unmapped", "attributes"))
    assert row.body == {"channel": "web", "subject": "x", "attributes": {"Status": "Closed"}}


def test_kept_columns_join_the_attributes_given() -> None:
    values = {"channel": "web", "subject": "x", "attributes": {"cell": 1}, "zip": "03110"}
    body = json_row(values, ("unmapped", "attributes")).body
    assert body == {"channel": "web", "subject": "x", "attributes": {"cell": 1, "zip": "03110"}}


def test_an_attribute_and_a_kept_column_of_one_name_are_refused() -> None:
    options = [("unmapped", "attributes"), ("set.attributes.zip", "1")]
    assert "'zip'" in refused("channel,subject,zip\nweb,x,2\n", options)["unmapped"]
    row = json_row({"channel": "web", "subject": "x", "attributes": {"zip": 1}, "zip": 2}, options[0])
    assert [fault.pointer for fault in row.faults] == ["/attributes"]


def test_attributes_have_limits() -> None:
    options = [("unmapped", "attributes")]
    row = csv_row("channel,subject,Log", f"web,x,{'y' * 1_048_577}", *options)
    assert "more than 1 MiB" in row.faults[0].message
    long = "k" * 201
    assert "too long" in refused(f"channel,subject,{long}\nweb,x,1\n", options)["unmapped"]


LONG = "没" * 600


def test_a_long_subject_is_cut_where_the_description_has_it_whole() -> None:
    body = csv_row("channel,Text", f"web,{LONG}", ("map.subject", "Text"), ("map.description", "Text")).body
    assert body == {"channel": "web", "subject": "没" * 499 + "…", "description": LONG}
    exact = csv_row(
        "channel,Text", f"web,{LONG[:500]}", ("map.subject", "Text"), ("map.description", "Text")
    ).body
    assert exact is not None
    assert exact["subject"] == LONG[:500]


def test_a_long_subject_is_left_to_be_refused_where_nothing_else_has_it() -> None:
    body = csv_row("channel,subject,description", f"web,{LONG},short").body
    assert body is not None
    assert body["subject"] == LONG


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("YES", True), ("1", True), ("False", False), ("no", False), ("0", False)],
)
def test_a_flag_is_read(text: str, expected: bool) -> None:
    row = csv_row("channel,subject,complainant.vulnerable", f"web,x,{text}")
    assert row.body == {"channel": "web", "subject": "x", "complainant": {"vulnerable": expected}}


def test_a_flag_that_is_none_fails_the_row() -> None:
    row = csv_row("channel,subject,complainant.vulnerable", "web,x,maybe")
    assert row.faults[0].pointer == "/complainant/vulnerable"
    assert "true, yes, 1, false, no, 0" in row.faults[0].message


@pytest.mark.parametrize(
    ("header", "text", "expected"),
    [
        ("priority", "High", {"priority": "high"}),
        ("severity", " CRITICAL ", {"severity": "critical"}),
        ("severity", "Ｌｏｗ", {"severity": "low"}),
        ("channel", "PHONE", {"channel": "phone"}),
        ("channel", "On-Site", {"channel": "on_site"}),
        ("channel", "E-Mail", {"channel": "email"}),
        ("complainant.preferred_contact", "SMS", {"complainant": {"preferred_contact": "sms"}}),
        ("channel", "Fax", {"channel": "Fax"}),
        ("channel", "-", {"channel": "-"}),
        *(
            ("complainant.vulnerable", text, {"complainant": {"vulnerable": text in "Y T ｙｅｓ 是 √"}})
            for text in ("Y", "T", "ｙｅｓ", "是", "√", "N", "F", "否", "OFF")
        ),
    ],
)
def test_words_are_read_in_any_case_and_form(header: str, text: str, expected: dict[str, Any]) -> None:
    row = csv_row(
        f"subject,{header}", f"x,{text}", *([] if header == "channel" else [("set.channel", "Web")])
    )
    assert row.body == {"subject": "x", "channel": "web"} | expected


def test_constants_are_read_like_columns() -> None:
    options = [
        ("set.channel", "phone"),
        ("set.tags", "import;2015"),
        ("set.complainant.vulnerable", "yes"),
        ("set.attributes.batch", "7"),
        ("set.received_at", "2015-04-22T10:00:00+02:00"),
    ]
    first, second = rows("subject\nx\ny\n", options)
    assert first.body == {
        "subject": "x",
        "channel": "phone",
        "tags": ["import", "2015"],
        "complainant": {"vulnerable": True},
        "attributes": {"batch": "7"},
        "received_at": "2015-04-22T08:00:00Z",
    }
    assert second.body is not None
    assert second.body["tags"] is not first.body["tags"]


@pytest.mark.parametrize(
    ("options", "parameter", "words"),
    [
        ([("set.channel", "Internet")], "set.channel", "it is one of phone, web"),
        ([("set.severity", "bad")], "set.severity", "critical, high, normal, low"),
        ([("set.received_at", "yesterday")], "set.received_at", "no RFC 3339 time"),
        ([("set.complainant.vulnerable", "maybe")], "set.complainant.vulnerable", "it is one of true"),
        ([("set.complainant", "Wang")], "set.complainant", "no member that can be set"),
        ([("map.region", "Cities")], "map.region", "Did you mean 'City'?"),
        ([("map.region", "City+Stat")], "map.region", "no column 'Stat'. Did you mean 'State'?"),
        ([("map.region", "City State")], "map.region", "To join columns write +, in a URL %2B"),
        ([("map.region", "+".join(["City"] * 13))], "map.region", "at most 12 columns"),
        ([("map.complainant", "City")], "map.complainant", "map its members one by one"),
        ([("expect.external_id", r"\d+")], "expect.external_id", "not mapped"),
        ([("expect.subject", "(a+)+")], "expect.subject", "too long"),
        ([("expect.subject", "(")], "expect.subject", "no regular expression"),
        ([("timezone", "Mars/Base")], "timezone", "IANA"),
        ([("date_format", "%d-%m-%y")], "timezone", "has no %z"),
        ([("date_format", "%d-%m"), ("timezone", "UTC")], "date_format", "a year"),
    ],
)
def test_options_that_do_not_fit_are_refused_at_once(options: Options, parameter: str, words: str) -> None:
    faults = refused("channel,subject,City,State\nweb,x,a,b\n", [*options, ("unmapped", "ignore")])
    assert list(faults) == [parameter]
    assert words in faults[parameter]


def test_channel_and_subject_must_come_from_somewhere_and_every_column_go_somewhere() -> None:
    faults = refused("Title,City\nx,y\n", [])
    assert set(faults) == {"map.channel", "map.subject", "unmapped"}
    assert faults["map.channel"] == (
        "map.channel: channel is neither mapped nor set: give map.channel=<column> or set.channel=<value>"
    )
    assert faults["unmapped"] == (
        "unmapped: nothing says what to do with the columns 'Title', 'City': map them, or give "
        "unmapped=attributes to keep them or unmapped=ignore to leave them out"
    )
    assert refused("channel,subject,Extra\nweb,x,y\n", [])["unmapped"] == (
        "unmapped: nothing says what to do with the column 'Extra': map it, or give "
        "unmapped=attributes to keep it or unmapped=ignore to leave it out"
    )


def test_two_columns_for_one_member_are_refused() -> None:
    faults = refused("channel,subject,name,complainant.name\nweb,x,a,b\n", [])
    assert "both mean complainant.name" in faults["map.complainant.name"]


def test_an_object_in_a_csv_column_is_no_member() -> None:
    assert "'complainant'" in refused("channel,subject,complainant\nweb,x,Wang\n", [])["unmapped"]


# Rows that fail


def test_a_value_that_does_not_match_what_is_expected_fails_its_row() -> None:
    content = "channel,subject,external_id\nweb,x,250635\nweb,y,comcas\nweb,z,\n"
    good, bad, empty = rows(content, [("expect.external_id", r"\d+")])
    assert good.body is not None
    assert good.body["external_id"] == "250635"
    assert [(fault.pointer, fault.message) for fault in bad.faults] == [
        ("/external_id", r"external_id is 'comcas', which does not match the expected \d+")
    ]
    assert [fault.pointer for fault in empty.faults] == ["/external_id"]


def test_a_value_too_long_to_be_compared_says_so() -> None:
    row = csv_row("channel,subject", "web," + "1" * 201, ("expect.subject", r"\d+"))
    assert "at most 200 characters are compared" in row.faults[0].message
    assert len(row.faults[0].message) < 200


def test_an_empty_or_unreadable_date_fails_its_row() -> None:
    content = "channel,subject,When\nweb,x,\nweb,y,soon\nweb,z,22-04-15 10:00\n"
    options = [("map.received_at", "When"), ("date_format", "%d-%m-%y %H:%M"), ("timezone", "Asia/Shanghai")]
    empty, unreadable, good = rows(content, options)
    assert [(fault.pointer, fault.message) for fault in empty.faults] == [
        ("/received_at", "received_at is mapped but empty")
    ]
    assert unreadable.faults[0].message == "received_at is 'soon': it does not read as %d-%m-%y %H:%M"
    assert good.body is not None
    assert good.body["received_at"] == "2015-04-22T02:00:00Z"


def test_a_null_date_fails_its_row_and_a_body_without_one_does_not() -> None:
    content = "\n".join(
        json.dumps({"channel": "web", "subject": "x", **date})
        for date in ({"received_at": None}, {}, {"received_at": "2015-04-22T10:00:00Z"})
    )
    null, absent, given = rows(content, [], media_type=NDJSON)
    assert [fault.message for fault in null.faults] == ["received_at is mapped but empty"]
    assert absent.body == {"channel": "web", "subject": "x"}
    assert given.faults == ()


def test_a_mapped_date_that_is_absent_fails_its_row() -> None:
    content = (
        '{"channel": "web", "subject": "x", "at": "2015-04-22T10:00:00Z"}\n{"channel": "web", "subject": "y"}'
    )
    _, absent = rows(content, [("map.received_at", "at")], media_type=NDJSON)
    assert [fault.message for fault in absent.faults] == ["received_at is mapped but empty"]


def test_a_time_without_offset_fails_its_row_unless_a_zone_is_given() -> None:
    header, line = "channel,subject,received_at", "web,x,2015-04-22T10:00:00"
    assert "no offset" in csv_row(header, line).faults[0].message
    body = csv_row(header, line, ("timezone", "Europe/Berlin")).body
    assert body is not None
    assert body["received_at"] == "2015-04-22T08:00:00Z"


def test_all_faults_of_a_row_are_reported() -> None:
    row = csv_row("channel,subject,received_at,complainant.vulnerable", "web,x,soon,maybe")
    assert {fault.pointer for fault in row.faults} == {"/received_at", "/complainant/vulnerable"}
    assert row.body is None


# What only the file as a whole tells


def dated(dates: list[str], options: Options) -> list[ImportRow]:
    content = "channel,subject,When\n" + "".join(
        f"web,{number},{text}\n" for number, text in enumerate(dates)
    )
    return rows(content, [("map.received_at", "When"), ("timezone", "UTC"), *options])


SPREADSHEET = [
    f"{month:02}/{day:02}/15" if day <= 12 else f"{day:02}/{month:02}/15"
    for month in (4, 5, 6)
    for day in range(1, 31)
]
EUROPEAN = ("date_format", "%d/%m/%y")
AMERICAN = ("date_format", "%m/%d/%y")


def test_exchanged_day_and_month_are_refused_with_both_readings_and_the_choice() -> None:
    with pytest.raises(InvalidContent) as caught:
        dated(SPREADSHEET, [EUROPEAN])
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.parameter) == ("", "dates")
    assert "36 of 90 dates can be read both ways" in fault.message
    assert "run from 2015-04-13 to 2015-06-30" in fault.message
    assert "row 1 '04/01/15' is 2015-01-04 as written, 2015-04-01 exchanged" in fault.message
    assert "dates=swap_ambiguous" in fault.message
    assert "dates=as_written" in fault.message


def received(rows: list[ImportRow]) -> list[str]:
    return [row.body["received_at"][:10] for row in rows if row.body]


def test_exchanged_day_and_month_are_repaired_or_kept_as_decided() -> None:
    repaired = received(dated(SPREADSHEET, [EUROPEAN, ("dates", "swap_ambiguous")]))
    assert repaired == [f"2015-{month:02}-{day:02}" for month in (4, 5, 6) for day in range(1, 31)]
    kept = received(dated(SPREADSHEET, [EUROPEAN, ("dates", "as_written")]))
    assert kept[:2] == ["2015-01-04", "2015-02-04"]


def test_an_american_file_is_judged_alike() -> None:
    american = [
        f"{day:02}/{month:02}/15" if day <= 12 else f"{month:02}/{day:02}/15"
        for month in (4, 5, 6)
        for day in range(1, 31)
    ]
    with pytest.raises(InvalidContent, match="look exchanged"):
        dated(american, [AMERICAN])
    proper = [f"{month}/{day}/15" for month in range(1, 13) for day in range(1, 29)]
    assert all(row.body for row in dated(proper, [AMERICAN]))


def test_a_format_with_day_and_month_in_the_wrong_order_is_refused() -> None:
    proper = [f"{month}/{day}/15" for month in range(1, 13) for day in range(1, 29)]
    with pytest.raises(InvalidContent) as caught:
        dated(proper, [EUROPEAN])
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.parameter) == ("", "date_format")
    assert "192 of 336 dates do not read as %d/%m/%y, but do as %m/%d/%y" in fault.message
    assert sum(not row.faults for row in dated(proper, [EUROPEAN, ("dates", "as_written")])) == 144


def test_a_few_unreadable_dates_are_their_rows_faults() -> None:
    dates = [f"{day}/4/15" for day in range(1, 31)] + ["4/13/15", "4/14/15", "4/15/15"]
    assert [row.number for row in dated(dates, [EUROPEAN]) if row.faults] == [31, 32, 33]


def test_an_id_that_is_none_is_refused_unless_accepted() -> None:
    content = "channel,subject,City\n" + "".join(f"web,{n},{'ABC'[n % 3]}\n" for n in range(30))
    options = [("map.external_id", "City")]
    with pytest.raises(InvalidContent) as caught:
        rows(content, options)
    (fault,) = caught.value.faults
    assert (fault.pointer, fault.parameter) == ("", "repeated_ids")
    assert "27 of 30 rows repeat an id" in fault.message
    assert "row 4 'A', row 5 'B' (first in row 1 and row 2)" in fault.message
    assert len(rows(content, [*options, ("repeated_ids", "accept")])) == 30


@pytest.mark.parametrize("rows_of_each", [1, 2, 5])
def test_rows_that_are_there_several_times_are_no_wrong_id(rows_of_each: int) -> None:
    content = "channel,subject,external_id\n" + "".join(f"web,{n},{n}\n" for n in range(30)) * rows_of_each
    assert len(rows(content, [])) == 30 * rows_of_each


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["00123", "00123"], "1 of 2 rows repeat an id that another row gave with other content"),
        (["1.38E+14"] * 9, "8 of 9 rows repeat an id that is none, or that a spreadsheet rounded"),
        (["N/A 7", "N/A 7"], "e.g. row 2 'N/A 7' (first in row 1)"),
        (["0", "1", "0"], "e.g. row 3 '0' (first in row 1)"),
    ],
)
def test_an_id_of_two_rows_is_asked_about(ids: list[str], words: str) -> None:
    content = "channel,subject,external_id\n" + "".join(f"web,s{n},{text}\n" for n, text in enumerate(ids))
    assert words in refused(content, [])["repeated_ids"]
    assert len(rows(content, [("repeated_ids", "accept")])) == len(ids)


LOST = [
    "N/A", "n/a", "#N/A", "NULL", "null", "(none)", "-", "--", "—", "?", "TBD", "NaN", "nil", "#REF!", "########",
    "1.38E+14", "1,38e14", "1.38E+014", "９．９Ｅ＋１２", "无", "未知", "待定",
]  # fmt: skip


@pytest.mark.parametrize("lost", LOST)
def test_a_lost_id_is_asked_about_even_if_its_rows_are_equal(lost: str) -> None:
    content = "channel,subject,external_id\n" + f'web,x,"{lost}"\n' * 2
    assert "repeat an id that is none" in refused(content, [])["repeated_ids"]
    assert len(rows(content[: -len(f'web,x,"{lost}"\n')], [])) == 1


@pytest.mark.parametrize("kept", ["A-1", "NA-1", "0", "138000000000000", "E14", "1E", "none-7"])
def test_an_id_is_not_lost_because_it_looks_a_little_like_it(kept: str) -> None:
    assert len(rows("channel,subject,external_id\n" + f"web,x,{kept}\n" * 2, [])) == 2


def test_an_id_that_fails_its_row_is_not_asked_about() -> None:
    content = "channel,subject,external_id\nweb,x,N/A\nweb,y,N/A\nweb,z,7\n"
    assert [bool(row.faults) for row in rows(content, [("expect.external_id", r"\d+")])] == [
        True,
        True,
        False,
    ]


def test_rows_that_differ_in_ignored_columns_only_tell_the_same_complaint() -> None:
    content = "channel,subject,external_id,Comment\nweb,x,1,a\nweb,x,1,b\n"
    assert len(rows(content, [("unmapped", "ignore")])) == 2
    assert "repeated_ids" in refused(content, [("unmapped", "attributes")])


@pytest.mark.parametrize(
    ("dates", "date_format", "words"),
    [
        (["46086.62847"], None, "'46086.62847' (with date_format=excel (--date-format excel) it is 2026-03-05 15:05)"),
        (["46086", "46087", "3/5/2026"], "%m/%d/%Y", None),
        (["46086", "46087", "46088", "46089", "3/5/2026"], "%m/%d/%Y", "4 dates are numbers"),
        (["1772694300", "1772694301"], None, "date_format=epoch"),
        (["1772694300123"], "%d/%m/%Y", "it is 2026-03-05 07:05"),
        (["20260305"], "%d/%m/%Y", None),
        (["2026"], None, None),
    ],
)  # fmt: skip
def test_dates_that_are_numbers_are_asked_about(
    dates: list[str], date_format: str | None, words: str | None
) -> None:
    options = [("date_format", date_format)] if date_format else []
    if words is None:
        assert any(row.faults for row in dated(dates, options))
        return
    with pytest.raises(InvalidContent) as caught:
        dated(dates, options)
    assert [fault.parameter for fault in caught.value.faults] == ["date_format"]
    assert words in caught.value.detail
    assert all("does not read" in row.faults[0].message or "no RFC" in row.faults[0].message
               for row in dated(dates, [*options, ("dates", "as_written")]) if row.faults)  # fmt: skip


def test_a_number_reads_as_the_date_that_the_format_says() -> None:
    excel = [("date_format", "excel")]
    assert received(dated(["46086.62847", "46086", '"46086,5"'], excel)) == ["2026-03-05"] * 3
    assert [
        row.body and row.body["received_at"] for row in dated(["1772694300"], [("date_format", "epoch")])
    ] == ["2026-03-05T07:05:00Z"]


@pytest.mark.parametrize(
    "header",
    [
        "Customer\u00a0Complaint",
        '"Customer\nComplaint"',
        "Customer  Complaint",
        "Ｃustomer　Complaint",
        "Customer\u200b Complaint",
    ],
)
def test_a_column_is_found_whatever_its_white_space(header: str) -> None:
    options = [
        ("set.channel", "web"),
        ("map.subject", "Customer Complaint"),
        ("map.region", "City+Customer Complaint"),
    ]
    row = csv_row(f"{header},City", "x,y", *options)
    assert row.body == {"channel": "web", "subject": "x", "region": "y x"}
    assert json_row({"Customer\u00a0Complaint": "x", "City": "y"}, *options).body == row.body
