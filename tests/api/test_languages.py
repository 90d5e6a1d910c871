"""The language of refusals: the choice by `Accept-Language`, and the Chinese forms of messages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, thread_time
from uuid import UUID

import pytest

import complaints
from complaints.api.problems import translations
from complaints.api.problems.languages import choose_language
from complaints.api.problems.translations import find_translation, say
from complaints.use_cases.service import Service
from complaints.wiring import open_import_worker
from tests.api_client import ApiClient
from tests.support import Scenario

ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}


PREFERRED = [
    ("", "en"),
    ("*", "en"),
    ("fr, de;q=0.5", "en"),
    ("zh", "zh"),
    ("zh-CN", "zh"),
    ("zh-Hans-CN", "zh"),
    ("zh-TW", "zh"),
    ("ZH-cn", "zh"),
    ("zh-CN, en", "zh"),
    ("en, zh-CN", "en"),
    ("en;q=0.8, zh;q=0.9", "zh"),
    ("zh;q=0.8,en-US;q=0.9", "en"),
    ("zh ; Q=0.5\t,fr", "zh"),
    ("fr, *;q=0.5, zh;q=0.1", "en"),
    ("en;q=0.1, *;q=0.5", "zh"),
    ("zh;q=0", "en"),
    ("zh;q=0, en;q=0", "en"),
    ("zh;q=2", "en"),
    ("zh;q=nonsense, ;;,,=", "en"),
    ("中文", "en"),
    ("zhongwen", "en"),
    ("fr," * 19 + "zh", "zh"),
    ("fr," * 20 + "zh", "en"),
]


def test_the_language_that_a_header_prefers(subtests: pytest.Subtests) -> None:
    for accepted, language in PREFERRED:
        with subtests.test(accepted[:60]):
            assert choose_language(accepted) == language


@pytest.mark.parametrize("part", ["zh,", "zh ", "zh;", ", ;q=0.", "-", "\t"])
def test_a_long_header_takes_no_time(part: str) -> None:
    started = perf_counter()
    choose_language("zh" + part * (10_000 // len(part)))
    assert perf_counter() - started < 0.02


TRANSLATED = [
    ("There is no user 'nobody'.", "没有用户 'nobody'。"),
    (
        "There is no active user 'amdin': did you mean 'admin'?",
        "没有可用的用户 'amdin'，您是否想用 'admin'？",
    ),
    ("there is no team 'nobody'", "没有处理部门 'nobody'。"),
    ("user is required.", "缺少 user。"),
    ("type is required; complaint_id is required.", "缺少 type；缺少 complaint_id。"),
    (
        "colour is unknown here; check its spelling, or leave it out; type is required",
        "无法识别 colour，请检查拼写或删除；缺少 type。",
    ),
    ("sooner is unknown here; did you mean 'soon'?", "无法识别 sooner，您是否想用 'soon'？"),
    ("phone should be a valid string.", "phone 应为字符串。"),
    ("type should be 'a', 'b' or 'c'.", "type 应为 'a', 'b' 或 'c'。"),
    (
        "the policy document cannot be accepted: 2 faults; the first: line 3: unknown team 'a'; there are 'b', 'c'",
        "规则文档有 2 处错误，第一处：第 3 行：无法识别处理部门 'a'；可用的有 'b', 'c'。",
    ),
    (
        "map.a: it has no value; set.b: it is given twice (and 2 more)",
        "map.a：没有值；set.b：重复给出（另有 2 处）。",
    ),
    ("There is no user 'a; b is required; c'.", "没有用户 'a; b is required; c'。"),
    ("There is no user '{name} {0} %s'.", "没有用户 '{name} {0} %s'。"),
    ("There is no user 'one\ntwo. three: must be text'.", "没有用户 'one\ntwo. three: must be text'。"),
    ("There is no user 'There is no user 'x'.'.", "没有用户 'There is no user 'x'.'。"),
]


def test_messages_in_chinese(subtests: pytest.Subtests) -> None:
    for message, chinese in TRANSLATED:
        with subtests.test(message[:60]):
            assert find_translation(message) == chinese


@pytest.mark.parametrize("message", ["", "because", "line 3: because", "a is required; because", "x" * 3000])
def test_what_has_no_translation_stays_english(message: str) -> None:
    assert find_translation(message) is None
    assert say(message, choose_language("zh")).removesuffix(".") == message


@pytest.mark.parametrize(
    "message", ["phone: must be one e-mail address", "Send a key.", "did you mean 'x'?", "cut…", ""]
)
def test_an_english_message_ends_once(message: str) -> None:
    assert say(message, choose_language("en")) in (message, f"{message}.")
    assert not re.search(r"[.?…]\.$", say(message, choose_language("en")))


@pytest.mark.parametrize(
    "part",
    ["a", "; ", ": ", "a: ", "a should ", "x is required; ", "line 1: ", "' is '", "There is no ", " (and "],
)
def test_the_time_of_a_hostile_message_grows_with_its_length_alone(part: str) -> None:
    """Four times the length takes about four times as long. If a template looked back, it would take sixteen."""
    find_translation("warm")
    short, long = (_least_seconds((part * length)[:length]) for length in (500, 2000))
    assert long < 8 * short


def _least_seconds(message: str) -> float:
    spent = []
    for _ in range(10):
        translations._translate.cache_clear()
        started = thread_time()
        find_translation(message)
        spent.append(thread_time() - started)
    return min(spent)


def test_both_forms_of_a_template_have_the_same_parts() -> None:
    parts = translations._PLACEHOLDER
    for english, chinese in translations._read()["messages"].items():
        found = parts.findall(english)
        assert len(found) == len(set(found)), english
        assert set(parts.findall(chinese)) <= set(found), english
        assert re.search("[一-鿿：]|{message}", chinese), english
        assert not re.search(r"\.$|\}\{", english), english


REFUSALS = {
    "InvalidContent",
    "at",
    "Fault",
    "ValueError",
    "Conflict",
    "TransitionRefused",
    "NotFound",
    "Forbidden",
}
REFUSALS |= {"BadRequest", "Unavailable", "Contended", "KeyReused", "refuse_file", "_fault"}
NOT_FOR_CALLERS = (
    "cli/",
    "wiring/",
    "settings.py",
    "storage/database/",
    "openapi/",
    "api/middleware.py",
    "api/feature.py",
    "domain/simulation/",
    "features/notifications/settings.py",
    "outbound/clamd.py",
    "use_cases/demo/",
    "use_cases/mail_account.py",
    "use_cases/simulation/",
)


def fixed_messages(source: Path) -> Iterator[str]:
    """The messages without varying parts in the calls of a module that make a refusal."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in REFUSALS
        ):
            texts = (one.value for one in node.args if isinstance(one, ast.Constant))
            yield from (text for text in texts if isinstance(text, str) and " " in text)


