"""The staff and the categories at each instant, from the audit log: it has the state after each change."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from complaints.domain.instants import read_instant
from complaints.domain.policy.categories import Category
from complaints.domain.simulation.staff_timeline import StaffTimeline, StaffVersion
from complaints.domain.staff import Department, Directory, Team
from complaints.domain.vocabulary import AuditSubject, Cause, Nature
from complaints.storage.configuration import Configuration, read_shifts, read_user
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import audit_event
from complaints.storage.rows.audit_event import AuditEvent, State
from complaints.storage.rows.configuration import user_account

_STAFF = frozenset(
    {
        AuditSubject.USER,
        AuditSubject.TEAM,
        AuditSubject.DEPARTMENT,
        AuditSubject.DUTY,
        AuditSubject.CATEGORY,
    }
)
_USER_COLUMNS = tuple(column.name for column in user_account.c)


def load_staff_timeline(tx: Transaction, configuration: Configuration) -> StaffTimeline:
    """Every version of the staff and the categories that the audit log knows.

    It does not have the successors of users who left, so those of now count. Without an entry, the staff is as now.
    """
    states: dict[AuditSubject, dict[str, Any]] = defaultdict(dict)
    versions = []
    changes = (entry for entry in audit_event.read_all(tx) if entry.subject in _STAFF)
    for at, entries in groupby(changes, attrgetter("at")):
        for entry in entries:
            states[entry.subject] = {**states[entry.subject], entry.code: _read(entry)}
        versions.append(_version(at, states, configuration))
    now = StaffVersion(tx.now, configuration.directory, configuration.categories)
    return StaffTimeline(versions or [now])


def _version(
    since: datetime, states: Mapping[AuditSubject, dict[str, Any]], configuration: Configuration
) -> StaffVersion:
    directory = Directory(
        users=states[AuditSubject.USER],
        teams=states[AuditSubject.TEAM],
        departments=states[AuditSubject.DEPARTMENT],
        duty=states[AuditSubject.DUTY],
        leaving=configuration.directory.leaving,
    )
    return StaffVersion(since, directory, states[AuditSubject.CATEGORY])


def _read(entry: AuditEvent) -> Any:
    """The fact after a change. An entry of an older program has no values in newer members."""
    state: State = entry.state
    match entry.subject:
        case AuditSubject.USER:
            absent = {n: read_instant(state[n]) for n in ("absent_from", "absent_until") if state.get(n)}
            return read_user({**dict.fromkeys(_USER_COLUMNS), **state, **absent})
        case AuditSubject.TEAM:
            return Team(**state)
        case AuditSubject.DEPARTMENT:
            return Department(**state)
        case AuditSubject.DUTY:
            return read_shifts(state["shifts"])
        case _:
            words = {"cause": Cause, "nature": Nature}
            return Category(
                **state | {name: word(state[name]) for name, word in words.items() if state[name]}
            )
