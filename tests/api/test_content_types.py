import pytest

from complaints.api.http.content_types import ContentType, read_content_type


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", ContentType("", ())),
        ("Text/CSV", ContentType("text/csv", ())),
        (" text/csv ; header=present", ContentType("text/csv", ())),
        ('text/csv;CHARSET="GB18030"', ContentType("text/csv", ("GB18030",))),
        ("text/csv; charset = gbk ; x", ContentType("text/csv", ("gbk",))),
        ("text/csv; charset=", ContentType("text/csv", ("",))),
        ("a/b; charset=utf-8; charset=gbk", ContentType("a/b", ("utf-8", "gbk"))),
    ],
)
def test_a_header_is_read(header: str, found: ContentType) -> None:
    assert read_content_type(header) == found


@pytest.mark.parametrize(
    ("charsets", "is_utf8"),
    [
        ((), True),
        (("UTF-8",), True),
        (("utf8",), True),
        (("us-ascii",), True),
        (("",), False),
        (("utf-16",), False),
        (("utf-8", "gbk"), False),
    ],
)
def test_only_utf_8_is_utf_8(charsets: tuple[str, ...], is_utf8: bool) -> None:
    assert ContentType("application/json", charsets).is_utf8 is is_utf8
