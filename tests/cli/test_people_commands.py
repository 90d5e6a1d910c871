"""The commands about people: users, teams, departments, and files of all three."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

EXAMPLE = Path(__file__).parents[2] / "docs/examples/people.yaml"
SHOWN = ("login", "roles", "teams", "scope", "active")


class Terminal(io.StringIO):
    """The input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def made(migrate_once: Command) -> None:
    """An embedded database in the present directory."""
    assert migrate_once(bootstrap_api_key="a-first-key-of-this-database").status == 0


def listed(command: Command, *words: str) -> list[dict[str, Any]]:
    ended = command(*words, "--json")
    assert ended.status == 0, ended
    rows: list[dict[str, Any]] = json.loads(ended.out)
    return rows


def told(command: Command, *words: str) -> str:
    """The last line of a refusal."""
    refused = command(*words)
    assert (refused.status, refused.out) == (1, ""), refused
    return refused.err.splitlines()[-1]


@pytest.mark.usefixtures("made")
def test_users_are_made_changed_listed_and_deactivated(command: Command) -> None:
    li = ("li.wei", "--name", "李伟", "--role", "agent", "--role", "auditor", "--team", "operations")
    assert command("user", "create", *li, "--deputy", "admin").out == "li.wei is a user.\n"
    scoped = ("--scope", "teams", "--scope-name", "operations", "--role", "agent", "--deputy", "")
    absent = ("--absent-from", "2027-02-05T00:00:00+08:00")
    assert command("user", "change", "li.wei", *scoped, *absent).out == "li.wei is changed.\n"
    [shown] = listed(command, "user", "show", "li.wei")
    assert (shown["roles"], shown["teams"], shown["scope"], shown["scope_names"], shown["deputy"]) == (
        ["agent"], ["operations"], "teams", ["operations"], None,
    )  # fmt: skip
    assert (shown["absent_from"], shown["leads"]) == ("2027-02-04T16:00:00Z", [])
    assert "李伟" in command("user", "show", "li.wei").out
    assert [user["login"] for user in listed(command, "user", "list", "--team", "operations")] == ["li.wei"]
    assert command("user", "change", "li.wei", "--team", "", "--scope", "", "--scope-name", "").status == 0
    heads, row = command("user", "list").out.splitlines()[0::2]
    assert heads.split() == ["Login", "Name", "Roles", "Teams", "Scope", "Deputy", "Active"]
    assert row.split() == ["li.wei", "李伟", "agent", "by", "role", "yes"]
    assert command("user", "deactivate", "admin", "--successor", "li.wei").out == "admin has left.\n"
    [gone, heir] = listed(command, "user", "list")
    assert (gone["active"], heir["active"]) == (False, True)
    assert "operations" in listed(command, "user", "show", "li.wei")[0]["leads"]
    assert command("user", "change", "admin", "--activate").status == 0
    assert listed(command, "user", "show", "admin")[0]["active"] is True


@pytest.mark.usefixtures("made")
def test_a_user_gets_a_link_for_a_password(command: Command) -> None:
    made = command("user", "password-link", "admin")
    assert (made.status, len(made.out.split())) == (0, 1)
    assert "The link of admin works until " in made.err
    assert told(command, "user", "password-link", "nobody") == "There is no user 'nobody'."


@pytest.mark.usefixtures("made")
def test_teams_and_departments_are_made_and_changed(command: Command) -> None:
    north = ("north", "--en", "North", "--zh", "北区", "--parent", "head_office")
    assert command("department", "create", *north).out == "north is a department.\n"
    assert command("department", "change", "north", "--head", "admin", "--parent", "network").status == 0
    assert {
        "code": "north",
        "en": "North",
        "zh": "北区",
        "head": "admin",
        "deputy": None,
        "parent": "network",
    } in (listed(command, "department", "list"))
    assert (
        command("team", "create", "night", "--en", "Night", "--zh", "夜班", "--department", "north").status
        == 0
    )
    assert command("team", "change", "night", "--lead", "admin", "--zh", "晚班", "--inactive").status == 0
    command("user", "create", "li.wei", "--name", "Li Wei", "--team", "operations")
    joined = command("team", "members", "night", "--add", "li.wei", "--add", "admin")
    assert [line.split()[0] for line in joined.out.splitlines()] == ["Login", "admin", "li.wei"]
    left = listed(command, "team", "members", "night", "--remove", "admin", "--add", "li.wei")
    assert [(user["login"], user["teams"]) for user in left] == [("li.wei", ["operations", "night"])]
    night = next(team for team in listed(command, "team", "list") if team["code"] == "night")
    assert night == {
        "code": "night", "en": "Night", "zh": "晚班", "department": "north", "lead": "admin", "deputy": None,
        "active": False, "members": 1,
    }  # fmt: skip


