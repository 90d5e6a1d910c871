"""The duty rotas of teams (rule 3.11)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise

from complaints.domain.errors import InvalidContent
from complaints.domain.json_text import to_json
from complaints.domain.staff import DutyShift
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import configuration as configuration_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.commands.work import PutDutyRota
from complaints.use_cases.configuration.changing import check_user, claim_to_change, finish_change
from complaints.use_cases.configuration.staff import TEAMS
from complaints.use_cases.service import Service


def load_rota(configuration: Configuration, team: str) -> tuple[DutyShift, ...]:
    """The shifts of a team, by their begin. Raises NotFound for an unknown team."""
    TEAMS.load(configuration, team)
    return configuration.directory.duty.get(team, ())


def put_rota(
    service: Service, tx: Transaction, caller: Caller, team: str, command: PutDutyRota
) -> tuple[DutyShift, ...]:
    """Replace the rota of a team. Shifts of different users may overlap: all of them are on duty.

    Raises NotFound for an unknown team. Raises InvalidContent for a user who is not active, and for a
    shift that ends before it begins or overlaps another shift of its user.
    """
    configuration = claim_to_change(service, tx, caller)
    before = load_rota(configuration, team)
    shifts = [DutyShift(**shift.model_dump()) for shift in command.shifts]
    _check_users(configuration, shifts, before)
    _check_times(shifts)
    ordered = tuple(sorted(shifts, key=lambda shift: (shift.on_duty_from, shift.login)))
    values = {"shifts": [to_json(asdict(shift)) for shift in ordered]}
    if team in configuration.directory.duty:
        configuration_rows.update_row(tx, configuration_rows.duty_rota, team, values)
    else:
        configuration_rows.insert_row(tx, configuration_rows.duty_rota, {"team": team, **values})
    finish_change(tx, caller, AuditSubject.DUTY, team)
    return ordered


def _check_users(
    configuration: Configuration, shifts: Sequence[DutyShift], before: Sequence[DutyShift]
) -> None:
    """A shift that does not change is no choice: its user may have left meanwhile (rule 1.7)."""
    for number, shift in enumerate(shifts):
        if shift not in before:
            check_user(configuration, shift.login, f"/shifts/{number}/login")


def _check_times(shifts: Sequence[DutyShift]) -> None:
    by_login: dict[str, list[tuple[datetime, datetime, int]]] = defaultdict(list)
    for number, shift in enumerate(shifts):
        if shift.on_duty_until <= shift.on_duty_from:
            raise InvalidContent.at(f"/shifts/{number}/on_duty_until", "A shift ends after it begins.")
        by_login[shift.login].append((shift.on_duty_from, shift.on_duty_until, number))
    for login, times in by_login.items():
        for (_, end, _), (begin, _, number) in pairwise(sorted(times)):
            if begin < end:
                message = f"Two shifts of user {login!r} overlap."
                raise InvalidContent.at(f"/shifts/{number}/on_duty_from", message)
