"""The load of users: how many open complaints they work on, and how many of these are overdue or due today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from complaints.domain.rules.duty import find_on_duty
from complaints.domain.staff import User
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.load_counts import NO_LOAD, LoadCount, count_load
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.follow_ups import midnight
from complaints.use_cases.configuration.staff import USERS
from complaints.use_cases.service import Service
from complaints.use_cases.work.queues import check_team


@dataclass(frozen=True, slots=True)
class UserLoad:
    """The load of a user. `available`: active and not absent. `on_duty`: on duty for a team now (rule 3.11)."""

    user: User
    available: bool
    on_duty: bool
    count: LoadCount


def find_load(service: Service, tx: Transaction, caller: Caller, login: str) -> UserLoad:
    """The load of one user within the scope of the caller. Raises NotFound."""
    configuration = service.configuration(tx)
    return _loads(tx, caller, configuration, [USERS.load(configuration, login)])[0]


def list_team_load(service: Service, tx: Transaction, caller: Caller, team: str) -> list[UserLoad]:
    """The loads of the active members of a team within the scope of the caller, by login. Raises NotFound."""
    check_team(service, tx, team)
    configuration = service.configuration(tx)
    users = configuration.directory.users
    members = [users[login] for login in sorted(users) if users[login].active and team in users[login].teams]
    return _loads(tx, caller, configuration, members)


def _loads(
    tx: Transaction, caller: Caller, configuration: Configuration, users: Sequence[User]
) -> list[UserLoad]:
    """Today ends at midnight in the zone of the policy in force."""
    policy, directory = configuration.policy_at(tx.now), configuration.directory
    today = tx.now.astimezone(ZoneInfo(policy.timezone)).date()
    day_ends_at = midnight(today + timedelta(days=1), policy.timezone)
    logins = [user.login for user in users]
    counts = count_load(tx, logins, day_ends_at=day_ends_at, scope=caller.scope)
    on_duty = {login for team in directory.duty for login in find_on_duty(team, directory, policy, tx.now)}
    return [
        UserLoad(user, user.available(tx.now), user.login in on_duty, counts.get(user.login, NO_LOAD))
        for user in users
    ]
