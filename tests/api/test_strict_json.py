import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.api.http.strict_json import MalformedJson, loads
from complaints.domain.errors import ComplaintError, InvalidContent

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PLAIN, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_reads_what_json_says(value: object, escaped: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0dDn1e-. ', max_size=60).map(str.encode))
def test_whatever_comes_is_read_as_json_or_refused(body: bytes) -> None:
    try:
        value = loads(body)
    except ComplaintError:
        return
    assert value == json.loads(body)


MALFORMED = {
    "nothing": b"",
    "only spaces": b"  ",
    "syntax": b'{"a": }',
    "unfinished": b'{"a": 1',
    "something after it": b'{"a": 1} x',
    "two values": b"{}{}",
    "trailing comma": b"[1,]",
    "single quotes": b"{'a': 1}",
    "comment": b"[1] // one",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'"\xc0\x80"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "raw NUL": b'"a\x00b"',
    "raw newline in a string": b'"a\nb"',
    "duplicate member": b'{"a": 1, "a": 1}',
    "duplicate inner member": b'{"b": [{"a": 1, "c": 2, "a": 3}]}',
    "duplicate by another spelling": b'{"a": 1, "\\u0061": 2}',
    "NaN": b'{"a": NaN}',
    "Infinity": b"[Infinity]",
    "-Infinity": b"[-Infinity]",
    "float beyond range": b"[1e999]",
    "negative float beyond range": b"[-1e999]",
    "integer beyond a double": b"1" + b"0" * 309,
    "integer of 5000 digits": b"[" + b"9" * 5000 + b"]",
    "negative integer of 5000 digits": b"[-" + b"9" * 5000 + b"]",
    "leading zero": b"[01]",
    "hexadecimal": b"[0x1]",
    "unclosed, but not deep": b"[" * 20,
    "closes too much": b"[" + b"]" * 60,
}


def test_malformed(subtests: pytest.Subtests) -> None:
    for body in MALFORMED.values():
        with subtests.test(str(body)[:60]):
            with pytest.raises(MalformedJson) as refused:
                loads(body)
            assert refused.value.code == "malformed-json"
            assert len(refused.value.detail) < 200


UNACCEPTABLE = {
    "NUL": (b'{"a": "x\\u0000y"}', "/a"),
    "NUL in a list": (b'{"a": [0, "\\u0000"]}', "/a/1"),
    "NUL in a name": (b'{"a": {"\\u0000": 1}}', "/a"),
    "lone high surrogate": (b'{"a/b~": "\\ud800"}', "/a~1b~0"),
    "lone low surrogate": (b'["\\uDC00"]', "/0"),
    "surrogates the wrong way round": (b'["\\ude00\\ud83d"]', "/0"),
    "surrogate in a name": (b'{"\\ud800": 1}', ""),
    "surrogate after an escaped backslash": (b'["\\\\ud83d\\ude00"]', "/0"),
    "33 deep": (b"[" * 33 + b"]" * 33, ""),
    "33 deep in objects": (b'{"a":' * 33 + b"1" + b"}" * 33, ""),
    "deep beside shallow": (b"[" + b"[]," * 50 + b"[" * 32 + b"]" * 33, ""),
    "a million deep": (b"[" * 1_000_000, ""),
    "deep after brackets in strings": (b'["]]]\\"]]]\\\\",' + b"[" * 32 + b"]" * 33, ""),
}


@pytest.mark.parametrize(("body", "pointer"), UNACCEPTABLE.values(), ids=UNACCEPTABLE.keys())
def test_unacceptable(body: bytes, pointer: str) -> None:
    with pytest.raises(InvalidContent) as refused:
        loads(body)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


ACCEPTED = {
    "32 deep": b"[" * 32 + b"]" * 32,
    "32 deep, many of them": b"[" + b",".join([b"[" * 31 + b"]" * 31] * 5) + b"]",
    "many, but not deep": b"[" + b",".join([b'{"a":[]}'] * 100) + b"]",
    "brackets in a string": b'["' + b"[" * 100 + b'\\"' + b"{" * 100 + b'\\\\"]',
    "emoji in halves": b'["\\ud83d\\ude00"]',
    "escaped backslash before u0000": b'["\\\\u0000"]',
    "escaped backslash before ud800": b'["\\\\ud800"]',
    "the largest double": b"[1.7976931348623157e308]",
    "an integer of 300 digits": b"[" + b"9" * 300 + b"]",
    "spaces around": b" \t\r\n{} \n",
    "a bare string": b'"a"',
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted(body: bytes) -> None:
    assert loads(body) == json.loads(body)


def test_every_fault_is_named() -> None:
    with pytest.raises(InvalidContent) as refused:
        loads(b'{"a": "\\u0000", "b": ["\\ud800", "ok"]}')
    assert [fault.pointer for fault in refused.value.faults] == ["/a", "/b/0"]


def test_a_long_name_twice_is_not_repeated_whole() -> None:
    name = b"n" * 10_000
    with pytest.raises(MalformedJson) as refused:
        loads(b'{"' + name + b'": 1, "' + name + b'": 2}')
    assert len(refused.value.detail) < 300
