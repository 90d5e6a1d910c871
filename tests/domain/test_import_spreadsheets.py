"""Files as spreadsheets and other programs write them: separators, columns, blank rows, marks and encodings."""

import csv
import io
import random
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from complaints.domain.errors import InvalidContent
from complaints.domain.importing.encoding import find_encoding
from complaints.domain.importing.import_file import CSV, ImportRow, open_import, parse_options

SET = (("set.channel", "web"), ("map.subject", "Subject"))
KEPT = (*SET, ("unmapped", "attributes"))
IGNORED = (*SET, ("unmapped", "ignore"))


def rows(content: bytes | str, *options: tuple[str, str]) -> list[ImportRow]:
    raw = content.encode() if isinstance(content, str) else content
    return list(open_import(raw, media_type=CSV, charset=None, options=parse_options(options)).rows())


def subjects(content: bytes | str, *options: tuple[str, str]) -> list[object]:
    return [row.body and row.body.get("subject") for row in rows(content, *(options or IGNORED))]


def kept(content: str) -> list[object]:
    return [row.body and row.body["attributes"] for row in rows(content, *KEPT)]


# Separators


@given(
    cells=st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0\x1b"), max_size=8)] * 2),
        min_size=1,
        max_size=5,
    ),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    front=st.sampled_from(["", "\ufeff", "\ufeff\ufeff"]),
    declared=st.booleans(),
)
def test_any_separator_with_any_quotes_is_read(
    cells: list[tuple[str, str]], separator: str, quoting: int, end: str, front: str, declared: bool
) -> None:
    text = io.StringIO(newline="")
    if declared:
        text.write(f"sep={separator}{end}")
    writer = csv.writer(text, delimiter=separator, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    lines = [
        (str(number), *(re.sub("[\r\n]", end, cell.replace("\ufeff", "")) for cell in (f"*{one}*", two)))
        for number, (one, two) in enumerate(cells)
    ]
    writer.writerows([("Number", "Subject", "Note"), *lines])
    read = rows(front + text.getvalue(), *SET, ("map.region", "Number"), ("map.description", "Note"))
    assert [row.body for row in read] == [
        {"channel": "web", "region": number, "subject": one}
        | ({"description": two.strip()} if two.strip() else {})
        for number, one, two in lines
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("sep=;\r\nSubject;City\r\nx;y\r\n", ["x"]),
        ('"sep=;"\nSubject;City\nx;y\n', ["x"]),
        ("SEP=\t\nSubject\tCity\nx\ty\n", ["x"]),
        ("\ufeffsep=^\nSubject^City\nx^y\n", ["x"]),
        ("sep=,,\nSubject,City\nx,y\n", ["x"]),
        ("Subject;Cost, EUR;City\nx;12,50;y\nz;3,10;w\n", ["x", "z"]),
        ("Subject,Tags;more\nx,a;b\n", ["x"]),
        ('"Subject","a;b;c;d"\n"x","y"\n', ["x"]),
        ("Subject;Remark\nx, y, z;none\n", ["x, y, z"]),
        ("Subject\nx, y\n", [None]),
        ("Subject\nx; y\n", ["x; y"]),
    ],
)
def test_the_separator_is_told_apart(content: str, expected: list[object]) -> None:
    assert subjects(content) == expected


def test_a_declared_separator_counts_as_a_line() -> None:
    assert [(row.number, row.line) for row in rows("sep=;\nSubject;City\n\nx;y\n", *IGNORED)] == [(1, 4)]


# Columns

WIDE = [f"c{number}" for number in range(268)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Subject,Label,Label\nx,slow,vip\n", [{"Label": "slow", "Label 2": "vip"}]),
        ("Subject,Label,Label 2,Label\nx,a,b,c\n", [{"Label": "a", "Label 2": "b", "Label 3": "c"}]),
        ("Subject,City,,,\nx,Wuhan,,,\n", [{"City": "Wuhan"}]),
        (",Subject,\n0,x,\n1,y,z\n", [{"column 1": "0"}, {"column 1": "1", "column 3": "z"}]),
        ("Subject,,column 2\nx,a,b\n", [{"column 2 2": "a", "column 2": "b"}]),
        ("Subject,City,Remark\nx,Wuhan\ny\n", [{"City": "Wuhan"}, {}]),
        ("Subject,City\nx,Wuhan,,,,\n", [{"City": "Wuhan"}]),
        (f"Subject,{','.join(WIDE)}\nx" + ",v" * 80 + "\n", [dict.fromkeys(WIDE[:80], "v")]),
        ("Subject,City" + "," * 20_000 + "\nx,Wuhan" + "," * 20_000 + "\n", [{"City": "Wuhan"}]),
    ],
)  # fmt: skip
def test_repeated_and_unnamed_columns_are_kept_by_number(content: str, expected: list[object]) -> None:
    assert kept(content) == expected
    assert len(subjects(content)) == len(expected)


def test_a_repeated_or_unnamed_column_can_be_mapped() -> None:
    content = "Subject,Note,Note,\nx,a,b,c\n"
    (row,) = rows(content, *SET, ("map.description", "Note+Note 2"), ("map.region", "column 4"))
    assert row.body == {"channel": "web", "subject": "x", "description": "a b", "region": "c"}


def test_empty_columns_and_cells_make_no_other_digest() -> None:
    plain = rows("Subject,City\nx,Wuhan\ny,\n", *IGNORED)
    saved_again = rows("Subject,City,,\nx,Wuhan,,\n,,,\ny\n", *IGNORED)
    assert [row.digest for row in saved_again] == [row.digest for row in plain]
    assert rows("Subject,City,\nx,Wuhan,z\n", *IGNORED)[0].digest != plain[0].digest