def test_every_fixed_message_has_a_translation() -> None:
    root = Path(complaints.__file__).parent
    sources = [
        one for one in root.rglob("*.py") if not one.relative_to(root).as_posix().startswith(NOT_FOR_CALLERS)
    ]
    messages = [message for source in sources for message in fixed_messages(source)]
    assert len(messages) > 100
    # The name of the member stands before some messages about rows of imports.
    assert [
        one for one in messages if not (find_translation(one) or find_translation(f"subject {one}"))
    ] == []


# Answers


def test_a_problem_in_both_languages(client: ApiClient) -> None:
    sent = {"channel": "phone", "colour": 1}
    english = client.post("/v1/complaints", json=sent)
    chinese = client.post("/v1/complaints", json=sent, headers=ZH)
    assert (english.headers["content-language"], english.headers["vary"]) == ("en", "Accept-Language")
    assert (chinese.headers["content-language"], chinese.headers["vary"]) == ("zh", "Accept-Language")
    assert english.json()["detail"].startswith("subject is required; colour is unknown here; ")
    body = chinese.json()
    assert not body["title"].isascii()
    assert body["detail"].startswith("缺少 subject；无法识别 colour")
    assert body["errors"][0] == {"pointer": "/subject", "message": "缺少 subject。"}
    assert body["type"] == english.json()["type"]


