"""What an imported file must be as a whole, and which of its faults are a row's alone."""

import json

import pytest

from complaints.domain.errors import InvalidContent
from complaints.domain.importing import files
from complaints.domain.importing.import_file import (
    CSV,
    NDJSON,
    ImportFile,
    ImportRow,
    open_import,
    parse_options,
)

HEADER = "channel,subject\n"


def opened(
    content: bytes | str, *options: tuple[str, str], media_type: str = CSV, charset: str | None = None
) -> ImportFile:
    raw = content.encode() if isinstance(content, str) else content
    return open_import(raw, media_type=media_type, charset=charset, options=parse_options(options))


def rows(content: bytes | str, *options: tuple[str, str], media_type: str = CSV) -> list[ImportRow]:
    return list(opened(content, *options, media_type=media_type).rows())


def refused(
    content: bytes | str, *options: tuple[str, str], media_type: str = CSV, charset: str | None = None
) -> str:
    with pytest.raises(InvalidContent) as caught:
        opened(content, *options, media_type=media_type, charset=charset)
    return " | ".join(f"{fault.pointer}: {fault.message}" for fault in caught.value.faults)


def ndjson(*values: object) -> str:
    return "".join(value + "\n" if isinstance(value, str) else json.dumps(value) + "\n" for value in values)


GOOD = {"channel": "web", "subject": "No signal"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \r\n\t\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n\n,\n", "is empty"),
        (b"sep=;\n", "is empty"),
        (b"channel,subject\n", "no rows"),
        (b"channel,subject\n\n\n", "no rows"),
        (b"PK\x03\x04\x00\x00", "not text"),
        (b"channel,subject\nweb,a\0b\n", "not text"),
        ("channel,subject\nweb,x\n".encode("utf-16"), "UTF-16"),
        (b"channel,subject\nweb,caf\xe9 is closed\n", "neither text in UTF-8 nor in GB18030"),
        (b"channel,subject\nweb,\x1b$BEl5~\x1b(B\n", "escape sequences"),
        (b"channel,subject,\nweb,a,\nweb,x,y\n", "'column 3' has a value but no name (row 2)"),
        (b"channel,subject, subject\nweb,x,y\n", "with the column 'subject 2'"),
        (b'channel,subject\nweb,"x\n' + b"web,x\n" * 1001 + b'web,"y"\n', "begins in line 2 never ends"),
        (b'channel,subject\nweb,x\nweb,"never ends\nweb,y\n', "begins in line 3 never ends"),
        (b'"channel"x,subject\nweb,x\n', "line 1: it is not valid CSV"),
        (",".join(f"c{n}" for n in range(1001)).encode() + b"\nx\n", "more than 1000 columns"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_whole(content: bytes, words: str) -> None:
    assert words in refused(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ('[{"channel": "web"}]\n', "no line can be read as a JSON object; line 1: it is JSON, but no object"),
        ("\nchannel,subject\nweb,x\n", "line 2: it is not valid JSON"),
        (ndjson({f"c{n}": 1 for n in range(1001)}), "more than 1000 different members"),
    ],
)
def test_an_ndjson_file_that_cannot_be_read_is_refused_whole(content: str, words: str) -> None:
    assert words in refused(content, media_type=NDJSON)


def test_another_media_type_is_refused() -> None:
    assert "'application/json' cannot be imported" in refused(HEADER, media_type="application/json")


def test_a_file_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_ROWS", 2)
    assert len(opened(HEADER + "web,x\n" * 2)) == 2
    assert "more than 2 rows" in refused(HEADER + "web,x\n" * 3)


CHINESE = "渠道,标题\nweb,星期一开始没有信号，请尽快处理\n"


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        (CHINESE.encode(), None),
        (CHINESE.encode(), "UTF-8"),
        (CHINESE.encode("utf-8-sig"), None),
        (CHINESE.encode("utf-8-sig"), "utf-8"),
        (CHINESE.encode("gb18030"), None),
        (CHINESE.encode("gb18030"), "GB18030"),
        (CHINESE.encode("gb2312"), "gb2312"),
        (CHINESE.encode("gbk"), "GBK"),
        (("\ufeff" + CHINESE).encode("gb18030"), "gb18030"),
        (CHINESE.replace("\n", "\r\n").encode(), None),
        (CHINESE.replace("\n", "\r").encode(), None),
        (CHINESE.rstrip("\n").encode(), None),
    ],
)
def test_encodings_and_line_ends(content: bytes, charset: str | None) -> None:
    file = opened(content, ("map.channel", "渠道"), ("map.subject", "标题"), charset=charset)
    (row,) = file.rows()
    assert row.body == {"channel": "web", "subject": "星期一开始没有信号，请尽快处理"}


@pytest.mark.parametrize("charset", ["klingon", "iso-8859-1", "utf-16", "hex", "", "a\0b"])
def test_a_declared_encoding_that_is_not_accepted_is_refused(charset: str) -> None:
    assert "accepted are UTF-8 and GB18030" in refused(CHINESE, charset=charset)


def test_a_file_that_is_not_in_the_declared_encoding_is_refused() -> None:
    assert "is not text in utf-8" in refused(CHINESE.encode("gb18030"), charset="utf-8")


