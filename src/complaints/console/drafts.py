"""The drafts of forms: a script sends them while a user types, and a user may discard one."""

from starlette.responses import JSONResponse, RedirectResponse, Response

from complaints.api.http.prefixed_router import PrefixedRouter
from complaints.console.forms import ATTEMPT, VERSION, SentForm
from complaints.console.page_request import SignedIn, own_page
from complaints.use_cases.work import drafts
from complaints.use_cases.work.drafts import FormName

router = PrefixedRouter(prefix="/drafts")
_NO_FIELDS = frozenset({ATTEMPT, VERSION})


@router.post("/{form_name}")
def save_draft(request: SignedIn, form_name: str, form: SentForm) -> Response:
    """Keep what is typed in a form. A script reads `saved_at`, and shows `time`."""
    name = FormName.parse(form_name)
    fields = {field: form.text(field) for field in form.values if field not in _NO_FIELDS}
    saved = request.service.write(lambda tx: drafts.save_draft(tx, request.caller, name, fields))
    shown = request.locale.time(saved.saved_at, now=saved.saved_at)
    kept = request.locale.texts.actions.draft.kept.format(time=shown)
    return JSONResponse(
        {"saved_at": saved.saved_at.isoformat(), "kept": kept}, headers={"Cache-Control": "no-store"}
    )


@router.post("/{form_name}/discard")
def discard_draft(request: SignedIn, form_name: str, form: SentForm) -> Response:
    """Delete a draft, and show the page `back` again. Without `back`, a script asks, and needs no page."""
    name = FormName.parse(form_name)
    request.service.write(lambda tx: drafts.discard_draft(tx, request.caller, name))
    if not form.text("back"):
        return Response(status_code=204)
    return RedirectResponse(own_page(form.text("back")), 303)
