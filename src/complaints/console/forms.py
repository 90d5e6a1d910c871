"""Forms: the fields that a browser sends, and the faults that stand beside them when the form is shown again."""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from complaints.api.http.content_types import read_content_type
from complaints.api.problems.refusals import BadRequest, RefusalCarrier, UnsupportedMediaType
from complaints.console.locale import Locale
from complaints.domain.errors import ComplaintError

MEDIA_TYPE = "application/x-www-form-urlencoded"
ATTEMPT = "attempt"
VERSION = "version"
_OWN_FIELDS = frozenset({ATTEMPT, VERSION})
_MOST_FIELDS = 2000
_MOST_DIGITS = 9
_MOST_PARTS = 10  # of a name with dots: Python cannot write objects within objects without end
_ATTEMPT_FORM = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class FormFields:
    """A form as it was sent: the values of each field, in order.

    `attempt` names this showing of the form, so that it does its work once. `version` is that of the complaint which
    the reader saw; None: the form has none.
    """

    values: Mapping[str, Sequence[str]]
    body: bytes

    @property
    def attempt(self) -> str:
        """The name of this showing of the form. A form without a proper one is an attempt by its content."""
        sent = self.text(ATTEMPT)
        return sent if _ATTEMPT_FORM.fullmatch(sent) else hashlib.sha256(self.body).hexdigest()

    @property
    def version(self) -> int | None:
        """The version that the reader saw."""
        return self.number(VERSION)

    def number(self, name: str) -> int | None:
        """The whole number of a field, of at most 9 digits. None: it was not sent, or is no such number."""
        text = self.text(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None

    def text(self, name: str) -> str:
        """The first value of a field; "" if it was not sent. Lines end with one line feed."""
        found = self.values.get(name, ("",))
        return found[0].replace("\r\n", "\n")

    def texts(self, name: str) -> list[str]:
        """Every value of a field, in order, without empty ones."""
        return [value.replace("\r\n", "\n") for value in self.values.get(name, ()) if value]

    def members(self) -> dict[str, Any]:
        """The fields as members of a command: a name with dots is a member of an object. Empty fields are absent.

        Raises RefusalCarrier if one name is a value and an object, or has too many parts.
        """
        members: dict[str, Any] = {}
        for name in self.values:
            if name in _OWN_FIELDS or not (text := self.text(name)):
                continue
            if name.count(".") >= _MOST_PARTS:
                raise RefusalCarrier(BadRequest("The form cannot be read."))
            *path, last = name.split(".")
            place = members
            for part in path:
                place = place.setdefault(part, {})
                if not isinstance(place, dict):
                    raise RefusalCarrier(BadRequest("The form cannot be read."))
            if last in place:  # an object: each name comes once
                raise RefusalCarrier(BadRequest("The form cannot be read."))
            place[last] = text
        return members


async def read_form(request: Request) -> FormFields:
    """The form of a request. Raises RefusalCarrier for another media type or an unreadable form."""
    if read_content_type(request.headers.get("content-type", "")).media_type != MEDIA_TYPE:
        raise RefusalCarrier(UnsupportedMediaType(f"Send the form as Content-Type: {MEDIA_TYPE}."))
    body = await request.body()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise RefusalCarrier(BadRequest("The form cannot be read.")) from error
    if any("\0" in text for pair in pairs for text in pair):
        raise RefusalCarrier(BadRequest("The form cannot be read."))
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return FormFields(values, body)


SentForm = Annotated[FormFields, Depends(read_form)]
"""The form that the browser sent."""


@dataclass(frozen=True, slots=True)
class FormState:
    """What a template shows in a form: the values by field, the faults by field, and the fault of the whole form.

    `attempt` is new at each showing, except after a fault of the same form.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    attempt: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def value(self, name: str) -> str:
        """The value of a field; "" if it has none."""
        return self.values.get(name, "")

    def fault_of(self, name: str) -> str:
        """The fault of a field in the language of the reader; "" if it has none."""
        return self.faults.get(name, "")

    def has_any(self, names: Sequence[str]) -> bool:
        """True if one of the fields has a value or a fault: a folded part with it is shown open."""
        return any(self.values.get(name) or self.faults.get(name) for name in names)


def refused_form(form: FormFields, refusal: ComplaintError, locale: Locale) -> FormState:
    """The form again, with everything that was typed, and the faults where they belong."""
    faults: dict[str, str] = {}
    for fault in refusal.faults:
        if fault.pointer:
            name = fault.pointer.removeprefix("/").replace("/", ".")
            # The field has a label, so its name is left out.
            faults.setdefault(
                name, locale.refusal(fault.message).removeprefix(f"{name}: ").removeprefix(f"{name}：")
            )
    typed = {name: form.text(name) for name in form.values if name not in _OWN_FIELDS}
    outside = "" if faults and set(faults) <= set(typed) else locale.refusal(refusal.detail)
    return FormState(typed, faults, outside)
