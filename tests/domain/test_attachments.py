"""Names and media types of attachments (rule 11.2)."""

import pytest

from complaints.domain.complaint.attachments import (
    AttachmentLimits,
    find_name_fault,
    is_media_type,
    tidy_name,
)


@pytest.mark.parametrize(
    ("name", "fault", "tidied"),
    [
        ("账单 <July>.jpg", None, "账单 <July>.jpg"),
        ("../../etc/passwd", None, "../../etc/passwd"),
        ("gpj\u202ecod.exe", None, "gpj\u202ecod.exe"),
        ("a" * 255, None, "a" * 255),
        ("a" * 256, "must have at most 255 characters", "a" * 255),
        ("a\0b", "must not hold control characters, such as NUL or a line break", "ab"),
        ("a\r\nX: b", "must not hold control characters, such as NUL or a line break", "aX: b"),
        ("a\u2028b\x85", "must not hold control characters, such as NUL or a line break", "ab"),
        ("a\ud800", "must not hold control characters, such as NUL or a line break", "a"),
        ("", "must have a visible character", None),
        (" \u202e\u200b", "must have a visible character", None),
        ("\0", "must not hold control characters, such as NUL or a line break", None),
    ],
)
def test_rule_11_2_a_name_is_kept_refused_or_tidied(name: str, fault: str | None, tidied: str | None) -> None:
    assert (find_name_fault(name), tidy_name(name)) == (fault, tidied)
    if tidied is not None:
        assert find_name_fault(tidied) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("image/png", True),
        ("application/vnd.ms-excel.sheet.macroenabled.12", True),
        ("image", False),
        ("image/", False),
        ("image/png; name=x", False),
        ("image/png\n", False),
        ("图/png", False),
        (f"image/{'x' * 122}", False),
    ],
)
def test_a_media_type_has_two_plain_parts(text: str, is_one: bool) -> None:
    assert is_media_type(text) is is_one


def test_rule_11_3_limits_may_name_the_types_that_are_taken() -> None:
    limits = AttachmentLimits(media_types=("image/*", "application/pdf"))
    taken = [one for one in ("image/png", "application/pdf", "text/html") if limits.takes(one)]
    assert taken == ["image/png", "application/pdf"]
    assert AttachmentLimits().takes("text/html")