def test_refusals_of_every_layer_are_in_chinese(client: ApiClient) -> None:
    for method, path, options, detail in (
        ("GET", "/v1/complaints/C999999995", {}, "'C999999995' 输入有误：校验位不符。请重新核对投诉编号。"),
        ("GET", "/v1/nowhere", {}, "此地址没有内容。"),
        ("DELETE", "/v1/complaints", {}, "此地址不支持 DELETE，请看响应头 Allow。"),
        (
            "GET",
            "/v1/complaints",
            {"headers": {"Authorization": "Bearer x"}},
            "请发送 Authorization: Bearer <密钥>，密钥须有效。",
        ),
        ("GET", "/v1/complaints?limit=0", {}, "limit 应不小于 1。"),
        ("GET", "/v1/complaints?colour=red", {}, "无法识别 colour，"),
        ("POST", "/v1/complaints", {"content": b"{"}, "请求体不是合法的 JSON："),
        (
            "POST",
            "/v1/complaints",
            {"content": b"{}", "headers": {"Content-Encoding": "gzip"}},
            "请直接发送请求体，",
        ),
        (
            "POST",
            "/v1/policies/validate",
            {"content": b"[]"},
            "规则文档有误：第 1 行：必须是名称到值的映射。",
        ),
        (
            "POST",
            "/v1/imports?map.subjekt=a",
            {"headers": {"Content-Type": "text/csv"}},
            "map.subjekt：投诉没有成员 'subjekt'，",
        ),
    ):
        headers = {**ZH, "Content-Type": "application/json", **options.get("headers", {})}
        answer = client.request(method, path, **{**options, "headers": headers})
        assert answer.json()["detail"].startswith(detail), answer.json()
        assert not answer.json()["title"].isascii()


def test_a_parameter_and_a_list_are_called_by_their_names(client: ApiClient) -> None:
    fault = client.get("/v1/complaints?status=received&status=x").json()["errors"][0]
    assert (fault["in"], fault["parameter"]) == ("query", "status")
    assert fault["message"].startswith("status should be ")
    answer = client.post("/v1/complaints", json={"channel": "phone", "subject": "a", "tags": 1})
    assert answer.json()["errors"][0]["message"] == "tags should be a list."


def test_the_faults_of_imported_rows_in_chinese(client: ApiClient, service: Service) -> None:
    rows = "channel,subject,received_at,vulnerable\nnone,a,2026-01-01T00:00:00Z,\nphone,b,today,perhaps\n"
    query = "?map.received_at=received_at&map.complainant.vulnerable=vulnerable"
    begun = client.post(f"/v1/imports{query}", content=rows, headers={"Content-Type": "text/csv"})
    assert begun.status_code == 202, begun.text
    assert open_import_worker(service).work_on(UUID(begun.json()["id"]))
    path = f"/v1/imports/{begun.json()['id']}/errors"
    assert (
        client.get(path).headers["content-language"] == "en"
    )  # the client checks that all of it can be translated
    answer = client.get(path, headers=ZH)
    assert answer.headers["content-language"] == "zh"
    first, second = answer.json()["items"]
    assert first["errors"][0]["message"].startswith("channel 应为 'phone', ")
    assert [one["message"].partition("：")[0] for one in second["errors"]] == [
        "received_at 是 'today'",
        "complainant.vulnerable 是 'perhaps'",
    ]


def test_the_reasons_of_refused_actions_in_chinese(client: ApiClient, scenario: Scenario) -> None:
    path = f"/v1/complaints/{scenario.post().id}/transitions"
    answer = client.get(path, headers=ZH)
    reasons = {one["action"]: one["refused_because"] for one in answer.json()["items"]}
    assert reasons["respond"] is None
    assert reasons["close"] == "投诉处于 received 状态时不能执行。"
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("zh", "Accept-Language")
    assert client.get(path).headers["content-language"] == "en"
