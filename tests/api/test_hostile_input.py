"""Odd and hostile requests. Each gets its answer, none changes the database, and none is a 500."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import func, literal, select, union_all

from complaints.storage.rows.all_tables import metadata
from tests.api_client import ApiClient
from tests.support import Scenario, check_all

JSON = {"Content-Type": "application/json"}
ASTRAL = "\U0001f469\u200d\U0001f469\u200d\U0001f467"  # one picture of five code points
HAN = "\U00020000"
NOWHERE = "019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11"
INVALID, MALFORMED, BAD, MISSING, REFUSED = (
    (422, "invalid-content"),
    (400, "malformed-json"),
    (400, "bad-request"),
    (404, "not-found"),
    (409, "transition-refused"),
)
Expected = tuple[int, str]
ROWS = union_all(
    *(select(literal(table.name), func.count()).select_from(table) for table in metadata.sorted_tables)
)


class Desk:
    """A client with two complaints, and the number of rows in each table."""

    def __init__(self, scenario: Scenario, client: ApiClient) -> None:
        self.scenario, self.client = scenario, client
        made = client.post("/v1/complaints", json={"channel": "phone", "subject": "No signal"})
        self.id, self.number = made.json()["id"], made.json()["number"]
        self.other = client.post("/v1/complaints", json={"channel": "web", "subject": "Too slow"}).json()[
            "id"
        ]
        self.before = self.rows()
        self.are_many = False

    def rows(self) -> dict[str, int]:
        """The number of rows of each table."""
        with self.scenario.service.database.read() as tx:
            return dict(tx.connection.execute(ROWS).all())

    def refuses(self, method: str, path: str, expected: Expected, **sent: Any) -> None:
        """Check that the answer is the expected problem and that no row was added."""
        answer = self.client.request(method, path.format(id=self.id, other=self.other), **sent)
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (expected[0], f"/problems/{expected[1]}"), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert len(answer.content) < 40_000
        if not self.are_many:
            assert self.rows() == self.before

    @contextmanager
    def refuses_many(self) -> Iterator[None]:
        """Count the rows once, after many refusals."""
        self.are_many = True
        yield
        assert self.rows() == self.before


@pytest.fixture
def desk(scenario: Scenario, client: ApiClient) -> Desk:
    return Desk(scenario, client)


@pytest.fixture(autouse=True)
def sound(scenario: Scenario) -> Any:
    """Check every invariant after each test."""
    yield
    assert list(check_all(scenario.service)) == []


def _raw(members: str) -> bytes:
    return ('{"channel": "phone", "subject": "s"' + (", " + members if members else "") + "}").encode()


def _body(**members: Any) -> bytes:
    return json.dumps({"channel": "phone", "subject": "No signal", **members}).encode()


# Bodies ---------------------------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, Expected]] = {
    "empty": (b"", INVALID),
    "null": (b"null", INVALID),
    "a list": (b"[]", INVALID),
    "a string": (b'"x"', INVALID),
    "cut off": (b'{"channel": "phone", "subj', MALFORMED),
    "something after it": (_raw("") + b" 1", MALFORMED),
    "a byte order mark": (b"\xef\xbb\xbf" + _raw(""), MALFORMED),
    "not UTF-8": (_raw("").replace(b'"s"', b'"\xff"'), MALFORMED),
    "UTF-16": (_raw("").decode().encode("utf-16"), MALFORMED),
    "a member twice": (_raw('"subject": "t"'), MALFORMED),
    "a member twice, deep down": (_raw('"attributes": {"a": {"b": 1, "b": 2}}'), MALFORMED),
    "NaN": (_raw('"attributes": {"a": NaN}'), MALFORMED),
    "Infinity": (_raw('"attributes": {"a": -Infinity}'), MALFORMED),
    "1e400": (_raw('"attributes": {"a": 1e400}'), MALFORMED),
    "an integer beyond a double": (_raw('"attributes": {"a": ' + "9" * 400 + "}"), MALFORMED),
    "an integer of 5000 digits": (_raw('"attributes": {"a": ' + "9" * 5000 + "}"), MALFORMED),
    "depth 33": (_raw('"attributes": {"a": ' + "[" * 31 + "]" * 31 + "}"), INVALID),
    "depth 100,000": (b"[" * 100_000, INVALID),
    "NUL": (_raw('"description": "a\\u0000b"'), INVALID),
    "NUL in a name": (_raw('"attributes": {"a\\u0000": 1}'), INVALID),
    "a bare control character": (_raw('"description": "a\x01b"'), MALFORMED),
    "a lone surrogate": (_raw('"description": "\\ud800"'), INVALID),
    "a lone surrogate in a tag": (_raw('"tags": ["\\udfff x"]'), INVALID),
    "surrogates the wrong way round": (_raw('"description": "\\ude00\\ud83d"'), INVALID),
    "1 MiB and 1 byte": (b" " * (1024 * 1024 + 1), (413, "payload-too-large")),
    "no subject": (b'{"channel": "phone"}', INVALID),
    "an unknown member": (_raw('"colour": "red"'), INVALID),
    "a prototype": (_raw('"__proto__": {"admin": true}'), INVALID),
}


def test_bodies(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for name, (body, expected) in BODIES.items():
            with subtests.test(name):
                desk.refuses("POST", "/v1/complaints", expected, content=body, headers=JSON)


SUBJECTS: dict[str, Any] = {
    "empty": "",
    "spaces": "   ",
    "other spaces": "\u3000\u00a0\u2003\t\n",
    "zero width": "\u200b\u200d\ufeff\u2060",
    "directions only": "\u202e\u202d\u2066\u2069\u200f",
    "501": "x" * 501,
    "501 of the astral planes": HAN * 501,
    "a number": 5,
    "a list": ["x"],
    "an object": {"en": "x"},
    "true": True,
}


def test_subjects_that_are_none(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for name, subject in SUBJECTS.items():
            with subtests.test(name):
                desk.refuses("POST", "/v1/complaints", INVALID, content=_body(subject=subject), headers=JSON)
                desk.refuses("PATCH", "/v1/complaints/{id}", INVALID, json={"subject": subject})


MEMBERS: list[dict[str, Any]] = [
    {"channel": "PHONE"},
    {"channel": "fax"},
    {"channel": ["phone"]},
    {"severity": "Critical"},
    {"priority": 1},
    {"description": "x" * 100_001},
    {"source": "x" * 201},
    {"source": ""},
    {"external_id": "\u200b"},
    {"external_id": 12},
    {"category": "nothing.such"},
    {"category": "network' OR '1'='1"},
    {"region": "x" * 201},
    {"first_owner": "nobody"},
    {"first_owner": "admin'; DROP TABLE complaint; --"},
    {"tags": ["x"] * 51},
    {"tags": ["x" * 65]},
    {"tags": [""]},
    {"tags": "vip"},
    {"tags": [None]},
    {"tags": [["x"]]},
    {"attributes": {str(n): n for n in range(101)}},
    {"attributes": {"": 1}},
    {"attributes": {"x" * 201: 1}},
    {"attributes": []},
    {"attributes": "x"},
    {"complainant": {"phone": "1234"}},
    {"complainant": {"phone": "+" * 10}},
    {"complainant": {"phone": "1" * 33}},
    {"complainant": {"phone": "138x0000000"}},
    {"complainant": {"phone": "١٢٣٤٥٦٧"}},
    {"complainant": {"email": "a@b, c@d"}},
    {"complainant": {"email": "a@b\r\nBcc: c@d"}},
    {"complainant": {"email": "nobody"}},
    {"complainant": {"email": "a" * 250 + "@b.cn"}},
    {"complainant": {"vulnerable": 1}},
    {"complainant": {"vulnerable": "true"}},
    {"complainant": {"age": 40}},
    {"complainant": {"preferred_contact": "pigeon"}},
    {"complainant": "Wang"},
    {"reporter": []},
    {"service": {"id": 5}},
    # Members that only the server sets.
    {"id": NOWHERE},
    {"number": "C000000013"},
    {"status": "closed"},
    {"version": 7},
    {"cycle": 2},
    {"overdue": False},
    {"created_at": "2026-01-01T00:00:00Z"},
    {"deadlines": []},
    {"policy": {"code": "telecom-handbook", "version": 1}},
    {"team": "operations"},
    {"assignee": "admin"},
    {"cause": "technical"},
    {"result": None},
]


def test_members(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for members in MEMBERS:
            with subtests.test(str(members)[:60]):
                desk.refuses("POST", "/v1/complaints", INVALID, content=_body(**members), headers=JSON)


NO_TIMES: list[Any] = [
    1767574800,
    1767574800.5,
    "1767574800",
    "2026-01-04",
    "2026-01-04T10:00:00",
    "2026-01-04 10:00:00Z",
    "2026-01-04T10:00Z",
    "20260104T100000Z",
    "2026-W01-1T10:00:00Z",
    "0001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "-2026-01-04T10:00:00Z",
    "12026-01-04T10:00:00Z",
    "2026-02-30T10:00:00Z",
    "2026-01-04T24:00:00Z",
    "2026-01-04T10:00:60Z",
    "2016-12-31T23:59:60Z",
    "2026-01-04T10:00:00+25:00",
    "2026-01-04T10:00:00+0800",
    "2026-01-04T10:00:00+08",
    "2026-01-04T10:00:00,5Z",
    "2026-01-04T10:00:00[Asia/Shanghai]",
    "２０２６-01-04T10:00:00Z",
    "2026-01-05T01:06:00Z",
    "2999-01-01T00:00:00Z",
    "now",
    "",
    True,
    {},
]


def test_times_that_are_none(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for received_at in NO_TIMES:
            with subtests.test(str(received_at)):
                content = _body(received_at=received_at)
                desk.refuses("POST", "/v1/complaints", INVALID, content=content, headers=JSON)


ACCEPTED: dict[str, dict[str, Any]] = {
    "500": {"subject": "x" * 500},
    "500 of the astral planes": {"subject": HAN * 500},
    "pictures": {"subject": ASTRAL * 100},
    "one visible among invisible": {"subject": "\u202e\u200bx"},
    "right to left": {"subject": "شكوى \u202e abc"},
    "SQL": {"subject": "'; DROP TABLE complaint; --", "external_id": "1' OR '1'='1", "source": 'x"; --'},
    "wildcards": {"external_id": "%_\\%", "region": "%", "tags": ["%", "_", "[a]", "*"]},
    "markup": {"subject": "<script>alert(1)</script>{{7*7}}${7*7}", "description": "%s %n {0} \r\n\r\n"},
    "50 tags": {"tags": [f"{n:064d}" for n in range(50)]},
    "100 attributes": {"attributes": {f"{n:0200d}": n for n in range(100)}},
    "a long description": {"description": HAN * 100_000},
    "nulls": dict.fromkeys(("description", "severity", "complainant", "tags", "attributes", "received_at")),
}


def test_odd_but_right(desk: Desk, subtests: pytest.Subtests) -> None:
    """A text is stored and returned as it was sent. A search finds it by its words only."""
    for name, odd in ACCEPTED.items():
        with subtests.test(name):
            sent = {"channel": "phone", "subject": "No signal"} | odd
            answer = desk.client.post("/v1/complaints", json=sent)
            assert answer.status_code == 201, answer.text
            read = desk.client.get(answer.headers["Location"])
            for shown in (answer.json(), read.json()):
                assert {member: shown[member] for member in sent if sent[member] is not None} == {
                    member: value for member, value in sent.items() if value is not None
                }
            for member in {"external_id", "region", "source"} & sent.keys():
                found = desk.client.get("/v1/complaints", params={member: sent[member]}).json()["items"]
                assert [one["id"] for one in found] == [answer.json()["id"]]


TIMES = [
    ("2026-01-05T01:04:00Z", "2026-01-05T01:04:00Z"),
    ("2026-01-05t00:30:00z", "2026-01-05T00:30:00Z"),
    ("2026-01-05T08:30:00+08:00", "2026-01-05T00:30:00Z"),
    ("2026-01-05T00:30:00-00:00", "2026-01-05T00:30:00Z"),
    ("2026-01-05T14:30:00+14:00", "2026-01-05T00:30:00Z"),
]


def test_times_as_they_may_be_written(desk: Desk) -> None:
    for sent, kept in TIMES:
        answer = desk.client.post("/v1/complaints", content=_body(received_at=sent), headers=JSON)
        assert (answer.status_code, answer.json()["received_at"]) == (201, kept)


NUMBERS = (
    '{"a": 1e308, "b": -0.0, "c": 1E2, "d": 0.1, "e": 5e-324, "f": 123456789012345678901234567890, "g": -1,'
    ' "h": 1.7976931348623157e308, "i": [0, -0, 1.0], "j": {"k": true, "l": null, "m": ""}}'
)


def test_numbers_survive(desk: Desk) -> None:
    """Values stay the same when they are stored, changed and read. `sound` proves it from the history."""
    sent = json.loads(NUMBERS)
    made = desk.client.post("/v1/complaints", content=_raw(f'"attributes": {NUMBERS}'), headers=JSON)
    assert made.status_code == 201, made.text
    path = made.headers["Location"]
    change = NUMBERS.replace('"l": null, ', "")  # a null would clear the member
    patched = desk.client.patch(path, content=f'{{"attributes": {change}, "region": "x"}}', headers=JSON)
    for answer in (made, patched, desk.client.get(path)):
        assert answer.json()["attributes"] == sent
        assert repr(answer.json()["attributes"]["a"]) == "1e+308"


# Headers --------------------------------------------------------------------------------------------------

HEADERS: dict[str, tuple[dict[str, str], Expected]] = {
    "no type": ({"Content-Type": ""}, (415, "unsupported-media-type")),
    "text": ({"Content-Type": "text/plain"}, (415, "unsupported-media-type")),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, (415, "unsupported-media-type")),
    "nearly": ({"Content-Type": "application/jsonx"}, (415, "unsupported-media-type")),
    "a list": ({"Content-Type": "application/json, text/html"}, (415, "unsupported-media-type")),
    "latin-1": ({"Content-Type": "application/json; charset=latin-1"}, (415, "unsupported-media-type")),
    "gzip": (JSON | {"Content-Encoding": "gzip"}, (415, "content-encoding-refused")),
    "unknown encoding": (JSON | {"Content-Encoding": "x"}, (415, "content-encoding-refused")),
    "an empty attempt": (JSON | {"Idempotency-Key": ""}, INVALID),
    "256 for an attempt": (JSON | {"Idempotency-Key": "k" * 256}, INVALID),
    "a space in an attempt": (JSON | {"Idempotency-Key": "a b"}, INVALID),
}


def test_headers(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for name, (headers, expected) in HEADERS.items():
            with subtests.test(name):
                body = gzip.compress(_body()) if name == "gzip" else _body()
                desk.refuses("POST", "/v1/complaints", expected, content=body, headers=headers)


def test_an_attempt_that_is_not_ascii(desk: Desk) -> None:
    sent = [(b"Idempotency-Key", "schlüssel".encode()), (b"Content-Type", b"application/json")]
    desk.refuses("POST", "/v1/complaints", INVALID, content=_body(), headers=sent)


def test_types_as_they_may_be_written(desk: Desk) -> None:
    for media_type in ("application/json", "APPLICATION/JSON; Charset=UTF-8"):
        answer = desk.client.post("/v1/complaints", content=_body(), headers={"Content-Type": media_type})
        assert answer.status_code == 201


IF_MATCH = [
    ('"1"', 200), ("*", 200), ('"9", "1"', 200), ('"2"', 412), ('"', 412), ("garbage", 412), ("", 412),
    ('"99999999999999999999"', 412), ('W/"7"', 412), ('W/"1"', 200), ('"a, 1, b"', 412),
]  # fmt: skip


def test_a_fault_in_a_header_names_the_header(desk: Desk) -> None:
    answer = desk.client.post("/v1/complaints", json={}, headers={"Idempotency-Key": "a b"})
    message = "Idempotency-Key must be 1 to 255 visible ASCII characters."
    place = {"pointer": "", "in": "header", "parameter": "Idempotency-Key"}
    assert answer.json()["errors"] == [{**place, "message": message}]


def test_if_match(desk: Desk) -> None:
    path = f"/v1/complaints/{desk.id}"
    for if_match, status in IF_MATCH:
        # The first version is always the present one: a request that is answered 200 changes nothing.
        answer = desk.client.patch(path, json={"severity": "normal"}, headers={"If-Match": if_match})
        assert answer.status_code == status, if_match
        if status == 412:
            assert answer.json()["type"] == "/problems/stale-version"
        assert desk.client.get(path).json()["version"] == 1


def test_a_version_without_quotation_marks_in_if_match_is_named(desk: Desk) -> None:
    """A client that sends the member `version` would read again for ever if it got a 412."""
    path = f"/v1/complaints/{desk.id}"
    for if_match in ("1", " 1 ", "7", "W/1", '"9", 1'):
        answer = desk.client.patch(path, json={"severity": "normal"}, headers={"If-Match": if_match})
        message = f'Write the version in If-Match in quotation marks: "{"7" if if_match == "7" else "1"}".'
        fault = {"pointer": "", "in": "header", "parameter": "If-Match", "message": message}
        assert (answer.status_code, answer.json()["errors"]) == (422, [fault]), if_match
        # Calls that read no If-Match take any.
        assert desk.client.get(path, headers={"If-Match": if_match}).json()["version"] == 1
    chinese = {"If-Match": "1", "Accept-Language": "zh"}
    said = desk.client.patch(path, json={"severity": "normal"}, headers=chinese).json()["detail"]
    assert said == 'If-Match 中的版本号要加引号："1"。'


# Addresses ------------------------------------------------------------------------------------------------


REFERENCES = [
    "%2e%2e", "%00", "x%00y", "..%2f..%2fetc%2fpasswd", "x" * 10_000, "%F0%9F%92%A9", "%ff%fe", "0",
    "-1", "1e5", "C00000001", "C000000014", "' OR 1=1 --", "%25", "*", "null", "urn:uuid:" + NOWHERE,
    NOWHERE.upper(), "{{" + NOWHERE + "}}", NOWHERE.replace("-", ""), NOWHERE + "0",
]  # fmt: skip


def test_references_to_nothing(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for reference in REFERENCES:
            for path in ("/v1/complaints/{}", "/v1/complaints/{}/timeline", "/v1/escalations/{}"):
                with subtests.test(path.format(reference)[:80]):
                    desk.refuses("GET", path.replace("{}", reference), MISSING)


def test_ids_as_they_may_be_written(desk: Desk) -> None:
    for reference in (desk.id, desk.id.upper(), desk.number, desk.number.lower()):
        assert desk.client.get(f"/v1/complaints/{reference}").json()["id"] == desk.id


METHODS = [
    ("/v1/complaints", "GET, HEAD, POST"),
    ("/v1/complaints/{id}", "GET, HEAD, PATCH"),
    ("/v1/complaints/{id}/links", "POST, DELETE"),
    ("/v1/policies/validate", "POST"),
    ("/v1/keys/{id}", "GET, HEAD, DELETE"),
    ("/healthz", "GET, HEAD"),
]


def test_methods(desk: Desk) -> None:
    for path, allow in METHODS:
        path = path.format(id=desk.id)
        for method in {"OPTIONS", "PUT", "TRACE", "BREW"} - set(allow.split(", ")):
            answer = desk.client.request(method, path)
            assert answer.status_code == 405, method
            assert answer.json()["type"] == "/problems/method-not-allowed"
            assert answer.headers["Allow"] == allow
    assert desk.rows() == desk.before


# Lists ----------------------------------------------------------------------------------------------------

QUERIES: dict[str, Expected] = {
    "limit=0": INVALID,
    "limit=201": INVALID,
    "limit=-1": INVALID,
    "limit=abc": INVALID,
    "limit=1e2": INVALID,
    "limit=": INVALID,
    "limit=99999999999999999999999": INVALID,
    "cursor=": BAD,
    "cursor=garbage": BAD,
    "cursor=eyJraW5kIjogIngifQ": BAD,
    "cursor=%00": INVALID,
    "cursor=%F0%9F%92%A9": BAD,
    "cursor=" + "A" * 5000: BAD,
    "fields=nothing": BAD,
    "fields=": BAD,
    "fields=id,,number": BAD,
    "fields=id,__class__": BAD,
    "sort=subject": BAD,
    "sort=": BAD,
    "sort=--priority": BAD,
    "sort=priority;drop": BAD,
    "colour=red": BAD,
    "Status=received": BAD,
    "status[]=received": BAD,
    "status=RECEIVED": INVALID,
    "status=": INVALID,
    "overdue=1": INVALID,
    "overdue=yes": INVALID,
    "priority=9": INVALID,
    "cycle_min=x": INVALID,
    "cycle_min=99999999999999999999": INVALID,
    "escalation_level_min=-1": INVALID,
    "due_before=tomorrow": INVALID,
    "received_from=2026-01-05": INVALID,
    "received_to=1767574800": INVALID,
    "phone=x": INVALID,
    "number=1": INVALID,
    "team=%00": INVALID,
    "team=" + "x" * 201: INVALID,
    "q=%00": INVALID,
}


def test_queries(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for query, expected in QUERIES.items():
            with subtests.test(query[:60]):
                desk.refuses("GET", f"/v1/complaints?{query}", expected)


LISTS = ["/v1/escalations", "/v1/followups", "/v1/changes", "/v1/categories", "/v1/keys"]


def test_other_lists(desk: Desk) -> None:
    with desk.refuses_many():
        for path in LISTS:
            name = "after" if path.endswith("changes") else "cursor"
            cursor = desk.client.get("/v1/complaints?limit=1").json()["next_cursor"]
            for query, expected in (
                ("limit=0", INVALID),
                ("limit=1001", INVALID),
                ("fields=nothing", BAD),
                ("colour=red", BAD),
                (f"{name}=garbage", BAD),
                (f"{name}={cursor}", BAD),
            ):
                desk.refuses("GET", f"{path}?{query}", expected)


def test_a_cursor_belongs_to_its_filters(desk: Desk) -> None:
    cursor = desk.client.get("/v1/complaints?limit=1&status=received").json()["next_cursor"]
    assert desk.client.get(f"/v1/complaints?limit=1&status=received&cursor={cursor}").status_code == 200
    for query in ("", "&status=closed", "&status=received&sort=received_at", "&status=received&q=x"):
        desk.refuses("GET", f"/v1/complaints?limit=1{query}&cursor={cursor}", BAD)


WILD = ["%", "_", "No signa_", "%signal%", "\\", "' OR '1'='1", "[a-z]*"]
FILTERS = ["external_id", "source", "region", "tag", "attributes.cell"]
NAMES = ["team", "assignee", "first_owner", "category"]


def test_no_wildcards_in_filters(desk: Desk) -> None:
    with desk.refuses_many():
        for name in FILTERS:
            for value in WILD:
                answer = desk.client.get("/v1/complaints", params={name: value})
                assert (answer.status_code, answer.json()["items"]) == (200, []), (name, value)
        for name in NAMES:
            for value in WILD:
                desk.refuses("GET", f"/v1/complaints?{name}={quote(value)}", INVALID)


SEARCHES = [
    "", " ", "!?.,;:", "AND", "OR NOT", "a AND", "NEAR(a b)", '"', '"unclosed', "'", "''", "a* b^2",
    "(", ")(", "-x", "subject:x", "*", "%", "_", "&|!<->", "x:*", "\\", "断", "𠀀", "\u200b", "\ud7ff",
    "ß", "İ", "x" * 10_000, "a " * 5_000, "'; DROP TABLE complaint; --",
]  # fmt: skip


def test_whatever_is_searched_for(desk: Desk, subtests: pytest.Subtests) -> None:
    for q in SEARCHES:
        with subtests.test(ascii(q)[:60]):
            assert desk.client.get("/v1/complaints", params={"q": q}).status_code == 200
            sent = {"channel": "web", "subject": f"Found {q[:400]}"}
            assert desk.client.post("/v1/complaints", json=sent).status_code == 201
            assert desk.client.get("/v1/complaints", params={"q": q}).status_code == 200


def test_a_single_character_is_found(desk: Desk) -> None:
    made = desk.client.post("/v1/complaints", json={"channel": "web", "subject": "宽带断网"}).json()["id"]
    found = desk.client.get("/v1/complaints", params={"q": "断"}).json()["items"]
    assert [one["id"] for one in found] == [made]


# Tools ----------------------------------------------------------------------------------------------------

START = "2026-11-22T09:00:00Z"
BERLIN = {"timezone": "Europe/Berlin", "hours": {"mon": [["09:00", "18:00"]]}}
PREVIEWS: list[dict[str, Any]] = [
    *({"target": target} for target in
      ("", "P", "PT", "4h", "-PT4H", "PT-4H", "P1.5M", "PT1H30", "P1Y1", "PT4H ", "p1d", "P1S", "PT1.5H30M", "P101Y",
       "PT99999999999999999999H", "P" + "9" * 150 + "D", "PT0.0000001S", "٤", 4, None, ["PT4H"])),
    {"target": "PT4H", "start": "2026-11-22"},
    {"target": "PT4H", "start": "9999-12-31T23:59:59Z"},
    {"target": "PT4H", "pauses": [["2026-11-22T11:00:00Z", "2026-11-22T10:00:00Z"]]},
    {"target": "PT4H", "pauses": [["2026-11-22T11:00:00Z"]]},
    {"target": "PT4H", "pauses": [[None, None]]},
    {"target": "PT4H", "pauses": "x"},
    *({"target": "PT4H", "calendar": {**BERLIN, **odd}} for odd in list[dict[str, Any]]((
        {"timezone": "Mars/Olympus"}, {"timezone": ""}, {"timezone": "../../etc/passwd"}, {"timezone": None},
        {"timezone": "/etc/localtime"}, {"timezone": "Europe"}, {"timezone": "x" * 10_000},
        {"hours": {}}, {"hours": []}, {"hours": {"monday": []}}, {"hours": {"mon": [["18:00", "09:00"]]}},
        {"hours": {"mon": [["09:00", "25:00"]]}}, {"hours": {"mon": [["24:00", "24:00"]]}},
        {"hours": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, {"hours": {"mon": [["9", "10"]]}},
        {"hours": {"mon": [["09:00", "10:00", "11:00"]]}}, {"hours": {"mon": "09:00-18:00"}},
        {"hours": {"mon": [["09:00", "09:01"]] * 97}}, {"holidays": ["2026-02-30"]}, {"holidays": 5},
        {"overrides": {"tomorrow": []}}, {"overrides": {"2026-12-24": [["12:00", "09:00"]]}},
        {"colour": "red"},
    ))),
]  # fmt: skip


def test_previews(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for members in PREVIEWS:
            with subtests.test(str(members)[:80]):
                desk.refuses("POST", "/v1/deadlines/preview", INVALID, json={"start": START, **members})


IMPORTS: dict[str, tuple[bytes, str, str, Expected]] = {
    "empty": (b"", "text/csv", "", INVALID),
    "a byte order mark": (b"\xef\xbb\xbf", "text/csv", "", INVALID),
    "spaces": (b" \n\n \n", "text/csv", "", INVALID),
    "binary": (bytes(range(256)) * 20, "text/csv", "", INVALID),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "application/x-ndjson", "", INVALID),
    "NULs": (b"channel,subject\nphone,a\0b\n", "text/csv", "", INVALID),
    "a column twice": (b"channel,subject,subject\nphone,a,b\n", "text/csv", "", INVALID),
    "an unknown column": (b"channel,subject,colour\nphone,a,red\n", "text/csv", "", INVALID),
    "no subject": (b"channel,x\nphone,a\n", "text/csv", "?unmapped=ignore", INVALID),
    "an unknown charset": (b"channel,subject\nphone,a\n", "text/csv; charset=klingon", "", INVALID),
    "a charset that runs": (b"channel,subject\n", "text/csv; charset=rot13", "", INVALID),
    "an unknown option": (b"channel,subject\nphone,a\n", "text/csv", "?colour=red", INVALID),
    "a map of nothing": (b"channel,subject\nphone,a\n", "text/csv", "?map.subject=Nothing", INVALID),
    "a map to nothing": (b"channel,subject\nphone,a\n", "text/csv", "?map.colour=channel", INVALID),
    "a bad flag": (b"channel,subject\nphone,a\n", "text/csv", "?dry_run=perhaps", INVALID),
    "a map to what is ours": (b"channel,subject,x\nphone,a,b\n", "text/csv", "?map.number=x", INVALID),
    "a bad zone": (b"channel,subject\nphone,a\n", "text/csv", "?timezone=Mars", INVALID),
    "JSON": (b"{}", "application/json", "", (415, "unsupported-media-type")),
    "nothing said": (b"x", "", "", (415, "unsupported-media-type")),
}


def test_imports(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for name, (body, media_type, query, expected) in IMPORTS.items():
            with subtests.test(name):
                headers = {"Content-Type": media_type}
                desk.refuses("POST", f"/v1/imports{query}", expected, content=body, headers=headers)


def test_a_header_of_a_hundred_thousand_columns(desk: Desk) -> None:
    body = ",".join(f"c{n}" for n in range(100_000)).encode() + b"\n1\n"
    desk.refuses("POST", "/v1/imports", INVALID, content=body, headers={"Content-Type": "text/csv"})


# Actions --------------------------------------------------------------------------------------------------

RESPOND = {"action": "respond", "message": "We look into it.", "contact_channel": "phone"}
RESOLVE = {"action": "resolve", "resolution": "Fixed.", "outcome": "upheld", "cause": "technical"}
AMOUNTS: list[Any] = [-1, "NaN", "Infinity", "1e30", 1e30, "1.00001", "x", True, [], None]
ACTIONS: list[tuple[dict[str, Any], Expected]] = [
    ({}, INVALID),
    ({"action": None}, INVALID),
    ({"action": "RESPOND"}, INVALID),
    ({"action": "delete"}, INVALID),
    ({"action": "__init__"}, INVALID),
    ({"action": ["resume"]}, INVALID),
    ({"action": {"a": 1}}, INVALID),
    ({"action": "resume", "reason": "x"}, INVALID),
    ({"action": "resume"}, REFUSED),
    ({"action": "respond"}, INVALID),
    ({"action": "respond", "message": "\u200b", "contact_channel": "phone"}, INVALID),
    ({"action": "respond", "message": "x" * 10_001, "contact_channel": "phone"}, INVALID),
    ({"action": "respond", "message": "x", "contact_channel": "regulator"}, INVALID),
    ({"action": "assign"}, INVALID),
    ({"action": "assign", "team": None, "assignee": None}, INVALID),
    ({"action": "assign", "team": "nothing"}, INVALID),
    ({"action": "assign", "assignee": "nobody"}, INVALID),
    ({"action": "hold", "reason": "outage", "until": "2026-01-06T00:00:00Z"}, REFUSED),
    ({"action": "hold", "reason": "tired", "until": "2026-01-06T00:00:00Z"}, INVALID),
    ({"action": "merge", "into": "nothing"}, INVALID),
    ({"action": "merge", "into": "{id}"}, REFUSED),
    ({"action": "merge", "into": NOWHERE}, INVALID),
    ({"action": "merge", "into": 5}, INVALID),
    ({"action": "escalate", "reason": "x", "role": "king"}, INVALID),
    ({"action": "close", "early": True}, REFUSED),
    ({"action": "close", "early": 1}, INVALID),
    ({**RESOLVE, "cause": "fate"}, INVALID),
    *(({**RESOLVE, "compensation": {"amount": amount, "currency": "CNY"}}, INVALID) for amount in AMOUNTS),
    ({**RESOLVE, "compensation": {"amount": 1, "currency": "yuan"}}, INVALID),
    ({**RESOLVE, "compensation": {"amount": 1, "currency": "RMB"}}, INVALID),
    ({**RESOLVE, "compensation": {"amount": 1}}, INVALID),
    *(
        ({"action": "record_contact", "outcome": "solved", "csat": csat}, INVALID)
        for csat in (0, 6, True, "5", 4.5, [5])
    ),
    ({"action": "record_contact", "outcome": "solved", "csat": 10**400}, MALFORMED),
    ({"action": "record_contact", "outcome": "solved", "nps": 11}, INVALID),
    ({"action": "record_contact", "outcome": "solved", "csat": 5}, REFUSED),
]


def test_actions(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for body, expected in ACTIONS:
            with subtests.test(str(body)[:80]):
                sent = json.dumps(body).replace("{id}", desk.id)
                desk.refuses("POST", "/v1/complaints/{id}/transitions", expected, content=sent, headers=JSON)


def test_a_whole_number_is_whole_however_it_is_written(desk: Desk) -> None:
    """JSON has one kind of number: 1.0 is the integer 1 (RFC 8259, JSON Schema)."""
    for action in (RESOLVE, {"action": "notify_result", "message": "x", "contact_channel": "phone"}):
        assert desk.client.post(f"/v1/complaints/{desk.id}/transitions", json=action).status_code == 200
    body = '{"action": "record_contact", "outcome": "solved", "csat": 5.0}'
    answer = desk.client.post(f"/v1/complaints/{desk.id}/transitions", content=body, headers=JSON)
    assert (answer.status_code, repr(answer.json()["satisfaction"]["csat"])) == (200, "5")


BESIDE: list[tuple[str, dict[str, Any]]] = [
    ("links", {"type": "related", "complaint_id": "{id}"}),
    ("links", {"type": "related", "complaint_id": NOWHERE}),
    ("links", {"type": "related", "complaint_id": "x' OR 1=1"}),
    ("links", {"type": "caused", "complaint_id": "{other}"}),
    ("promises", {"text": "x", "due_at": "2026-01-05T00:59:00Z"}),
    ("promises", {"text": "x", "due_at": "3000-01-01T00:00:00Z"}),
    ("promises", {"text": "x", "due_at": "2026-02-01"}),
    ("promises", {"text": "\u200b", "due_at": "2026-02-01T00:00:00Z"}),
    ("notes", {"text": ""}),
    ("notes", {"text": "x" * 100_001}),
    ("notes", {"text": "x", "visibility": "secret"}),
    ("replan", {"policy": {"code": "telecom-handbook", "version": 2**31}}),
    ("replan", {"policy": {"code": "telecom-handbook", "version": True}}),
    ("replan", {"policy": {"code": "nothing", "version": 1}}),
]


def test_side_routes(desk: Desk, subtests: pytest.Subtests) -> None:
    with desk.refuses_many():
        for name, body in BESIDE:
            with subtests.test(f"{name} {body}"[:80]):
                sent = json.dumps(body).replace("{id}", desk.id).replace("{other}", desk.other)
                desk.refuses("POST", f"/v1/complaints/{{id}}/{name}", INVALID, content=sent, headers=JSON)


def test_a_hold_ends_in_good_time(desk: Desk) -> None:
    path = f"/v1/complaints/{desk.id}/transitions"
    assert desk.client.post(path, json=RESPOND).status_code == 200
    desk.before = desk.rows()
    for until in (
        "2020-01-01T00:00:00Z",
        "2026-01-05T01:00:00Z",
        "2026-06-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
    ):
        desk.refuses("POST", path, INVALID, json={"action": "hold", "reason": "outage", "until": until})


def test_an_early_close_needs_the_right_and_says_what_was_agreed(desk: Desk) -> None:
    for action in (RESOLVE, {"action": "notify_result", "message": "x", "contact_channel": "phone"}):
        assert desk.client.post(f"/v1/complaints/{desk.id}/transitions", json=action).status_code == 200
    desk.before = desk.rows()
    desk.refuses("POST", "/v1/complaints/{id}/transitions", INVALID, json={"action": "close", "early": True})
