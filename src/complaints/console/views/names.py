"""The names of people, teams, categories and deadlines in the language of the reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from complaints.console.locale import Locale
from complaints.console.views.rows import name_of_user
from complaints.domain.complaint.texts import ERASED
from complaints.domain.json_text import encode
from complaints.domain.policy.categories import Category
from complaints.domain.rules.recipients import TEAM, parse_named
from complaints.domain.staff import Directory


@dataclass(frozen=True, slots=True)
class ShownNames:
    """Codes and logins as words. An unknown one stays as it is. `kind_titles` are those of own kinds of deadlines."""

    locale: Locale
    directory: Directory
    categories: Mapping[str, Category]
    kind_titles: Mapping[str, Mapping[str, str]]

    def user(self, login: str | None) -> str:
        """The name of a user; "" for nobody."""
        return name_of_user(self.directory, login)

    def users(self, logins: Iterable[str]) -> str:
        """The names of users in a row."""
        return ", ".join(self.user(login) for login in logins)

    def team(self, code: str | None) -> str:
        """The name of a team; "" for none."""
        team = self.directory.teams.get(code or "")
        return self.locale.name(team.names, team.code) if team else code or ""

    def category(self, code: str | None) -> str:
        """The name of a category, after that of its parent; "" for none."""
        category = self.categories.get(code or "")
        if category is None:
            return code or ""
        own = self.locale.name(category.names, category.code)
        return f"{self.category(category.parent)} · {own}" if category.parent else own

    def kind(self, kind: str) -> str:
        """The name of a kind of deadlines."""
        titles = self.kind_titles.get(kind)
        return self.locale.name(titles, kind) if titles else self.locale.word("deadline_kind", kind)

    def own_kind(self, kind: str) -> str:
        """The title of an own kind of a policy. A built-in kind stays as it is."""
        return self.kind(kind) if kind in self.kind_titles else kind

    def text(self, text: str | None) -> str:
        """What somebody wrote, or a word in place of a text that was erased."""
        return str(self.locale.texts.complaint.erased) if text == ERASED else text or ""

    def pairs(self, values: Mapping[str, Any]) -> str:
        """Names with their values in a row."""
        return ", ".join(f"{name} {self.value(one)}" for name, one in values.items())

    def value(self, value: Any) -> str:
        """A value in a row of text: lists and objects with commas. Names that begin with @ are for programs."""
        if isinstance(value, list | tuple):
            return ", ".join(text for one in value if (text := self.value(one)))
        if isinstance(value, Mapping):
            shown = {name: self.value(one) for name, one in value.items() if not name.startswith("@")}
            return ", ".join(f"{name} {text}" for name, text in shown.items() if text)
        return self.text(value) if isinstance(value, str | None) else encode(value).decode()

    def roles(self, roles: Iterable[str]) -> str:
        """Roles and named recipients of a step in a row."""
        return ", ".join(self._role(role) for role in roles)

    def _role(self, role: str) -> str:
        named = parse_named(role)
        if named is None:
            return self.locale.word("recipient_role", role)
        return self.team(named[1]) if named[0] == TEAM else self.user(named[1])

    def actor(self, actor: str) -> str:
        """The name of whoever did something: a user, a key, the complainant, or the engine."""
        words = self.locale.texts.events.actor
        kind, _, name = actor.partition(":")
        if kind == "user":
            return self.user(name)
        if kind == "key":
            return str(words.key).format(name=name)
        return str(words[kind]) if kind in words else actor
