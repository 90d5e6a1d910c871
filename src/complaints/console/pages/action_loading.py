"""The panel and the forms of one complaint, loaded in one transaction: first, or as they were sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.api.problems.languages import Language
from complaints.api.request import note_persons
from complaints.console.forms import FormFields, FormState
from complaints.console.page_request import PageRequest
from complaints.console.pages.action_choices import (
    escalation_choices,
    has_open_promise,
    link_choices,
    plan_form,
)
from complaints.console.pages.action_commands import EDIT, TAKE, FormAction
from complaints.console.views.action_forms import (
    WAS,
    ZONE,
    Control,
    FormSection,
    digest_of,
    make_controls,
    sections_of,
)
from complaints.console.views.action_panel import ActionPanel, label_of, panel_of, reason_of
from complaints.console.views.answer_templates import FILLED, AnswerTemplate, fill_templates
from complaints.console.views.stale_banner import StaleBanner, banner_of
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import Action, Status
from complaints.use_cases.access import Right
from complaints.use_cases.complaints import history
from complaints.use_cases.complaints.available_actions import (
    ActionOption,
    load_action_options,
    read_requirements,
)
from complaints.use_cases.complaints.follow_ups import preview_follow_ups
from complaints.use_cases.complaints.views import view_one
from complaints.use_cases.service import Transaction
from complaints.use_cases.work import drafts
from complaints.use_cases.work.drafts import FormDraft, FormName

_MOST_EVENTS = 50
_RIGHTS = (Right.CONTRIBUTE, Right.WORK, Right.SUPERVISE)


@dataclass(frozen=True, slots=True)
class ShownForm:
    """A form as it is shown. `state` has the values, `typed` the names of the fields that the reader filled in.

    `was` has the digests of the values that the reader saw. `refused` is the reason why the action cannot be taken
    now, "" if it can. `erased` is the place of the last erasure.
    """

    name: str
    number: str
    title: str
    address: str
    sections: Sequence[FormSection]
    state: FormState
    typed: Sequence[str]
    version: int
    zone: str
    now: datetime
    was: Mapping[str, str]
    any_of: str
    refused: str
    to: str
    draft_name: str
    erased: int
    draft_at: datetime | None
    templates: Sequence[AnswerTemplate]
    fills: str
    stale: StaleBanner | None


def load_panel(request: PageRequest, tx: Transaction, reference: str) -> ActionPanel:
    """The panel of a complaint, which the page of the complaint shows too. Raises NotFound."""
    complaint, options = load_action_options(request.service, tx, request.caller, reference)
    rights = _rights_on(request, complaint)
    return panel_of(
        complaint, options, _other_actions(request, tx, complaint, rights), rights, request.locale
    )


def _rights_on(request: PageRequest, complaint: Complaint) -> frozenset[Right]:
    """The rights that decide on actions, as far as the reader has them on this complaint."""
    caller = request.caller
    return frozenset(
        right for right in _RIGHTS if right in caller.rights and caller.has_right_on(right, complaint)
    )


def _other_actions(
    request: PageRequest, tx: Transaction, complaint: Complaint, rights: frozenset[Right]
) -> list[str]:
    """The actions outside the lifecycle that are possible now."""
    if Right.WORK not in rights:
        return ["note"] if Right.CONTRIBUTE in rights else []
    possible = {
        TAKE: complaint.open and complaint.assignee != request.viewer.user.login,
        "note": True,
        EDIT: True,
        "promise": complaint.open,
        "keep_promise": has_open_promise(complaint),
        "link": True,
        "unlink": bool(link_choices(request, tx, complaint)),
        "acknowledge": bool(escalation_choices(request, tx, complaint)),
        "replan": complaint.open and Right.SUPERVISE in rights,
    }
    return [name for name, is_possible in possible.items() if is_possible]


@dataclass(frozen=True, slots=True)
class _Scene:
    """What a form is made of: the complaint, the option of the action if it is one of the lifecycle, and controls."""

    complaint: Complaint
    option: ActionOption | None
    controls: list[Control]
    templates: list[AnswerTemplate]
    panel: ActionPanel | None
    refused: str


def _load_scene(request: PageRequest, tx: Transaction, known: FormAction, reference: str) -> _Scene:
    caller, locale = request.caller, request.locale
    complaint, options = load_action_options(request.service, tx, caller, reference)
    option = next((one for one in options if one.action == known.name), None)
    plan = plan_form(request, tx, known.name, complaint)
    requires = option.requires if option else read_requirements(known.model)
    rights = _rights_on(request, complaint)
    panel, refused = None, reason_of(complaint, option, rights, locale) if option else ""
    if not request.is_partial:
        others = _other_actions(request, tx, complaint, rights)
        panel = panel_of(complaint, options, others, rights, locale)
    templates = _templates(request, tx, known.name, complaint)
    return _Scene(complaint, option, make_controls(requires, plan, locale), templates, panel, refused)


def load_first_form(
    request: PageRequest, known: FormAction, reference: str, template: str, tx: Transaction
) -> tuple[ActionPanel | None, ShownForm]:
    """The form with the draft of the reader, and the panel unless a script asks. `template` fills the answer."""
    scene = _load_scene(request, tx, known, reference)
    draft = drafts.find_draft(tx, request.caller, FormName.of(scene.complaint.id, known.name))
    typed = dict(draft.fields) if draft else {}
    if chosen := next((one for one in scene.templates if template == f"{one.code}.{one.language}"), None):
        typed[FILLED[known.name]] = chosen.text
    zone = typed.pop(ZONE, "") or request.locale.zone
    first = {control.name: control.value for control in scene.controls}
    state = FormState({**first, **typed})
    form = _make_form(request, tx, known, scene, state, typed=list(typed), zone=zone, draft=draft)
    return scene.panel, form


def _templates(
    request: PageRequest, tx: Transaction, action: str, complaint: Complaint
) -> list[AnswerTemplate]:
    if action not in FILLED:
        return []
    policy = request.service.configuration(tx).policy(complaint.policy_code, complaint.policy_version)
    is_result = action == Action.NOTIFY_RESULT and complaint.status is Status.RESOLVED
    follow_ups = preview_follow_ups(request.service, tx, complaint) if is_result else []
    complainant = view_one(request.service, tx, request.caller, complaint).persons.get("complainant")
    spoken = (complainant.language if complainant else None) or request.locale.language
    first = Language.CHINESE if spoken.startswith("zh") else Language.ENGLISH
    return fill_templates(
        action, complaint, follow_ups, reader=request.locale, zone=policy.timezone, first=first
    )


def _make_form(
    request: PageRequest,
    tx: Transaction,
    known: FormAction,
    scene: _Scene,
    state: FormState,
    *,
    typed: Sequence[str],
    zone: str,
    draft: FormDraft | None = None,
    stale: StaleBanner | None = None,
    seen: int | None = None,
    was: Mapping[str, str] | None = None,
) -> ShownForm:
    complaint, locale, name = scene.complaint, request.locale, known.name
    if any(control.name.startswith("complainant.") for control in scene.controls):
        note_persons(request.http.scope, [complaint.id])
    labels = {control.name: control.label for control in scene.controls}
    needed = [labels[one] for one in scene.option.any_of] if scene.option else []
    leads_to = scene.option.to if scene.option and scene.option.to is not complaint.status else None
    return ShownForm(
        name=name,
        number=number_of(complaint.sequence),
        title=label_of(name, locale),
        address=f"/console/complaints/{number_of(complaint.sequence)}/actions/{name}",
        sections=sections_of(scene.controls, {*state.faults, *(n for n, v in state.values.items() if v)}),
        state=state,
        typed=typed,
        version=complaint.version if seen is None else seen,
        zone=zone,
        now=tx.now,
        was={control.name: digest_of(control.value) for control in scene.controls} if was is None else was,
        any_of=locale.texts.actions.any_of.format(names=", ".join(needed)) if needed else "",
        refused=scene.refused,
        to=locale.texts.actions.to.format(status=locale.word("status", leads_to)) if leads_to else "",
        draft_name=FormName.of(complaint.id, name).text,
        erased=drafts.count_erasures(tx, complaint.id),
        draft_at=draft.saved_at if draft else None,
        templates=scene.templates,
        fills=FILLED.get(name, ""),
        stale=stale,
    )


def load_sent_form(
    request: PageRequest,
    known: FormAction,
    reference: str,
    form: FormFields,
    state: FormState,
    tx: Transaction,
    *,
    is_stale: bool = False,
) -> tuple[ActionPanel | None, ShownForm]:
    """The form as it was sent, and the panel unless a script asks. `state` has the faults.

    `is_stale`: a colleague was quicker. The form then says so, and its version is the present one.
    """
    scene = _load_scene(request, tx, known, reference)
    stale = _load_banner(request, tx, scene.complaint, form) if is_stale else None
    was = {control.name: form.text(WAS + control.name) for control in scene.controls}
    typed = [c.name for c in scene.controls if _is_typed(c, form, was[c.name])]
    first = {control.name: control.value for control in scene.controls}
    values = {**first, **{name: form.text(name) for name in typed}}
    shown = FormState(values, state.faults, state.fault)
    zone = form.text(ZONE) or request.locale.zone
    kept = {c.name: was[c.name] if c.name in typed else digest_of(c.value) for c in scene.controls}
    seen = None if is_stale else form.version  # a fault of a field does not show what a colleague did
    made = _make_form(
        request, tx, known, scene, shown, typed=typed, zone=zone, stale=stale, seen=seen, was=kept
    )
    return scene.panel, made


def _is_typed(control: Control, form: FormFields, was: str) -> bool:
    """True if the reader gave the field another value than it had."""
    return digest_of(form.text(control.name)) != (was or digest_of(""))


def _load_banner(
    request: PageRequest, tx: Transaction, complaint: Complaint, form: FormFields
) -> StaleBanner:
    known = str(complaint.id)
    events = history.load_stretch(tx, request.caller, known, after=None, limit=_MOST_EVENTS).records
    configuration = request.service.configuration(tx)
    return banner_of(
        complaint,
        events,
        form.version or 0,
        directory=configuration.directory,
        categories=configuration.categories,
        locale=request.locale,
        now=tx.now,
    )
