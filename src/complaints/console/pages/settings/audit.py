"""The audit log: who changed which part of the configuration, and when."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import FormState
from complaints.console.page_request import PageRequest, SignedIn
from complaints.console.pages.settings.fields import FieldKind, SearchForm, make_field
from complaints.console.pages.settings.layout import open_part, read_configuration, show_part
from complaints.console.views.rows import name_of_user
from complaints.console.views.tables import Cell, Table
from complaints.domain.staff import Directory
from complaints.domain.vocabulary import AuditSubject
from complaints.use_cases.configuration.audit import AuditEvent, AuditFilter, list_audit_events

router = PrefixedRouter(prefix="/audit")
PART = "audit"
_PAGE = 50
Text = Annotated[str, Query(max_length=220)]


@router.get("")
def list_audit(
    request: SignedIn,
    subject: Text = "",
    code: Text = "",
    actor: Text = "",
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """The entries, latest first."""
    open_part(request, PART)
    kind = AuditSubject(subject) if subject in list(AuditSubject) else None
    asked = AuditFilter(kind, code.strip() or None, actor.strip() or None)
    found = request.read(
        lambda tx: list_audit_events(tx, request.caller, asked, before=before, limit=_PAGE + 1)
    )
    words = request.locale.texts.settings
    heads, directory = words.heads, read_configuration(request).directory
    more = ""
    if len(found) > _PAGE:
        before = found[_PAGE - 1].sequence
        more = "?" + urlencode({"subject": subject, "code": code, "actor": actor, "before": before})
    table = Table(
        (heads.at, heads.by, heads.subject, heads.change, heads.members_changed),
        [_row(request, directory, one) for one in found[:_PAGE]],
        empty=words.empty.audit,
        more=more,
    )
    options = [
        ("", str(words.anything)),
        *((str(one), str(words.audit_subjects[one])) for one in AuditSubject),
    ]
    fields = (
        make_field(request.locale, "subject", FieldKind.CHOICE, options=options),
        make_field(request.locale, "code"),
        make_field(request.locale, "actor"),
    )
    values = {"subject": subject, "code": code, "actor": actor}
    return show_part(
        request, PART, note=words.notes.audit, search=SearchForm(fields, FormState(values)), tables=[table]
    )


def _row(request: PageRequest, directory: Directory, one: AuditEvent) -> tuple[Cell, ...]:
    words = request.locale.texts.settings
    kind, _, login = one.actor.partition(":")
    name = name_of_user(directory, login) if kind == "user" else one.actor
    return (
        Cell(request.locale.time(one.at)),
        Cell(name),
        Cell(str(words.audit_subjects[one.subject]), note=one.code),
        Cell(str(words.audit_actions[one.action])),
        Cell(str(words.list_comma).join(one.changed)),
    )
