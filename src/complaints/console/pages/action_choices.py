"""The choices and first values of the forms of actions: teams, users, categories, links, promises, escalations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from complaints.console.locale import Locale
from complaints.console.page_request import PageRequest
from complaints.console.pages.action_commands import EDIT
from complaints.console.views.action_forms import NOBODY, Choice, FormPlan
from complaints.console.views.rows import name_of_user
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.members import GROUPS
from complaints.domain.complaint.numbers import number_of
from complaints.domain.policy.categories import Category
from complaints.domain.staff import Directory, User
from complaints.domain.vocabulary import DeadlineKind
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import escalations, promises
from complaints.use_cases.complaints.escalations import EscalationSearch
from complaints.use_cases.complaints.views import ComplaintView, find_link_views, view_one
from complaints.use_cases.service import Transaction

_MOST_ESCALATIONS = 50
_MOST_POLICIES = 100
_PERSONS = frozenset({"complainant", "reporter", "service"})


def plan_form(request: PageRequest, tx: Transaction, action: str, complaint: Complaint) -> FormPlan:
    """The plan of the form for an action on a complaint."""
    match action:
        case "assign":
            return _plan_assignment(request, tx, complaint)
        case "edit":
            return plan_edit(request, tx, view_one(request.service, tx, request.caller, complaint))
        case "unlink":
            return FormPlan(action, {"link": link_choices(request, tx, complaint)})
        case "keep_promise":
            return FormPlan(action, {"promise_id": promise_choices(request, tx, complaint)})
        case "acknowledge":
            return FormPlan(action, {"escalation_id": escalation_choices(request, tx, complaint)})
        case "replan":
            return FormPlan(action, {"policy": _policy_choices(request, tx)})
    return FormPlan(action)


def _plan_assignment(request: PageRequest, tx: Transaction, complaint: Complaint) -> FormPlan:
    locale, directory = request.locale, request.service.configuration(tx).directory
    words = locale.texts.actions
    held = name_of_user(directory, complaint.assignee) or words.nobody
    users = user_choices(request, directory, tx, first_team=complaint.team)
    return FormPlan(
        "assign",
        choices={
            "team": [
                Choice(team.code, locale.name(team.names, team.code))
                for team in directory.teams.values()
                if team.active and team.code != complaint.team
            ],
            "assignee": [*users, Choice(NOBODY, words.nobody)] if complaint.assignee else users,
        },
        blanks={
            "team": words.as_it_is.format(value=_team_name(directory, complaint.team, locale)),
            "assignee": words.as_it_is.format(value=held),
        },
    )


def _team_name(directory: Directory, code: str, locale: Locale) -> str:
    return locale.name(directory.teams[code].names, code) if code in directory.teams else code


def user_choices(
    request: PageRequest, directory: Directory, tx: Transaction, *, first_team: str
) -> list[Choice]:
    """The active users: the reader first, then the members of a team, then the others by name."""
    login = request.viewer.user.login
    users = [user for user in directory.users.values() if user.active]
    users.sort(key=lambda user: (user.login != login, first_team not in user.teams, user.name))
    return [Choice(user.login, _user_label(user, login, request.locale, tx)) for user in users]


def _user_label(user: User, own_login: str, locale: Locale, tx: Transaction) -> str:
    words = locale.texts.actions
    if user.login == own_login:
        return str(words.me.format(name=user.name))
    return user.name if user.available(tx.now) else str(words.absent.format(name=user.name))


def plan_edit(request: PageRequest, tx: Transaction, view: ComplaintView) -> FormPlan:
    """The plan of the form that changes members. Persons are left out for a reader who sees masks."""
    configuration = request.service.configuration(tx)
    may_supervise = Right.SUPERVISE in request.caller.rights
    hidden = {"attributes", "external_ids"} | (set() if view.in_clear else _PERSONS)
    return FormPlan(
        EDIT,
        choices={
            "category": category_choices(configuration.categories, request.locale, view.complaint.category),
            "first_owner": user_choices(request, configuration.directory, tx, first_team=view.complaint.team),
        },
        values=_first_values(view),
        left_out=frozenset(hidden if may_supervise else hidden | {"first_owner"}),
        kept=frozenset({"subject", "severity", "first_owner"}),
    )


def category_choices(categories: Mapping[str, Category], locale: Locale, present: str | None) -> list[Choice]:
    """The categories in use and the present one, each with the name of its parent."""
    known = [c for c in categories.values() if c.active or c.code == present]
    return [Choice(c.code, _category_label(c, categories, locale)) for c in sorted(known, key=_by_code)]


def _by_code(category: Category) -> str:
    return category.code


def _category_label(category: Category, categories: Mapping[str, Category], locale: Locale) -> str:
    parent = categories.get(category.parent or "")
    own = locale.name(category.names, category.code)
    return f"{locale.name(parent.names, parent.code)} · {own}" if parent else own


def _first_values(view: ComplaintView) -> dict[str, str]:
    complaint = view.complaint
    values: dict[str, Any] = {
        "subject": complaint.subject,
        "description": complaint.description,
        "category": complaint.category,
        "severity": complaint.severity,
        "priority": complaint.priority if complaint.priority_given else None,
        "region": complaint.region,
        "tags": ", ".join(complaint.tags),
        "first_owner": complaint.first_owner,
    }
    values |= {f"service.{key}": getattr(complaint, name) for key, name in GROUPS["service"].items()}
    for role, person in view.persons.items():
        values |= {f"{role}.{name}": getattr(person, name) for name in person.__dataclass_fields__}
    return {name: _as_text(value) for name, value in values.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    return "" if value is None else str(value).replace("\r\n", "\n")


def link_choices(request: PageRequest, tx: Transaction, complaint: Complaint) -> list[Choice]:
    """The links of a complaint that may be removed: not that of its merge."""
    links = find_link_views(tx, request.caller, [complaint.id]).get(complaint.id, ())
    return [
        Choice(
            f"{link.type}/{link.complaint_id}",
            f"{request.locale.word('link_type', link.type)} {number_of(link.sequence)}",
        )
        for link in links
        if link.complaint_id != complaint.merged_into
    ]


def promise_choices(request: PageRequest, tx: Transaction, complaint: Complaint) -> list[Choice]:
    """The open promises of a complaint, with their due times."""
    if not has_open_promise(complaint):
        return []
    due = request.locale.texts.actions.promise_due
    known = promises.list_promises(tx, request.caller, str(complaint.id))
    return [
        Choice(
            str(deadline.id),
            f"{promise.text[:80]} · {due.format(time=request.locale.time(deadline.due_at, now=tx.now))}",
        )
        for deadline, promise in known
        if deadline.unmet
    ]


def has_open_promise(complaint: Complaint) -> bool:
    """True if a promise to the complainant is open."""
    return any(one.kind == DeadlineKind.PROMISE and one.unmet for one in complaint.deadlines)


def escalation_choices(request: PageRequest, tx: Transaction, complaint: Complaint) -> list[Choice]:
    """The escalations of a complaint that wait for the reader, latest first."""
    asked = EscalationSearch(complaint=complaint.id, acknowledged=False, recipient="me")
    found = escalations.list_escalations(
        request.service, tx, request.caller, asked, before=None, limit=_MOST_ESCALATIONS
    )
    return [Choice(str(row["id"]), _escalation_label(row, request.locale, tx)) for row in found]


def _escalation_label(row: Mapping[Any, Any], locale: Locale, tx: Transaction) -> str:
    kind = locale.word("deadline_kind", row["kind"]) if row["kind"] else locale.word("action", "escalate")
    return f"{kind} · {row['step']} · {locale.time(row['taken_at'], now=tx.now)}"


def _policy_choices(request: PageRequest, tx: Transaction) -> Sequence[Choice]:
    known: Iterable[Any] = reversed(request.service.configuration(tx).policies_in_order)
    choices = [Choice(f"{p.code}/{p.version}", f"{p.code} {p.version}") for p in known]
    return choices[:_MOST_POLICIES]