def test_rows_are_numbered_from_1_and_know_their_line() -> None:
    content = 'channel,subject\n\nweb,first\n\nweb,"second\nin two lines"\nweb,third\n'
    file = opened(content)
    assert [(row.number, row.line) for row in file.rows()] == [(1, 3), (2, 5), (3, 7)]
    assert len(file) == 3


def test_a_value_may_have_commas_quotes_and_line_breaks() -> None:
    (row,) = rows('channel,subject\nweb,"no ""signal"",\r\nnone"\n')
    assert row.body == {"channel": "web", "subject": 'no "signal",\r\nnone'}


def test_a_row_with_too_many_cells_fails_alone_and_one_with_few_has_empty_ones() -> None:
    good, short, long, quoted, after = rows('channel,subject\nweb,a\nweb\nweb,b,c\n"web"x,d\nweb,e\n')
    assert (good.faults, after.faults, short.body) == ((), (), {"channel": "web"})
    assert long.faults[0].message == "the row cannot be read: it has 3 cells, the header has 2"
    assert "it is not valid CSV" in quoted.faults[0].message
    assert [row.body for row in (long, quoted)] == [None, None]
    assert (quoted.number, quoted.line) == (4, 5)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"channel": "web", ', "it is not valid JSON"),
        ("null", "no object"),
        ('["web"]', "no object"),
        ('{"subject": "a", "subject": "b"}', "the member 'subject' is there twice"),
        (r'{"attributes": {"\ud800": 1, "\ud800": 2}}', r"the member '\ud800' is there twice"),
        ('{"subject": NaN}', "NaN is no JSON"),
        ('{"attributes": {"a": -Infinity}}', "-Infinity is no JSON"),
        ('{"attributes": {"a": 1e999}}', "a number is too large"),
        ('{"attributes": {"a": [true, ' + "9" * 400 + "]}}", "a number is too large"),
        ('{"attributes": {"a": ' + "9" * 5000 + "}}", "Exceeds the limit"),
        (r'{"subject": "a\u0000b"}', "a NUL or half of a surrogate pair"),
        (r'{"attributes": {"a": [{"b\ud800": 1}]}}', "a NUL or half of a surrogate pair"),
        ('{"a": ' + "[" * 32 + "]" * 32 + "}", "nested deeper than 32 levels"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested deeper than 32 levels"),
        ('{"subject": "' + "x" * 1024 * 1024 + '"}', "longer than 1 MiB"),
    ],
)
def test_a_broken_line_fails_alone(line: str, words: str) -> None:
    good, bad, after = rows(ndjson(GOOD, line, GOOD), ("unmapped", "ignore"), media_type=NDJSON)
    assert (good.body, after.body) == (GOOD, GOOD)
    assert bad.body is None
    assert bad.faults[0].pointer == ""
    assert words in bad.faults[0].message
    assert (bad.number, bad.line) == (2, 2)


@pytest.mark.parametrize(
    "values",
    [
        {"a": [[[0]]] * 20},
        {"number": 10**200, "other": "9" * 400},
        {"emoji": "\U0001f600", "text": r"a \u0000 that is none", "flag": True},
    ],
)
def test_a_line_that_only_looks_broken_is_taken(values: dict[str, object]) -> None:
    (row,) = rows(ndjson({**GOOD, **values}), ("unmapped", "attributes"), media_type=NDJSON)
    assert row.body == {**GOOD, "attributes": values}


def test_blank_lines_of_ndjson_do_not_count() -> None:
    file = opened("\ufeff" + ndjson(GOOD) + "\r\n  \n" + ndjson(GOOD), media_type=NDJSON)
    assert [(row.number, row.line) for row in file.rows()] == [(1, 1), (2, 4)]


# Digests


def digests(content: str, *options: tuple[str, str], media_type: str = CSV) -> list[str]:
    return [row.digest for row in rows(content, *options, media_type=media_type)]


def test_equal_rows_are_distinguished_and_the_same_file_gives_the_same_digests() -> None:
    content = HEADER + "web,No signal\nweb,Slow\nweb,No signal\n"
    first = digests(content)
    assert len(set(first)) == 3
    assert digests(content) == first
    assert digests(HEADER + "web,Slow\nweb,No signal\nweb,No signal\n") == [first[1], first[0], first[2]]


def test_neither_the_order_of_columns_nor_spaces_change_a_digest() -> None:
    assert digests(HEADER + "web,No signal\n") == digests("subject, channel\n No signal ,web\n")
    assert digests('{"channel":"web","subject":"x"}', media_type=NDJSON) == digests(
        '{ "subject": "x", "channel": "web" }', media_type=NDJSON
    )


def test_cells_do_not_run_into_each_other_in_a_digest() -> None:
    content = "channel,subject,region\nweb,ab,c\nweb,a,bc\n"
    assert len(set(digests(content))) == 2


def test_options_do_not_change_a_digest() -> None:
    content = "channel,subject,City\nweb,No signal,Acworth\n"
    assert digests(content, ("unmapped", "ignore")) == digests(content, ("map.region", "City"))


def test_a_row_with_an_external_id_has_one_digest_however_often_it_is_there() -> None:
    first, second = digests("channel,subject,external_id\n" + "web,No signal,1\n" * 2)
    assert first == second


def test_a_file_can_be_read_again() -> None:
    file = opened(HEADER + "web,a\nweb\nweb,b\n")
    assert list(file.rows()) == list(file.rows())
