"""Severity and priority in the words of TMF621, which are free texts there. Pure."""

from collections.abc import Mapping

from complaints.domain.vocabulary import Priority, Severity

_SEVERITIES = {
    Severity.CRITICAL: ("Critical", "blocker", "urgent", "emergency"),
    Severity.HIGH: ("Major", "high", "serious"),
    Severity.NORMAL: ("Minor", "normal", "medium", "moderate", "average"),
    Severity.LOW: ("Low", "trivial", "cosmetic", "warning"),
}
_PRIORITIES = {
    Priority.URGENT: ("Urgent", "critical", "immediate", "1"),
    Priority.HIGH: ("High", "major", "2"),
    Priority.NORMAL: ("Medium", "normal", "moderate", "3"),
    Priority.LOW: ("Low", "minor", "4", "5"),
}
_SEVERITY_BY_WORD = {word.casefold(): one for one, words in _SEVERITIES.items() for word in (*words, one)}
_PRIORITY_BY_WORD = {word.casefold(): one for one, words in _PRIORITIES.items() for word in (*words, one)}


def read_severity(word: str) -> Severity | None:
    """The severity that a word means; None: it is not known."""
    return _SEVERITY_BY_WORD.get(word.strip().casefold())


def read_priority(word: str) -> Priority | None:
    """The priority that a word means; None: it is not known."""
    return _PRIORITY_BY_WORD.get(word.strip().casefold())


def severity_word(severity: Severity, sent: object) -> str:
    """The word for a severity: as it was sent, if that still says the same. A word that is not known says normal."""
    if isinstance(sent, str) and (read_severity(sent) or Severity.NORMAL) == severity:
        return sent
    return _SEVERITIES[severity][0]


def priority_word(priority: Priority, sent: object, *, is_chosen: bool = True) -> str:
    """The word for a priority: as it was sent, if that still says the same.

    A word that is not known chooses no priority. It still says the same unless the priority `is_chosen`: given by a
    caller, or raised.
    """
    if isinstance(sent, str) and (read_priority(sent) or (None if is_chosen else priority)) == priority:
        return sent
    return _PRIORITIES[priority][0]


SEVERITY_MEANINGS: Mapping[str, Severity] = _SEVERITY_BY_WORD
PRIORITY_MEANINGS: Mapping[str, Priority] = _PRIORITY_BY_WORD
"""What words mean, without case and without blanks around them."""
SEVERITY_WORDS = {severity: words[0] for severity, words in _SEVERITIES.items()}
PRIORITY_WORDS = {priority: words[0] for priority, words in _PRIORITIES.items()}
"""The words that are shown if no other word was sent."""
