"""Drafts of forms: a user finds again what was typed and not sent, for 7 days, at another machine too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from complaints.domain.errors import InvalidContent, NotFound
from complaints.domain.vocabulary import EventType
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import draft as rows
from complaints.storage.rows.draft import FormDraft as FormDraft
from complaints.storage.rows.event import find_last_event
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.complaints.known import load_known_id

MOST_DRAFTS = 200
MOST_CHARACTERS = 150_000
_MOST_FIELDS = 100
_LONGEST_NAME = 100
_NEW = "new"
_OF_COMPLAINT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class FormName:
    """The name of a form: `new`, or `<id of the complaint>:<action>`. `complaint_id` None: of no complaint."""

    text: str
    complaint_id: UUID | None

    @classmethod
    def parse(cls, text: str) -> "FormName":
        """The name in `text`. Raises NotFound for other text."""
        if text == _NEW:
            return cls(text, None)
        if (found := _OF_COMPLAINT.fullmatch(text)) is None:
            raise NotFound("There is no such form.")
        return cls(text, UUID(found[1]))

    @classmethod
    def of(cls, complaint_id: UUID, action: str) -> "FormName":
        """The name of the form for an action on a complaint."""
        return cls(f"{complaint_id}:{action}", complaint_id)


def save_draft(tx: Transaction, caller: Caller, form: FormName, fields: Mapping[str, str]) -> FormDraft:
    """Keep the fields of a form in place of the draft before. Of one user, the latest 200 drafts are kept.

    Raises Forbidden for a caller who may not fill in forms. Raises NotFound for a complaint that the caller may not
    know of. Raises InvalidContent for too many fields, a name that is too long, or too much text.
    """
    login = _login_of(tx, caller, form)
    _check_fields(fields)
    draft = FormDraft(login, form.text, form.complaint_id, dict(fields), tx.now)
    rows.write_draft(tx, draft, most=MOST_DRAFTS)
    return draft


def find_draft(tx: Transaction, caller: Caller, form: FormName) -> FormDraft | None:
    """The draft of the caller for a form. A caller who is no user has none."""
    return rows.find_draft(tx, caller.login, form.text) if caller.login else None


def discard_draft(tx: Transaction, caller: Caller, form: FormName) -> None:
    """Delete the draft of the caller for a form. Nothing changes if there is none."""
    if caller.login:
        rows.delete_draft(tx, caller.login, form.text)


def count_erasures(tx: Transaction, complaint_id: UUID) -> int:
    """The place of the last erasure in the history of a complaint; 0 if nothing was erased.

    A browser drops the copy of a draft that it kept before this place.
    """
    erased = find_last_event(tx, complaint_id, EventType.ERASED)
    return int(erased["ordinal"]) if erased is not None else 0


def _login_of(tx: Transaction, caller: Caller, form: FormName) -> str:
    caller.require(Right.CONTRIBUTE)
    if caller.login is None:
        raise InvalidContent("Only a user can keep drafts.")
    if form.complaint_id is not None:
        load_known_id(tx, caller, str(form.complaint_id))
    return caller.login


def _check_fields(fields: Mapping[str, str]) -> None:
    if len(fields) > _MOST_FIELDS or any(not 1 <= len(name) <= _LONGEST_NAME for name in fields):
        raise InvalidContent(
            f"A draft has at most {_MOST_FIELDS} fields, with names of 1 to {_LONGEST_NAME} characters."
        )
    if sum(map(len, fields.values())) > MOST_CHARACTERS:
        raise InvalidContent(f"A draft has at most {MOST_CHARACTERS} characters.")
    if any("\0" in text for pair in fields.items() for text in pair):
        raise InvalidContent("A draft must have no NUL character.")
