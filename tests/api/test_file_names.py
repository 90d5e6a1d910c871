"""Names of files in Content-Disposition: what is read, what is refused, and what an answer says."""

import pytest

from complaints.api.http.file_names import attachment_header, read_file_name
from complaints.domain.errors import InvalidContent


def _sent(text: str, charset: str = "utf-8") -> str:
    """The header as the server hands it on: its bytes as Latin-1."""
    return text.encode(charset).decode("latin-1")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=photo.jpg", "photo.jpg"),
        ('ATTACHMENT ;FileName="a b; c.jpg" ;size=3', "a b; c.jpg"),
        ('attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'),
        ("attachment; filename*=UTF-8''%E8%B4%A6%E5%8D%95%20%27.jpg", "账单 '.jpg"),
        ("attachment; filename*=GB18030'zh-CN'%D5%CB%B5%A5.jpg; filename=old.jpg", "账单.jpg"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates", "£ rates"),
        (_sent('attachment; filename="账单.jpg"'), "账单.jpg"),
        (_sent('attachment; filename="账单.jpg"', "gb18030"), "账单.jpg"),
        ("attachment; filename=../../etc/passwd;", "../../etc/passwd"),
        ("attachment; filename*=UTF-8''..%2F%00", "../\0"),
    ],
)
def test_a_name_is_read_as_it_was_sent(header: str, name: str) -> None:
    assert read_file_name([header]) == name


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["attachment"],
        [""],
        ["inline; filename=a"],
        ["form-data; name=f; filename=a"],
        ["attachment filename=a"],
        ["attachment; filename=a b"],
        ['attachment; filename="a'],
        ["attachment; filename=a; FILENAME=b"],
        ["attachment; filename=a", "attachment; filename=b"],
        ["attachment; filename*=photo.jpg"],
        ["attachment; filename*=UTF-16''a"],
        ["attachment; filename*=UTF-8''%4"],
        ["attachment; filename*=UTF-8''%FF%FE"],
        ["attachment; filename=\xff\xfe\xff"],
    ],
)
def test_a_header_without_a_name_is_refused(headers: list[str]) -> None:
    with pytest.raises(InvalidContent) as refusal:
        read_file_name(headers)
    assert refusal.value.faults[0].parameter == "Content-Disposition"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("photo.jpg", "filename=\"photo.jpg\"; filename*=UTF-8''photo.jpg"),
        ("账单.jpg", "filename=\"__.jpg\"; filename*=UTF-8''%E8%B4%A6%E5%8D%95.jpg"),
        ("../../etc/passwd", "filename=\"_.._etc_passwd\"; filename*=UTF-8''_.._etc_passwd"),
        ("C:\\a.exe", "filename=\"C__a.exe\"; filename*=UTF-8''C__a.exe"),
        ('a"; x="b', "filename=\"a_; x=_b\"; filename*=UTF-8''a_%3B%20x%3D_b"),
        ("gpj\u202ecod.exe", "filename=\"gpjcod.exe\"; filename*=UTF-8''gpjcod.exe"),
        (" ... ", "filename=\"attachment\"; filename*=UTF-8''attachment"),
    ],
)
def test_the_name_of_an_answer_leads_nowhere_and_hides_nothing(name: str, header: str) -> None:
    assert attachment_header(name) == f"attachment; {header}"
    assert read_file_name([attachment_header(name)])
