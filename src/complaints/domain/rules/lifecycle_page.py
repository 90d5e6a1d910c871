"""The page about the lifecycle, made from its table."""

from complaints.domain.rules.lifecycle import TABLE, LifecycleRow, S, mermaid
from complaints.domain.vocabulary import OPEN_STATUSES, Action, Status

STATUS_NAMES_ZH = {
    S.RECEIVED: "已受理",
    S.INVESTIGATING: "调查处理中",
    S.ON_HOLD: "挂起",
    S.RESOLVED: "已有处理结果，待反馈",
    S.FOLLOWING_UP: "跟踪回访中",
    S.CLOSED: "已闭环",
    S.REJECTED: "不予受理",
    S.WITHDRAWN: "已撤诉",
    S.MERGED: "已合并",
}


ACTION_NAMES_ZH = {
    Action.ASSIGN: "指派",
    Action.RESPOND: "响应",
    Action.HOLD: "挂起",
    Action.RESUME: "恢复处理",
    Action.RESOLVE: "作出处理结果",
    Action.NOTIFY_RESULT: "反馈处理结果",
    Action.RECORD_CONTACT: "登记回访",
    Action.REOPEN: "重新处理",
    Action.CLOSE: "闭环",
    Action.ESCALATE: "升级",
    Action.REJECT: "不予受理",
    Action.WITHDRAW: "撤诉",
    Action.MERGE: "合并",
}


_PREFACE = """# Lifecycle

Generated from `complaints.domain.rules.lifecycle`; do not edit.

A complaint (投诉) is open while it is in someone's hands. Before its result is fed back, a contact is
recorded only if nobody was reached. What an action must carry, and when it is refused although the table
knows it, `GET /v1/complaints/{id}/transitions` tells for each complaint; `GET /v1/lifecycle` tells this page
to programs.
"""


def render_page() -> str:
    """`docs/lifecycle.md`: states, diagram and table for readers."""
    return "\n".join(
        [
            _PREFACE,
            "## States\n",
            "| state | name | 名称 | open |\n|---|---|---|---|",
            *(_state_row(status) for status in Status),
            "\n## Diagram\n",
            "Actions that leave the state as it is are left out.\n",
            f"```mermaid\n{mermaid()}```",
            "\n## Actions\n",
            "| action | 操作 | from | to |\n|---|---|---|---|",
            *(_action_row(row) for row in TABLE),
            "",
        ]
    )


def _state_row(status: Status) -> str:
    name = status.replace("_", " ").capitalize()
    return (
        f"| `{status}` | {name} | {STATUS_NAMES_ZH[status]} | {'yes' if status in OPEN_STATUSES else 'no'} |"
    )


def _action_row(row: LifecycleRow) -> str:
    name = f"`{row.action}`" + (" (not solved)" if row.when_not_solved else "")
    sources = ", ".join(f"`{source}`" for source in row.sources)
    target = f"`{row.target}`" if row.target else "same"
    return f"| {name} | {ACTION_NAMES_ZH[row.action]} | {sources} | {target} |"
