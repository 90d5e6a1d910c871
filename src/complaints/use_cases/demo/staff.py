"""The staff of the demo: its users and teams from `people.yaml`, its duty rota, and who may act when."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from random import Random

from complaints.domain.instants import write_instant
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.access import SYSTEM, Caller
from complaints.use_cases.commands.work import PutDutyRota, ShiftContent
from complaints.use_cases.demo.arrivals import LENGTH, LOCAL
from complaints.use_cases.people.applying import write_people
from complaints.use_cases.people.document import read_people
from complaints.use_cases.service import Configuration, Service
from complaints.use_cases.work.duty import put_rota

DUTY_TEAM = "operations"
_FROM_END = re.compile(r"@(-?\d+)d")
_NIGHT = timedelta(hours=12)


def write_staff(service: Service, tx: Transaction, until: datetime) -> None:
    """Write the people and the duty rota. Absences are counted from the end of the quarter."""
    text = resources.files(__package__).joinpath("people.yaml").read_text(encoding="utf-8")

    def spell(found: re.Match[str]) -> str:
        return write_instant(until + timedelta(days=int(found[1])))

    write_people(service, tx, SYSTEM, read_people(_FROM_END.sub(spell, text)))
    service.cache.expire()
    members = DemoStaff(service.configuration(tx)).members(DUTY_TEAM)
    put_rota(service, tx, SYSTEM, DUTY_TEAM, PutDutyRota(shifts=tuple(_nights(members, until))))
    service.cache.expire()


def _nights(members: Sequence[str], until: datetime) -> list[ShiftContent]:
    """A shift for each night of the quarter and of the two weeks after it, from 20:00 to 08:00."""
    first = (until - LENGTH).astimezone(LOCAL).replace(hour=20, minute=0, second=0, microsecond=0)
    begins = [first + timedelta(days=day) for day in range(LENGTH.days + 14)]
    return [
        ShiftContent(login=members[n % len(members)], on_duty_from=begin, on_duty_until=begin + _NIGHT)
        for n, begin in enumerate(begins)
    ]


class DemoStaff:
    """Who belongs to which team, and as what callers they act."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.directory = configuration.directory
        users = [user for user in self.directory.users.values() if user.roles == (AccessRole.AGENT,)]
        self._members = {
            team: sorted(user.login for user in users if team in user.teams) for team in self.directory.teams
        }
        self.caller = cache(self._caller)

    def members(self, team: str) -> list[str]:
        """The agents of a team, by login."""
        return self._members[team]

    def choose_member(self, team: str, now: datetime, random: Random) -> str:
        """An agent of the team who is there."""
        present = [login for login in self.members(team) if self.directory.users[login].available(now)]
        return random.choice(present)

    def find_supervisor(self, team: str) -> str:
        """The lead of a team, who may close early."""
        lead = self.directory.teams[team].lead
        assert lead is not None  # the file names one for each team
        return lead

    def _caller(self, login: str) -> Caller:
        roles = frozenset(self.directory.users[login].roles or ())
        return Caller(f"user:{login}", roles, "call_centre", login, self._configuration.reach_of(login))


@cache
def program(source: str) -> Caller:
    """The program that posts the complaints of a source."""
    return Caller(source, frozenset({AccessRole.INTAKE}), source)