@pytest.mark.parametrize("size", [140_000, 200_000, 1_200_000])
def test_a_big_cell_is_at_worst_the_fault_of_its_row(size: int) -> None:
    content = f'Subject,Log\na,ok\nb,{"x" * size}\nc,"{"line" * (size // 8)}\n{"x" * (size // 2)}"\nd,ok\n'
    assert subjects(content) == ["a", "b", "c", "d"]
    found = rows(content, *KEPT)
    assert [bool(row.faults) for row in found] == [False, size > 2**20, size > 2**20, False]


# Rows that are none


@pytest.mark.parametrize(
    "between",
    [
        "\n",
        ",\n",
        ", \n",
        '"",""\n',
        "\u3000,\u00a0\n",
        "Subject,City\n",
        '\ufeff"Subject","City"\n',
        " Subject ,City,\n",
    ],
)
def test_blank_rows_and_the_header_again_do_not_count(between: str) -> None:
    front = between.replace("Subject", "").replace("City", "")
    content = f"{front}Subject,City\n{between}a,b\n{between}\n{between}c,d\n{between}"
    found = rows(content, *KEPT)
    assert [(row.number, row.body and row.body["subject"]) for row in found] == [(1, "a"), (2, "c")]


def test_two_byte_order_marks_before_a_quoted_header_are_no_text() -> None:
    assert rows('\ufeff\ufeff"Subject","City"\n"x","y"\n', *KEPT)[0].body == {
        "subject": "x", "channel": "web", "attributes": {"City": "y"},
    }  # fmt: skip


# Encodings

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗翟覃闫邸欧阳"
GIVEN = "芳娜伟洋静婷睿昊琪璐鑫淼珺玥喆堃镕赟彧翀晟烨妍懿翊瑾"


def refused(content: bytes, charset: str | None = None) -> str:
    with pytest.raises(InvalidContent) as caught:
        find_encoding(content, charset)
    return caught.value.detail


@given(
    st.lists(
        st.tuples(st.sampled_from(SURNAMES), st.text(GIVEN, min_size=1, max_size=2)), min_size=1, max_size=40
    )
)
def test_names_alone_show_that_a_file_is_gb18030(names: list[tuple[str, str]]) -> None:
    content = "Subject,Name\n" + "".join(f"No signal,{surname}{given}\n" for surname, given in names)
    raw = content.encode("gbk")
    assume("\ufffd" in raw.decode(errors="replace"))  # one or two names can be UTF-8 by chance
    assert find_encoding(raw, None) == "gb18030"


FOREIGN = {
    "cp949": "인터넷이 계속 끊겨요|도시|김철수|박영희|요금이 너무 많이 나왔어요|환불|속도|해지 요청|서울|부산",
    "euc_jp": "インターネットが遅い|請求書が届かない|解約したい|東京|佐藤|電話|料金の説明が違う|大阪|山田花子",
    "shift_jis": "インターネットが遅い|請求書が届かない|解約したい|東京|佐藤|電話|ﾈｯﾄ ｶﾞ ｵｿｲ|大阪|山田花子",
    "big5": "網路斷線|陳大文|李小姐|請退費|台北市|帳單錯誤|訊號不良|客服態度差|王小明",
    "cp1252": "clôture du contrat|Müller|don’t call me|Größe|José Núñez|naïve|“bad” line|très lent|São Paulo",
    "cp1250": "Příliš pomalý internet|Łódź|Škoda|nie działa internet od środy|Győr",
    "cp1251": "Нет связи с понедельника|Москва|помогите|интернет не работает|Петров",
    "koi8_r": "Нет связи с понедельника|Москва|помогите|интернет не работает|Петров",
    "iso8859_5": "Нет связи с понедельника|Москва|помогите|интернет не работает|Петров",
    "cp1253": "Δεν υπάρχει σήμα|Αθήνα|Γιώργος|αργή σύνδεση",
    "cp1256": "لا يوجد اتصال بالإنترنت|محمد علي|الخدمة سيئة",
    "cp874": "อินเทอร์เน็ตช้ามาก|กรุงเทพมหานคร|ไม่มีสัญญาณ",
}


@pytest.mark.parametrize(("encoding", "texts"), FOREIGN.items())
def test_other_encodings_are_refused(encoding: str, texts: str) -> None:
    alone = texts.split("|")
    for text in [*alone, ",".join(alone), "\n".join(random.Random(1).choices(alone, k=50))]:
        assert "neither text in UTF-8 nor in GB18030" in refused(f"Subject,City\nx,{text}\n".encode(encoding))


@pytest.mark.parametrize("charset", [None, "klingon", "latin-1", "utf-16"])
def test_an_encoding_that_is_not_accepted_names_the_option(charset: str | None) -> None:
    assert "--charset" in refused("Subject,City\nx,Größe\n".encode("cp1252"), charset)


@pytest.mark.parametrize("charset", [None, "gb18030", "gbk"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_file_of_two_encodings_is_refused_by_line(turned: bool, charset: str | None) -> None:
    parts = ["x,没有信号\n".encode(), "y,网络太慢\n".encode("gbk")]
    content = b"Subject,City\n" + b"".join(reversed(parts) if turned else parts)
    assert f"line {3 if turned else 2} is UTF-8, line {2 if turned else 3} is not" in refused(
        content, charset
    )
    assert "not what its charset says" in refused("x,没有信号\n".encode(), "gbk")
