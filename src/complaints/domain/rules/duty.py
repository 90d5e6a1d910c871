"""The duty rota of a team: who hears of escalations at night and on holidays (rule 3.11)."""

from datetime import datetime

from complaints.domain.policy.policy import Policy
from complaints.domain.rules.recipients import find_reachable_user
from complaints.domain.staff import Directory
from complaints.domain.time.calendars import open_intervals


def find_on_duty(team: str, directory: Directory, policy: Policy, now: datetime) -> tuple[str, ...]:
    """The logins of the users on duty for a team at `now`, each login once (rule 3.11).

    The deputy stands in for an absent user. Empty if nobody is on duty, and in the working time of the policy.
    """
    shifts = [s for s in directory.duty.get(team, ()) if s.on_duty_from <= now < s.on_duty_until]
    if not shifts or _is_working_time(policy, now):
        return ()
    found = (find_reachable_user(shift.login, directory, now) for shift in shifts)
    return tuple(dict.fromkeys(login for login in found if login))


def _is_working_time(policy: Policy, now: datetime) -> bool:
    """True while the calendar that the policy names is open. A policy that names none has no working time."""
    if policy.duty_outside is None:
        return False
    first = next(open_intervals(policy.calendars[policy.duty_outside], now), None)
    return first is not None and first[0] <= now
