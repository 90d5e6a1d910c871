"""The one catalogue of problems (RFC 9457), and the answers made from it.

Every refusal has a code; `/problems/<code>` is its type and explains it. An answer's `errors[]` names what is
wrong: `pointer` is a JSON Pointer (RFC 6901) into the body, "" for the whole of it; a fault outside the body
has an empty pointer, and says where it is with `in` (`query`, `header`, `cookie`) and `parameter` (its name).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from starlette.responses import Response

from complaints.domain.errors import ComplaintError, Fault, clip
from complaints.use_cases.commands.messages import MAX_ERRORS

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the catalogue. `headers` always go with its answer."""

    code: str
    status: int
    title_en: str
    title_zh: str
    explanation_en: str
    explanation_zh: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The problem's type, a relative URI reference."""
        return f"/problems/{self.code}"


_ALL = (
    Problem(
        "bad-request",
        400,
        "The request makes no sense",
        "请求无法理解",
        "The request line, a header, a cursor, or the name of a filter, sort field or query parameter is "
        "not one this service knows. `detail` says which. Cursors are opaque: send back the one you were "
        "given, with the same filters.",
        "请求行、请求头、游标,或者过滤、排序、查询参数的名称不正确,`detail` 说明是哪一个。游标不可自"
        "行构造:请原样送回,并保持过滤条件不变。",
    ),
    Problem(
        "malformed-json",
        400,
        "The body is not valid JSON",
        "请求体不是合法的 JSON",
        "The body must be one JSON value (RFC 8259) in UTF-8 without a byte order mark: no member named "
        "twice, no NaN or Infinity, no number beyond a double, nothing after the value. `detail` says "
        "where it broke.",
        "请求体必须是一个 UTF-8 编码、不带 BOM 的 JSON 值(RFC 8259):成员不得重名,不得有 NaN 或 Infini"
        "ty,数值不得超出双精度范围,值之后不得有多余内容。`detail` 指出出错位置。",
    ),
    Problem(
        "unauthenticated",
        401,
        "A valid key is required",
        "需要有效的密钥",
        "Send `Authorization: Bearer <key>` with a key that exists and is neither expired nor revoked.",
        "请在请求头中发送 `Authorization: Bearer <密钥>`,密钥须存在,且未过期、未吊销。",
        MappingProxyType({"WWW-Authenticate": "Bearer"}),
    ),
    Problem(
        "forbidden",
        403,
        "The right is missing",
        "没有权限",
        "The key is valid but its roles, or the complaints it may see, do not cover this call. Ask an "
        "administrator for a key with the role you need.",
        "密钥有效,但其角色或可见的投诉范围不包括此操作。请向管理员申请具有相应角色的密钥。",
    ),
    Problem(
        "not-found",
        404,
        "There is no such thing",
        "不存在",
        "Nothing is at this address, or the key may not know of it. Check the path and the id.",
        "此地址没有内容,或者该密钥无权知晓。请检查路径和编号。",
    ),
    Problem(
        "method-not-allowed",
        405,
        "The method is not allowed here",
        "此地址不支持该方法",
        "The address exists but does not take this method; the `Allow` header lists those it takes.",
        "地址存在,但不支持该方法;`Allow` 响应头列出了支持的方法。",
    ),
    Problem(
        "request-timeout",
        408,
        "The request stopped arriving",
        "请求传输中断",
        "Nothing more of the request came for too long, and the connection was closed. Nothing was "
        "stored; send the request again.",
        "长时间没有收到请求的后续内容,连接已关闭。没有保存任何内容,请重新发送。",
        MappingProxyType({"Connection": "close"}),
    ),
    Problem(
        "conflict",
        409,
        "It contradicts what is there",
        "与现有内容冲突",
        "What was asked for contradicts what is stored. Read the present state, decide again, and repeat.",
        "所请求的操作与已保存的内容矛盾。请先读取当前状态,再作决定。",
    ),
    Problem(
        "transition-refused",
        409,
        "The action is not legal now",
        "当前不能执行该操作",
        "The complaint's present state does not allow this action, and nothing was changed. `allowed` "
        "lists the actions that are legal now; `GET /v1/complaints/{id}/transitions` says what each must "
        "carry.",
        "投诉的当前状态不允许该操作,未作任何改动。`allowed` 列出现在可以执行的操作;`GET /v1/complaint"
        "s/{id}/transitions` 说明每个操作需要的内容。",
    ),
    Problem(
        "idempotency-in-progress",
        409,
        "The same request is still running",
        "相同请求正在处理",
        "The first request with this `Idempotency-Key` has not been answered yet. Wait as long as "
        "`Retry-After` says and send it again: you will get the first answer.",
        "使用同一 `Idempotency-Key` 的第一个请求尚未完成。请按 `Retry-After` 等待后重发,将得到第一次的答复。",
        MappingProxyType({"Retry-After": "1"}),
    ),
    Problem(
        "stale-version",
        412,
        "The complaint has changed meanwhile",
        "投诉已被他人修改",
        "`If-Match` names an older version than the present one, and nothing was changed. Read the "
        "complaint again and repeat with its new `ETag`.",
        "`If-Match` 所指的版本已过时,未作任何改动。请重新读取投诉,并使用新的 `ETag` 再试。",
    ),
    Problem(
        "payload-too-large",
        413,
        "The body is too large",
        "请求体过大",
        "The body is larger than this address takes (1 MiB, where nothing else is said), and the "
        "connection was closed. Split it, or use an import or an attachment.",
        "请求体超过此地址的上限(未另行说明时为 1 MiB),连接已关闭。请拆分内容,或使用导入、附件接口。",
        MappingProxyType({"Connection": "close"}),
    ),
    Problem(
        "unsupported-media-type",
        415,
        "The body's media type is not taken here",
        "不支持的内容类型",
        "Send `Content-Type: application/json`, in UTF-8, unless this address says otherwise.",
        "除非另有说明,请发送 `Content-Type: application/json`,并使用 UTF-8 编码。",
    ),
    Problem(
        "content-encoding-refused",
        415,
        "Encoded bodies are not taken",
        "不接受压缩或编码的请求体",
        "The request has a `Content-Encoding`. Send the body as it is, neither compressed nor otherwise "
        "encoded.",
        "请求带有 `Content-Encoding`。请直接发送未经压缩或编码的内容。",
        MappingProxyType({"Accept-Encoding": "identity"}),
    ),
    Problem(
        "invalid-content",
        422,
        "The content is not acceptable",
        "内容不符合要求",
        "The request can be read, but what it says cannot be accepted. `errors[]` names each fault: "
        "`pointer` is a JSON Pointer (RFC 6901) into the body, empty for the whole of it; for a fault "
        "outside the body, `in` and `parameter` say where it is. Correct it and send it again; the same "
        "`Idempotency-Key` may be used.",
        "请求可以读取,但内容不能接受。`errors[]` 逐一指出:`pointer` 是指向请求体内的 JSON Pointer(RFC"
        " 6901),空串表示整个请求体;不在请求体内的问题由 `in` 和 `parameter` 指明位置。改正后可用同一 "
        "`Idempotency-Key` 重发。",
    ),
    Problem(
        "idempotency-key-reused",
        422,
        "The idempotency key was used for another body",
        "幂等键已用于其他内容",
        "This `Idempotency-Key` was already used at this address with another body. Use a new key for a "
        "new request; keep the key only to repeat the very same one.",
        "此 `Idempotency-Key` 已在同一地址用于不同的请求体。新请求请用新键;只有原样重发时才沿用旧键。",
    ),
    Problem(
        "head-too-large",
        431,
        "The request head is too large",
        "请求头过大",
        "The request line and the headers together are larger than 64 KiB, and the connection was closed.",
        "请求行与请求头合计超过 64 KiB,连接已关闭。",
        MappingProxyType({"Connection": "close"}),
    ),
    Problem(
        "internal-error",
        500,
        "Something failed on our side",
        "服务内部出错",
        "It is not your request's fault. Whether it took effect is unknown: repeat it with the same "
        "`Idempotency-Key`. `request_id` finds it in the logs; quote it when you report it.",
        "这不是请求的问题。请求是否生效不能确定:请用同一 `Idempotency-Key` 重发。报告问题时请提供 `re"
        "quest_id`,以便在日志中查找。",
    ),
    Problem(
        "service-unavailable",
        503,
        "The service is out of reach for now",
        "服务暂时不可用",
        "Something this service needs, such as its database, is out of reach or full. Nothing was "
        "acknowledged. Wait as long as `Retry-After` says and repeat with the same `Idempotency-Key`.",
        "服务所依赖的资源(例如数据库)暂时不可用或已满,请求未被确认。请按 `Retry-After` 等待后,用同一 "
        "`Idempotency-Key` 重发。",
        MappingProxyType({"Retry-After": "5"}),
    ),
)

