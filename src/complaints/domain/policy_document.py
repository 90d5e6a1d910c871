"""Policy documents: the written form of a policy (domain §4, docs/policies.md), in YAML or JSON, and back.

Reading finds everything that is wrong at once, each fault with its place in the document and its line.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import yaml

from complaints.domain.calendars import WEEKDAYS, Span, WorkCalendar, always_open
from complaints.domain.document_nodes import Findings, Node
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.notation import length_text, target_text
from complaints.domain.policies import DeadlineRule, Policy, Step
from complaints.domain.policy_reading import Context, policy_of

LARGEST_DOCUMENT_BYTES = 256 * 1024
_MOST_NODES = 20_000
_DEEPEST = 32
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class PolicyReading:
    """A policy read without a fault, and what in its document deserves a look, each with its line."""

    policy: Policy
    warnings: tuple[Fault, ...]


def read_policy(
    text: str,
    *,
    version: int = 1,
    calendars: Mapping[str, WorkCalendar] | None = None,
    teams: Collection[str] | None = None,
    categories: Collection[str] | None = None,
) -> PolicyReading:
    """The policy that `text` (YAML or JSON) describes; `version` is assigned by whoever stores it.

    `calendars` are the stored ones that `use` may name; the policy takes them in as they are now. Teams and
    categories named must be among `teams` and `categories`; None leaves them unchecked. Raises
    InvalidContent with one fault for each thing wrong: its JSON pointer, and "line N: " before the message.
    """
    root, findings = _compose(text)
    return _read(root, Context(findings, calendars or {}, teams, categories), version=version)


def to_document(policy: Policy) -> dict[str, object]:
    """The policy as plain JSON data, its calendars written out: `from_document` reads it back equal."""
    return {
        "code": policy.code,
        "title": dict(policy.title),
        "effective_at": _instant_text(policy.effective_at),
        "timezone": policy.timezone,
        "phone_region": policy.phone_region,
        "calendars": {name: _calendar_members(policy, name) for name in policy.calendars},
        "priorities": {
            "from_severity": {str(s): str(p) for s, p in policy.priorities.from_severity.items()},
            "raised_by": sorted(policy.priorities.raised_by),
            "repeat_window_days": policy.priorities.repeat_window_days,
        },
        "deadlines": {str(kind): _rule_members(rule, policy) for kind, rule in policy.rules.items()},
        "follow_ups": {str(p): [target_text(t) for t in plan] for p, plan in policy.follow_ups.items()},
        "closure": target_text(policy.closure),
        "contact_match_days": policy.contact_match_days,
        "unreachable_retry": target_text(policy.unreachable_retry),
        "unreachable_attempts": policy.unreachable_attempts,
        "hold_maximum": target_text(policy.hold_maximum),
        "reopen_window": target_text(policy.reopen_window),
        "routes": [
            _given(team=r.team, cause=r.cause, category=r.category, region=r.region) for r in policy.routes
        ],
        "default_team": policy.default_team,
        "early_close_roles": sorted(policy.early_close_roles),
        "acknowledgement": dict(policy.acknowledgement),
    }


def from_document(document: Mapping[str, object], *, version: int) -> Policy:
    """The policy that `to_document` wrote. Raises InvalidContent when it is not one (all is on line 1)."""
    context = Context(Findings({}), {}, None, None)
    return _read(_node_of(document, ""), context, version=version).policy


def calendar_document(calendar: WorkCalendar) -> dict[str, object]:
    """The calendar as plain JSON data, as `calendars.parse_calendar` reads it."""
    hours = calendar.hours
    return {
        "timezone": calendar.timezone,
        "hours": None
        if hours is None
        else {WEEKDAYS[day]: _span_texts(spans) for day, spans in hours.items()},
        "holidays": {day.isoformat(): name for day, name in sorted(calendar.holidays.items())},
        "overrides": {
            day.isoformat(): _span_texts(spans) for day, spans in sorted(calendar.overrides.items())
        },
    }


def _read(root: Node, context: Context, *, version: int) -> PolicyReading:
    policy = context.findings.read(root, partial(policy_of, context=context, version=version))
    context.findings.raise_faults("policy document")
    return PolicyReading(policy.value, tuple(context.findings.warnings))


# From a policy to data --------------------------------------------------------------------------------------


def _calendar_members(policy: Policy, name: str) -> dict[str, object]:
    tables = [
        {"year": table.year, "source": table.source, "confirmed": table.confirmed}
        for table in policy.holiday_tables.get(name, ())
    ]
    return {**calendar_document(policy.calendars[name]), **({"holiday_tables": tables} if tables else {})}


def _rule_members(rule: DeadlineRule, policy: Policy) -> dict[str, object]:
    targets = [
        _given(target=target_text(c.target), priority=c.priority, category=c.category) for c in rule.targets
    ]
    budget = rule.pause_budget_seconds
    return _given(
        calendar=None if rule.calendar == always_open(policy.timezone) else rule.calendar.name,
        targets=targets or None,
        ladder=[_step_members(step) for step in rule.ladder],
        pauses_on=sorted(rule.pauses_on),
        pause_budget=None if budget is None else length_text(budget),
    )


def _step_members(step: Step) -> dict[str, object]:
    return _given(
        at=step.name,
        level=step.level,
        notify=[str(role) for role in step.notify],
        raise_priority=step.raise_priority or None,
        move_to_team=step.move_to_team,
    )


def _given(**members: object) -> dict[str, object]:
    return {name: member for name, member in members.items() if member is not None}


def _span_texts(spans: Sequence[Span]) -> list[list[str]]:
    return [[_time_text(start), _time_text(end)] for start, end in spans]


def _time_text(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    tail = f":{second:02d}" if second else ""
    return f"{minutes // 60:02d}:{minutes % 60:02d}{tail}"


def _instant_text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


# From data and from text to nodes ---------------------------------------------------------------------------


def _node_of(data: object, pointer: str) -> Node:
    """JSON data as nodes."""
    if isinstance(data, Mapping):
        members = {str(name): _node_of(inner, _below(pointer, str(name))) for name, inner in data.items()}
        return Node(pointer, 1, members)
    if isinstance(data, list):
        return Node(pointer, 1, tuple(_node_of(item, f"{pointer}/{n}") for n, item in enumerate(data)))
    if data is None or isinstance(data, str):
        return Node(pointer, 1, data)
    return Node(pointer, 1, json.dumps(data), plain=True)


def _below(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _compose(text: str) -> tuple[Node, Findings]:
    """The one document in `text` as nodes, and what is wrong with its form. Scalars stay text as written."""
    if len(text.encode("utf-8", "replace")) > LARGEST_DOCUMENT_BYTES:
        raise _refused(1, f"the document is larger than {LARGEST_DOCUMENT_BYTES // 1024} KiB")
    # JSON may be indented with tabs, YAML may not; inside its strings JSON has none.
    text = text.expandtabs(1) if text.lstrip("\ufeff \t\r\n").startswith("{") else text
    composer = _Composer(yaml.parse(text, Loader=yaml.SafeLoader))
    try:
        root = composer.document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _refused(line, f"not YAML or JSON: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refused(line, "there is a character that text may not have") from error
    except (ValueError, OverflowError) as error:  # an escape or a version that no character or number has
        raise _refused(composer.line, f"not YAML or JSON: after this, {error}") from error
    findings = Findings(composer.lines)
    findings.faults.extend(composer.doubled)
    return root, findings


class _Composer:
    """Builds nodes from parser events, within limits, so that no document costs more than its size."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self.lines: dict[str, int] = {}
        self.line = 1
        self.doubled: list[Fault] = []
        self._events = events

    def document(self) -> Node:
        """The only document of the stream. Raises InvalidContent, or what the parser raises."""
        next(self._events)
        event = next(self._events)
        if not isinstance(event, yaml.DocumentStartEvent):
            raise _refused(1, "the document is empty")
        root = self._node(next(self._events), "", line=None, depth=0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refused(_line_of(after), "there is a second document; write one")
        return root

    def _node(self, event: yaml.Event, pointer: str, *, line: int | None, depth: int) -> Node:
        line = _line_of(event) if line is None else line
        self.lines[pointer] = self.line = line
        _check_plain_yaml(event, line)
        if len(self.lines) > _MOST_NODES or depth > _DEEPEST:
            raise _refused(
                line, f"the document has more than {_MOST_NODES} values, or is more than {_DEEPEST} deep"
            )
        if isinstance(event, yaml.MappingStartEvent):
            return Node(pointer, line, self._members(pointer, depth))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(pointer, line, tuple(self._items(pointer, depth)))
        assert isinstance(event, yaml.ScalarEvent)
        plain = event.style is None
        is_null = plain and event.value in ("", "~", "null")
        return Node(pointer, line, None if is_null else _whole(event.value, line), plain)

    def _members(self, pointer: str, depth: int) -> dict[str, Node]:
        members: dict[str, Node] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            line = _line_of(key)
            _check_plain_yaml(key, line)
            if not isinstance(key, yaml.ScalarEvent):
                raise _refused(line, "a name must be text, not a list or a mapping")
            name = _whole(key.value, line)
            inner = _below(pointer, name)
            member = self._node(next(self._events), inner, line=line, depth=depth + 1)
            if name in members:
                self.doubled.append(Fault(inner, f"line {line}: '{name[:60]}' is there twice; keep one"))
            members[name] = member
        return members

    def _items(self, pointer: str, depth: int) -> Iterator[Node]:
        index = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self._node(event, f"{pointer}/{index}", line=None, depth=depth + 1)
            index += 1


def _check_plain_yaml(event: yaml.Event, line: int) -> None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _refused(line, "anchors and aliases (& and *) are not read here; write the value out")
    if getattr(event, "tag", None) is not None:
        raise _refused(line, "tags (!) are not read here; write the value alone")


def _whole(text: str, line: int) -> str:
    """`text` with the surrogate pairs that JSON escapes leave joined. Raises InvalidContent for a lone one
    and for control characters other than tabs and line ends.
    """
    try:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise _refused(line, "there is half a character (a lone surrogate)") from error
    if _CONTROL.search(whole):
        raise _refused(line, "there is a control character")
    return whole


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _refused(line: int, message: str) -> InvalidContent:
    told = f"line {line}: {message}"
    return InvalidContent(f"the policy document cannot be read: {told}", faults=[Fault("", told)])
