"""Answers with a secret that is shown once: that of a key, of a webhook, or a link for a password.

The kept answer of a form has no secret. So the same form sent again says that the secret was shown already.
"""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from complaints.console.forms import FormFields
from complaints.console.page_request import PageRequest
from complaints.console.pages.settings.layout import show_part
from complaints.console.pages.settings.sheets import Sheet, refuse
from complaints.domain.errors import ComplaintError
from complaints.use_cases.once import Answer
from complaints.use_cases.service import Transaction


def send_for_secret(
    request: PageRequest,
    sheet: Sheet,
    form: FormFields,
    kind: str,
    make: Callable[[Transaction], tuple[str, str]],
) -> Response:
    """Do what the form asks, once, and show the secret that `make` returns with the page that follows.

    `kind` names the texts about the secret.
    """
    made: list[str] = []

    def work(tx: Transaction) -> Answer:
        secret, address = make(tx)
        made[:] = [secret]
        return Answer(200, b"", {"Location": address})

    try:
        done = request.configure(form.attempt, form.body, work)
    except ComplaintError as refusal:
        return refuse(request, sheet, form, refusal)
    secret = "" if done.replayed else made[0]
    values: dict[str, Any] = {"kind": kind, "secret": secret, "next_page": done.headers["Location"]}
    if request.is_partial:
        return request.page("settings/secret_fragment.html", **values)
    return show_part(request, sheet.part, "settings/secret.html", title=sheet.title, **values)
