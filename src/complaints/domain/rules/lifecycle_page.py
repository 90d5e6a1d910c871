"""Renders the page docs/lifecycle.md from the table of the lifecycle. `tests.generate` calls it."""

import tomllib
from importlib.resources import files

from complaints.domain.rules.lifecycle import TABLE, LifecycleRow, mermaid
from complaints.domain.vocabulary import OPEN_STATUSES, Status

NAMES_ZH: dict[str, dict[str, str]] = tomllib.loads(
    files(__package__).joinpath("lifecycle_names_zh.toml").read_text(encoding="utf-8")
)
"""The Chinese names of `statuses` and `actions`, by value."""

_PREFACE = """# Lifecycle

Generated from `complaints.domain.rules.lifecycle`; do not edit.

A complaint (投诉) is open while it is in someone's hands. Before its result is fed back, a contact is
recorded only if nobody was reached. What an action must carry, and when it is refused although the table
knows it, `GET /v1/complaints/{id}/transitions` tells for each complaint; `GET /v1/lifecycle` tells this page
to programs.
"""


def render_page() -> str:
    """The page in Markdown: statuses, diagram and actions."""
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
    return f"| `{status}` | {name} | {NAMES_ZH['statuses'][status]} | {'yes' if status in OPEN_STATUSES else 'no'} |"


def _action_row(row: LifecycleRow) -> str:
    note = " (not solved)" if row.when_not_solved else " (as before)" if row.back else ""
    name = f"`{row.action}`{note}"
    sources = ", ".join(f"`{source}`" for source in row.sources)
    target = f"`{row.target}`" if row.target else "same"
    return f"| {name} | {NAMES_ZH['actions'][row.action]} | {sources} | {target} |"