@pytest.mark.usefixtures("made")
def test_wrong_words_are_refused_at_their_member(command: Command) -> None:
    for words, start in (
        (("user", "create", "a b", "--name", "A"), "/login: "),
        (("user", "create", "a", "--name", " "), "/name: "),
        (("user", "create", "a", "--name", "A", "--role", "king"), "/roles/0: "),
        (("user", "create", "a", "--name", "A", "--team", "x"), "/teams/0: There is no team 'x'."),
        (
            ("user", "create", "a", "--name", "A", "--team", "operatoins"),
            "/teams/0: There is no team 'operatoins': did you mean 'operations'?",
        ),
        (
            ("user", "create", "a", "--name", "A", "--deputy", "amdin"),
            "/deputy: There is no active user 'amdin': did you mean 'admin'?",
        ),
        (("user", "show", "amdin"), "There is no user 'amdin': did you mean 'admin'?"),
        (("user", "create", "admin", "--name", "A"), "There is a user 'admin' already."),
        (("user", "create", "a", "--name", "A", "--scope", "sources"), "/scope_names: "),
        (("user", "change", "nobody", "--name", "A"), "There is no user 'nobody'."),
        (("user", "change", "admin", "--absent-until", "soon"), "/absent_until: "),
        (("user", "show", "nobody"), "There is no user 'nobody'."),
        (("user", "list", "--team", "x"), "There is no team 'x'."),
        (("user", "deactivate", "admin"), "admin leads "),
        (("user", "deactivate", "admin", "--successor", "admin"), "/successor: "),
        (("team", "create", "t", "--en", "T", "--department", "network"), "/names/zh: names.zh is required."),
        (("team", "create", "t", "--en", "T", "--zh", "T"), "/department: department is required."),
        (("team", "change", "x", "--lead", ""), "There is no team 'x'."),
        (("team", "members", "operations", "--add", "x"), "There is no user 'x'."),
        (("team", "members", "operations", "--add", "admin", "--remove", "admin"), "/remove: admin cannot"),
        (("department", "change", "network", "--parent", "network"), "/parent: A department cannot be below"),
    ):
        assert told(command, *words).startswith(start), words


@pytest.mark.usefixtures("made")
def test_a_file_is_shown_as_a_plan_before_it_is_applied(
    command: Command, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dry = command("people", "apply", str(EXAMPLE), "--dry-run")
    assert (dry.status, dry.out.count("create ")) == (0, 7)
    assert "change department head_office\n    head: admin → zhou.min\n" in dry.out
    assert "create user li.wei\n    name: 李伟\n    deputy: wang.fang\n    roles: agent\n" in dry.out
    assert "not in the file, so untouched: users admin\n" in dry.out
    refused = command("people", "apply", str(EXAMPLE))
    assert (refused.status, refused.out) == (1, dry.out)
    assert "Nothing was applied. With --yes" in refused.err
    assert len(listed(command, "user", "list")) == 1

    monkeypatch.setattr(sys, "stdin", Terminal("n\ny\n"))
    declined, applied = (command("people", "apply", str(EXAMPLE)) for _ in range(2))
    assert (declined.status, declined.out) == (1, dry.out + "Apply this plan? [y/N]: ")
    assert (applied.status, applied.out) == (0, dry.out + "Apply this plan? [y/N]: Applied.\n")
    again = command("people", "apply", str(EXAMPLE))
    assert again.out.startswith("Nothing is to change.\nunchanged: 2 departments, 2 teams, 4 users\n")

    exported = directory / "people.yaml"
    exported.write_text(command("people", "export").out)
    assert command("people", "apply", str(exported)).out == (
        "Nothing is to change.\nunchanged: 5 departments, 5 teams, 5 users\n"
    )
    exported.write_text("users:\n- {login: li.wei, active: false, successor: wang.fang}\n")
    assert "deactivate user li.wei, successor wang.fang\n    active: true → false\n" in (
        command("people", "apply", str(exported), "--yes").out
    )
    exported.write_text("users:\n- {login: x}\n- {login: y, roles: [king]}\n")
    faults = command("people", "apply", str(exported))
    assert faults.err.splitlines()[-1].startswith("/users/1/roles/0: line 3, column ")
