"""JSON Patch: the examples of RFC 6902, the habits of TMF621, and the limits."""

from typing import Any

import pytest

from complaints.domain.errors import Conflict, InvalidContent
from complaints.tmf621.json_patch import MOST_OPERATIONS, apply_operations, read_operations

Members = dict[str, Any]
_TWO = [{"id": "1", "text": "a"}, {"id": "5", "text": "b", "kept": True}]


def patch(shown: Members, operations: Any, *, with_queries: bool = False) -> Members:
    read = read_operations(operations, with_queries=with_queries)
    return apply_operations(shown, read, lists={"note"})


RFC_6902 = [
    ({"foo": "bar"}, {"op": "add", "path": "/baz", "value": "qux"}, {"foo": "bar", "baz": "qux"}),
    ({"foo": [1, 2]}, {"op": "add", "path": "/foo/1", "value": 3}, {"foo": [1, 3, 2]}),
    ({"foo": [1]}, {"op": "add", "path": "/foo/-", "value": [2]}, {"foo": [1, [2]]}),
    ({"foo": [1]}, {"op": "add", "path": "/foo/1", "value": 2}, {"foo": [1, 2]}),
    ({"foo": 1}, {"op": "add", "path": "/foo", "value": None}, {"foo": None}),
    ({"foo": 1, "baz": 2}, {"op": "remove", "path": "/baz"}, {"foo": 1}),
    ({"foo": [1, 2, 3]}, {"op": "remove", "path": "/foo/1"}, {"foo": [1, 3]}),
    ({"foo": [1, 2]}, {"op": "replace", "path": "/foo/0", "value": {"a": 1}}, {"foo": [{"a": 1}, 2]}),
    ({"foo": [1]}, {"op": "replace", "path": "/foo", "value": {"a": 1}}, {"foo": {"a": 1}}),
    ({"foo": 1}, {"op": "replace", "path": "", "value": {"a": 1}}, {"a": 1}),
    ({"a": {"b": 1}, "c": {}}, {"op": "move", "from": "/a/b", "path": "/c/d"}, {"a": {}, "c": {"d": 1}}),
    ({"foo": [1, 2, 3]}, {"op": "move", "from": "/foo/0", "path": "/foo/2"}, {"foo": [2, 3, 1]}),
    ({"a": {"b": 1}, "c": [1]}, {"op": "move", "from": "/a", "path": "/c"}, {"c": {"b": 1}}),
    ({"a": 1}, {"op": "move", "from": "/a", "path": "/a"}, {"a": 1}),
    ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/a/c"}, {"a": {"b": 1, "c": {"b": 1}}}),
    ({"a/b": {"m~n": 1}}, {"op": "test", "path": "/a~1b/m~0n", "value": 1.0}, {"a/b": {"m~n": 1}}),
    ({"a": {"b": [True]}}, {"op": "test", "path": "/a", "value": {"b": [True]}}, {"a": {"b": [True]}}),
    ({"": 1}, {"op": "remove", "path": "/"}, {}),
]


def test_an_operation_of_rfc_6902(subtests: pytest.Subtests) -> None:
    for shown, operation, expected in RFC_6902:
        with subtests.test(f"{shown} {operation}"[:100]):
            assert patch(shown, [operation]) == expected


UNFIT = [
    {"op": "add", "path": "/x/y", "value": 1},
    {"op": "add", "path": "/foo/y", "value": 1},
    {"op": "add", "path": "/list/4", "value": 1},
    {"op": "add", "path": "/list/01", "value": 1},
    {"op": "remove", "path": "/x"},
    {"op": "remove", "path": ""},
    {"op": "remove", "path": "/list/-"},
    {"op": "remove", "path": "/list/3"},
    {"op": "replace", "path": "/x", "value": 1},
    {"op": "move", "from": "/x", "path": "/y"},
    {"op": "move", "from": "/deep", "path": "/deep/inner/x"},
    {"op": "move", "from": "/parts/0", "path": "/parts/0/x"},
    {"op": "move", "from": "/x", "path": "/x"},
    {"op": "copy", "from": "/x", "path": "/y"},
    {"op": "test", "path": "/foo", "value": "other"},
    {"op": "test", "path": "/one", "value": True},
    {"op": "test", "path": "/list", "value": [1, 2]},
    {"op": "test", "path": "/x", "value": None},
]


def test_an_operation_that_does_not_fit_is_a_conflict(subtests: pytest.Subtests) -> None:
    for operation in UNFIT:
        with subtests.test(str(operation)):
            shown = {"foo": "bar", "one": 1, "list": [1, 2, 3], "deep": {"inner": {}}, "parts": [{}, {}]}
            with pytest.raises(Conflict, match=f"The operation {operation['op']} at"):
                patch(shown, [{"op": "test", "path": "/foo", "value": "bar"}, operation])
            assert shown == {
                "foo": "bar",
                "one": 1,
                "list": [1, 2, 3],
                "deep": {"inner": {}},
                "parts": [{}, {}],
            }


