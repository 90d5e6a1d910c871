"""`GET /docs`: the OpenAPI document as one page, made here: nothing comes from outside, no script runs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from complaints.api.openapi.html_pages import Pages

router = APIRouter(include_in_schema=False)

_MAX_QUERY = 200
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_LIMITS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "minItems": "items ≥ {}",
    "maxItems": "items ≤ {}",
    "pattern": "pattern {}",
    "default": "default {}",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a parameter or a member."""

    name: str
    where: str
    type: Markup
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type; `example` is pretty JSON, "" for none."""

    media_type: str
    type: Markup
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers with one status."""

    status: str
    description: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method at one path."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    description: str
    parameters: tuple[Row, ...]
    body: tuple[Content, ...]
    answers: tuple[Answer, ...]

    def mentions(self, words: Iterable[str]) -> bool:
        """Whether every word occurs in it, in any case."""
        names = " ".join(row.name for row in self.parameters)
        text = f"{self.method} {self.path} {self.tag} {self.summary} {self.description} {names}".casefold()
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Schema:
    """One named schema."""

    name: str
    type: Markup
    description: str
    members: tuple[Row, ...]
    example: str

    def mentions(self, words: Iterable[str]) -> bool:
        """Whether every word occurs in it, in any case."""
        text = f"{self.name} {self.description} {' '.join(row.name for row in self.members)}".casefold()
        return all(word in text for word in words)


@router.get("/docs")
async def show_docs(request: Request, q: str = "") -> Response:
    """The page; `q` keeps only the operations and schemas in which all its words occur."""
    document = cast(FastAPI, request.app).openapi()
    words = q[:_MAX_QUERY].casefold().split()
    operations = [one for one in read_operations(document) if one.mentions(words)]
    groups: dict[str, list[Operation]] = {}
    for operation in operations:
        groups.setdefault(operation.tag, []).append(operation)
    return _PAGES.page(
        "docs",
        title=document["info"]["title"],
        version=document["info"]["version"],
        about=document["info"].get("description", ""),
        groups=groups,
        schemas=[one for one in read_schemas(document) if one.mentions(words)],
        q=q[:_MAX_QUERY],
    )


def read_operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of an OpenAPI document, in its order."""
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                yield _operation(path, method, item[method])


def _operation(path: str, method: str, spec: dict[str, Any]) -> Operation:
    return Operation(
        id=spec.get("operationId", f"{method} {path}"),
        method=method.upper(),
        path=path,
        tag=next(iter(spec.get("tags", ())), "other"),
        summary=spec.get("summary", ""),
        description=spec.get("description", ""),
        parameters=tuple(_parameter(one) for one in spec.get("parameters", ())),
        body=_contents(spec.get("requestBody", {}).get("content", {})),
        answers=tuple(
            Answer(status, answer.get("description", ""), _contents(answer.get("content", {})))
            for status, answer in spec.get("responses", {}).items()
        ),
    )


def _parameter(spec: dict[str, Any]) -> Row:
    schema = spec.get("schema", {})
    description = spec.get("description") or schema.get("description", "")
    return Row(spec["name"], spec["in"], type_of(schema), spec.get("required", False), description)


def _contents(content: dict[str, Any]) -> tuple[Content, ...]:
    return tuple(
        Content(media_type, type_of(one.get("schema", {})), _example(one) or _example(one.get("schema", {})))
        for media_type, one in content.items()
    )


def _example(spec: dict[str, Any]) -> str:
    """The first example given, as JSON; "" for none."""
    found = spec.get("example")
    examples = spec.get("examples")
    if found is None and isinstance(examples, dict) and examples:
        found = next(iter(examples.values())).get("value")
    if found is None and isinstance(examples, list) and examples:
        found = examples[0]
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False, indent=2)


def read_schemas(document: dict[str, Any]) -> Iterator[Schema]:
    """Every named schema of an OpenAPI document, by name."""
    for name, spec in sorted(document.get("components", {}).get("schemas", {}).items()):
        required = spec.get("required", ())
        members = tuple(
            Row(member, "", type_of(one), member in required, one.get("description", ""))
            for member, one in spec.get("properties", {}).items()
        )
        yield Schema(name, type_of(spec), spec.get("description", ""), members, _example(spec))


def type_of(schema: dict[str, Any]) -> Markup:
    """A schema in a few words, with links to the named ones; what it says is escaped."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            joined = escape(" and " if choice == "allOf" else " or ").join(map(type_of, schema[choice]))
            return joined + _limits(schema)
    if "enum" in schema:
        return escape(", ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"]))
    if "const" in schema:
        return escape(json.dumps(schema["const"], ensure_ascii=False))
    if schema.get("type") == "array":
        return Markup("array of ") + type_of(schema.get("items", {})) + _limits(schema)
    return escape(_plain(schema)) + _limits(schema)