PROBLEMS: Mapping[str, Problem] = MappingProxyType({problem.code: problem for problem in _ALL})
"""Every problem by its code, in the order of their status."""

_BY_KIND = {
    "invalid": "invalid-content",
    "forbidden": "forbidden",
    "not-found": "not-found",
    "conflict": "conflict",
    "stale": "stale-version",
    "unavailable": "service-unavailable",
}


def problem_for(refusal: ComplaintError, problems: Mapping[str, Problem] = PROBLEMS) -> Problem:
    """The catalogue's entry for a refusal: by its code, else by its kind, so that none becomes a 500.

    `problems`: the catalogue with the problems of the annexes.
    """
    found = problems.get(refusal.code)
    return found if found is not None else PROBLEMS[_BY_KIND.get(refusal.kind, "bad-request")]


def faults_as_errors(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Faults in the form of `errors[]`."""
    return [{"pointer": clip(fault.pointer), "message": clip(fault.message)} for fault in faults]


def problem_response(
    problem: Problem,
    *,
    detail: str,
    instance: str,
    errors: Sequence[Mapping[str, str]] = (),
    allowed: Sequence[str] | None = None,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> Response:
    """The answer to a problem: `application/problem+json`, every text cut to a length, at most 50 errors."""
    body: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title_en,
        "status": problem.status,
        "detail": clip(detail),
        "instance": clip(instance),
    }
    if errors or problem.status == 422:
        body["errors"] = list(errors)[:MAX_ERRORS] or [{"pointer": "", "message": clip(detail)}]
    if allowed is not None:
        body["allowed"] = list(allowed)
    if request_id is not None:
        body["request_id"] = request_id
    return Response(
        # "replace": a lone surrogate must not turn a refusal into a failure.
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers={**problem.headers, **(headers or {})},
    )


def instance_of(scope: Mapping[str, Any]) -> str:
    """The path that was asked for, as sent, without its query (which may hold personal data)."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    return raw.partition(b"?")[0].decode("latin-1")


def render_catalogue(problems: Mapping[str, Problem] = PROBLEMS) -> str:
    """`docs/problems.md`: the catalogue for readers."""
    rows = [
        f"| {one.status} | [`{one.code}`](#{one.code}) | {one.title_en} | {one.title_zh} |"
        for one in problems.values()
    ]
    return _PREFACE + "\n".join(rows) + "\n" + "".join(map(_section, problems.values()))


_PREFACE = """# Problems

Generated from `complaints.api.problems.catalogue`; do not edit.

Every refusal is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`, `instance`, and
where they apply `errors[]`, `allowed[]`, `request_id`. `GET /problems/<code>` explains one, `GET /problems`
lists them.

An entry of `errors[]` has a `message` and a `pointer`: a JSON Pointer (RFC 6901) into the body, empty for the
whole of it. A fault outside the body has an empty `pointer`, and `in` (`query`, `header`, `cookie`) and
`parameter` (its name) say where it is. At most 50 are listed.

| status | code | title | 名称 |
|---|---|---|---|
"""


def _section(problem: Problem) -> str:
    heading = f"## {problem.code}\n\n{problem.status} · {problem.title_en} · {problem.title_zh}"
    sent = [f"Sent with `{name}: {value}`." for name, value in problem.headers.items()]
    return "\n" + "\n\n".join([heading, problem.explanation_en, problem.explanation_zh, *sent]) + "\n"