NO_PATCHES = [
    ({}, ""),
    ("x", ""),
    ([1], "/0"),
    ([{}], "/0/op"),
    ([{"op": "test", "path": "", "value": {}}, {"op": "spam", "path": "/a"}], "/1/op"),
    ([{"op": ["add"], "path": "/a"}], "/0/op"),
    ([{"op": "remove"}], "/0/path"),
    ([{"op": "remove", "path": 1}], "/0/path"),
    ([{"op": "remove", "path": "a"}], "/0/path"),
    ([{"op": "remove", "path": "/a~2"}], "/0/path"),
    ([{"op": "remove", "path": "/a" * 33}], "/0/path"),
    ([{"op": "add", "path": "/a"}], "/0/value"),
    ([{"op": "replace", "path": "/a"}], "/0/value"),
    ([{"op": "test", "path": "/a"}], "/0/value"),
    ([{"op": "move", "path": "/a"}], "/0/from"),
    ([{"op": "copy", "path": "/a", "from": "b"}], "/0/from"),
    ([{"op": "remove", "path": "/a"}] * (MOST_OPERATIONS + 1), ""),
]


def test_a_body_that_is_no_json_patch_is_refused_at_its_fault(subtests: pytest.Subtests) -> None:
    for content, pointer in NO_PATCHES:
        with subtests.test(str(content)[:100]):
            with pytest.raises(InvalidContent) as refused:
                read_operations(content)
            assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_add_of_an_object_at_a_list_appends() -> None:
    add = [{"op": "add", "path": "/note", "value": {"id": "6"}}]
    assert patch({"note": [{"id": "5"}]}, add) == {"note": [{"id": "5"}, {"id": "6"}]}
    assert patch({}, add) == {"note": [{"id": "6"}]}
    assert patch({}, [{**add[0], "path": "/other"}]) == {"other": {"id": "6"}}
    assert patch({"note": [{"id": "5"}]}, [{**add[0], "value": []}]) == {"note": []}


def test_a_query_names_an_element_and_merges_into_it() -> None:
    changed = patch(
        {"note": _TWO},
        [{"op": "replace", "path": "/note?id=5", "value": {"text": "c", "kept": None}}],
        with_queries=True,
    )
    assert changed == {"note": [{"id": "1", "text": "a"}, {"id": "5", "text": "c"}]}
    removed = patch({"note": _TWO}, [{"op": "remove", "path": "/note?id=1"}], with_queries=True)
    assert removed == {"note": [_TWO[1]]}


@pytest.mark.parametrize(
    ("operation", "pointer"),
    [
        ({"op": "replace", "path": "/note?text=a", "value": {}}, "/0/path"),
        ({"op": "replace", "path": "/note?id=1&id=5", "value": {}}, "/0/path"),
        ({"op": "replace", "path": "/note?id=", "value": {}}, "/0/path"),
        ({"op": "replace", "path": "/note?id=1/text", "value": {}}, None),
        ({"op": "replace", "path": "/note/0?id=1", "value": {}}, "/0/path"),
        ({"op": "add", "path": "/note?id=1", "value": {}}, "/0/path"),
        ({"op": "replace", "path": "/note?id=1", "value": "text"}, "/0/value"),
        ({"op": "replace", "path": "/note?id=7", "value": {}}, None),
        ({"op": "replace", "path": "/other?id=1", "value": {}}, None),
    ],
)
def test_other_queries_are_refused(operation: Members, pointer: str | None) -> None:
    with pytest.raises((InvalidContent, Conflict)) as refused:
        patch({"note": _TWO, "other": {"id": "1"}}, [operation], with_queries=True)
    assert [fault.pointer for fault in refused.value.faults] == ([] if pointer is None else [pointer])
    assert isinstance(refused.value, Conflict) is (pointer is None)


def test_without_queries_a_question_mark_is_a_part_of_a_name() -> None:
    assert patch({"a?id=1": 1}, [{"op": "remove", "path": "/a?id=1"}]) == {}


def test_a_patch_cannot_grow_without_limit() -> None:
    doubling = [{"op": "copy", "from": "/a", "path": f"/a/x{n}"} for n in range(16)]
    with pytest.raises(InvalidContent, match="copies too much"):
        patch({"a": {}}, doubling)
    wide = [
        {"op": "copy", "from": "/a", "path": "/a/-"},
        *[{"op": "copy", "from": "/a", "path": "/b/-"}] * 60,
    ]
    with pytest.raises(InvalidContent, match="copies too much"):
        patch({"a": [1] * 200, "b": []}, wide)
    long = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 12
    with pytest.raises(InvalidContent, match="copies too much"):
        patch({"a": ["y" * 1_000]}, long)  # 4,096 texts
    moving = [
        {"op": "move", "from": here, "path": there} for here, there in [("/a", "/b"), ("/b", "/a")] * 10
    ]
    with pytest.raises(InvalidContent, match="moves too much"):
        patch({"a": [1] * 100_000}, moving)
    named = [{"op": "copy", "from": "/a", "path": "/b/-"}] * 11
    with pytest.raises(InvalidContent, match="copies too much"):
        patch({"a": {"n" * 100_000: 1}, "b": []}, named)
    deep: Any = {}
    for _ in range(31):
        deep = {"a": deep}
    with pytest.raises(InvalidContent, match="nests deeper"):
        patch({}, [{"op": "add", "path": "/a", "value": deep}])


def test_the_result_of_a_patch_is_an_object() -> None:
    with pytest.raises(Conflict, match="JSON object"):
        patch({"a": 1}, [{"op": "replace", "path": "", "value": [1]}])
    with pytest.raises(Conflict):
        patch({"a": 1}, [{"op": "replace", "path": "", "value": 1}, {"op": "add", "path": "/a", "value": 1}])
