"""Templates for answers to the complainant, with the facts of the complaint filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.api.problems.languages import Language
from complaints.console.locale import Locale, read_texts
from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.numbers import number_of
from complaints.domain.vocabulary import DeadlineKind

FILLED = {"respond": "message", "notify_result": "message", "reject": "message", "close": "message",
          "resolve": "resolution"}  # fmt: skip
"""The member that the templates of an action fill."""


@dataclass(frozen=True, slots=True)
class AnswerTemplate:
    """One template, filled in. `code` names it in an address. `name` is in the language of the reader."""

    code: str
    language: Language
    name: str
    text: str


def fill_templates(
    action: str,
    complaint: Complaint,
    follow_ups: Sequence[datetime],
    *,
    reader: Locale,
    zone: str,
    first: Language,
) -> list[AnswerTemplate]:
    """The templates of an action in both languages; those in the language `first` come first.

    `follow_ups` are the due times of the contacts after the result. Times are in `zone`, that of the policy.
    """
    known = reader.texts.answers
    if action not in known:
        return []
    found = []
    for language in sorted(Language, key=lambda one: one is not first):
        locale = Locale(language, zone)
        parts = _parts(complaint, follow_ups, locale)
        for code in known[action]:
            text = str(read_texts(language).answers[action][code].text).format_map(parts)
            found.append(AnswerTemplate(code, language, str(known[action][code].name), text.strip()))
    return found


def _parts(complaint: Complaint, follow_ups: Sequence[datetime], locale: Locale) -> dict[str, str]:
    words = locale.texts.answers
    due = min(
        (d.due_at for d in complaint.deadlines if d.unmet and d.kind == DeadlineKind.RESOLUTION), default=None
    )
    days = [locale.day(locale.local(due_at).date()) for due_at in follow_ups]
    return {
        "number": number_of(complaint.sequence),
        "subject": complaint.subject,
        "due": locale.time(due) if due else str(words.soon),
        "follow_ups": str(words.list_mark).join(dict.fromkeys(days)) or str(words.soon),
    }
