"""The query of an export, as callers send it to the API and to the command line."""

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field, ValidationError, field_validator

from complaints.api.http.query_route import find_repeated, single_parameters
from complaints.api.pages import parse_fields
from complaints.domain.errors import Fault, InvalidContent
from complaints.domain.time.zones import find_zone
from complaints.features.exports.columns import ComplaintExported, HeaderLanguage, choose_content
from complaints.features.exports.files import ExportForm, ExportFormat
from complaints.use_cases.commands.field_types import Flag, Subject
from complaints.use_cases.commands.messages import as_errors
from complaints.use_cases.complaints.filters import ComplaintFilter

_MASK = "***"
_HIDDEN = frozenset({"phone", "account_no", "email", "name", "q", "tag"})
"""Filters whose values may name a person. The access log must not."""
_LONGEST_NOTE = 500
_OWN = {
    "language": (ExportFormat.CSV, ExportFormat.XLSX),
    "timezone": (ExportFormat.CSV, ExportFormat.XLSX),
    "bom": (ExportFormat.CSV,),
}
"""The formats for which a parameter has a meaning."""


class ExportQuery(ComplaintFilter):
    """Which complaints, which of their members, and how they are written."""

    format: Annotated[
        ExportFormat | None,
        Field(description="Without it the format that `Accept` names, else ndjson."),
    ] = None
    fields: Annotated[str | None, Field(description="The members to export, with commas between.")] = None
    full: Annotated[
        Flag, Field(description="All members. Without it and without `fields`: no texts and no persons.")
    ] = False
    language: Annotated[
        HeaderLanguage | None,
        Field(
            description="Of the header of a table: `en` (default of CSV), `zh`, or `both` (default of XLSX)."
        ),
    ] = None
    timezone: Annotated[
        str | None,
        Field(
            max_length=100, description="The zone of the times in a table, such as Asia/Shanghai; else UTC."
        ),
    ] = None
    bom: Annotated[Flag, Field(description="Begin CSV with a byte order mark, which Excel needs.")] = False
    reason: Annotated[Subject | None, Field(description="Why persons are exported, for the access log.")] = (
        None
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and find_zone(name) is None:
            raise ValueError("must be an IANA time zone, such as Asia/Shanghai")
        return name

    def form(self, wanted: ExportFormat) -> ExportForm:
        """How the export is written, in the format `wanted` if the query names none.

        Raises BadRequest for an unknown field, and InvalidContent for parameters that do not go together.
        """
        chosen = self.format or wanted
        if self.fields is not None and self.full:
            raise InvalidContent.in_query("full", "full goes without fields: it exports every member")
        for name, formats in _OWN.items():
            if getattr(self, name) and chosen not in formats:
                listed = " or ".join(formats)
                raise InvalidContent.in_query(name, f"{name} goes with format {listed} only")
        fields = parse_fields(self.fields, ComplaintExported)
        both = HeaderLanguage.BOTH if chosen is ExportFormat.XLSX else HeaderLanguage.EN
        content = choose_content(fields, full=self.full)
        return ExportForm(chosen, content, self.language or both, self._zone(), self.bom)

    def _zone(self) -> tzinfo:
        return (find_zone(self.timezone) if self.timezone else None) or UTC


def describe_access(query: ExportQuery, form: ExportForm, asked: Iterable[tuple[str, str]]) -> str:
    """The text of an export for the access log: the reason, and the query without what may name a person."""
    shown = [
        (name, _MASK if name in _HIDDEN or name.startswith("attributes.") else value)
        for name, value in asked
        if name not in ("reason", "format")
    ]
    note = f"{form.format}: {urlencode(shown, safe='*:,') or 'every complaint'}"
    return (f"{query.reason} ({note})" if query.reason else note)[:_LONGEST_NOTE]


def read_query(pairs: Iterable[tuple[str, str]]) -> ExportQuery:
    """The query of these pairs. Raises InvalidContent with the messages of the API."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    sent = (name for name, values in given.items() for _ in values)
    if repeated := find_repeated(sent, single_parameters(ExportQuery)):
        raise InvalidContent(repeated[0].message, faults=repeated)
    try:
        return ExportQuery.model_validate(_single(given))
    except ValidationError as error:
        found = [{**one, "loc": ("query", *one["loc"])} for one in error.errors(include_input=False)]
        faults = [
            Fault("", one["message"], one["parameter"])
            for one in as_errors(found, body=None, query=ExportQuery)
        ]
        raise InvalidContent(faults[0].message, faults=faults) from error


def _single(given: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        name: values if name == "status" or len(values) > 1 else values[0] for name, values in given.items()
    }