def _plain(schema: dict[str, Any]) -> str:
    types = schema.get("type", "any")
    name = " or ".join(types) if isinstance(types, list) else str(types)
    return f"{name} ({schema['format']})" if "format" in schema else name


def _limits(schema: dict[str, Any]) -> Markup:
    told = [form.format(schema[key]) for key, form in _LIMITS.items() if schema.get(key) is not None]
    return escape(f"; {', '.join(told)}" if told else "")


_PAGES = Pages(
    {
        "docs": """{% extends "layout" %}
{% macro rows(heading, rows) %}
<table>
<tr><th>{{ heading }}</th><th>type · 类型</th><th>description · 说明</th></tr>
{% for row in rows %}
<tr><td><code>{{ row.name }}</code>{% if row.required %} *{% endif %}{% if row.where %}
<br><span class="quiet">{{ row.where }}</span>{% endif %}</td>
<td>{{ row.type }}</td><td>{{ row.description }}</td></tr>
{% endfor %}
</table>
{% endmacro %}
{% macro contents(all) %}
{% for content in all %}
<p><code>{{ content.media_type }}</code> {{ content.type }}</p>
{% if content.example %}<pre>{{ content.example }}</pre>{% endif %}
{% endfor %}
{% endmacro %}
{% macro text(words) %}
{% for part in words.split("\n\n") if part %}<p>{{ part }}</p>{% endfor %}
{% endmacro %}
{% block title %}{{ title }} {{ version }}{% endblock %}
{% block main %}
<h1>{{ title }} <span class="quiet">{{ version }}</span></h1>
{{ text(about) }}
<p><a href="/openapi.json">openapi.json</a> · <a href="/problems">problems · 问题</a></p>
<form action="/docs" method="get" role="search">
<label for="q">Search · 搜索</label>
<input id="q" name="q" type="search" value="{{ q }}" maxlength="200"> <button>Search · 搜索</button>
{% if q %}<a href="/docs">show all · 显示全部</a>{% endif %}
</form>
<nav aria-label="Operations · 接口">
<h2>Contents · 目录</h2>
{% for tag, operations in groups.items() %}
<h3>{{ tag }}</h3>
<ul>
{% for o in operations %}
<li><a href="#{{ o.id }}"><span class="method">{{ o.method }}</span> <code>{{ o.path }}</code></a>
{{ o.summary }}</li>
{% endfor %}
</ul>
{% else %}
<p>No operation has all these words. · 没有符合的接口。</p>
{% endfor %}
</nav>
<h2>Operations · 接口</h2>
{% for tag, operations in groups.items() %}{% for o in operations %}
<section id="{{ o.id }}">
<h3><span class="method">{{ o.method }}</span> <code>{{ o.path }}</code></h3>
<p>{{ o.summary }}</p>
{{ text(o.description) }}
{% if o.parameters %}<h4>Parameters · 参数</h4>{{ rows("name · 名称", o.parameters) }}{% endif %}
{% if o.body %}<h4>Request body · 请求体</h4>{{ contents(o.body) }}{% endif %}
<h4>Answers · 响应</h4>
{% for answer in o.answers %}
<p><strong>{{ answer.status }}</strong> {{ answer.description }}</p>
{{ contents(answer.contents) }}
{% endfor %}
</section>
{% endfor %}{% endfor %}
<h2>Schemas · 数据结构</h2>
<p class="quiet">* required · 必填</p>
{% for s in schemas %}
<section id="schema-{{ s.name }}">
<h3>{{ s.name }}</h3>
{{ text(s.description) }}
{% if s.members %}{{ rows("member · 成员", s.members) }}{% else %}<p>{{ s.type }}</p>{% endif %}
{% if s.example %}<h4>Example · 示例</h4><pre>{{ s.example }}</pre>{% endif %}
</section>
{% endfor %}
{% endblock %}"""
    }
)
