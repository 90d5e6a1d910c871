"""The use cases of robots: the group chats of the house that hear of escalations."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from complaints.domain.errors import NotFound
from complaints.features.notifications.commands import PutRobot
from complaints.features.notifications.model import RobotAccount
from complaints.features.notifications.tables import robots
from complaints.features.notifications.tables.robots import Robot as Robot
from complaints.outbound.urls import refuse_unsafe_url
from complaints.use_cases.access import Caller, Right
from complaints.use_cases.named_filters import check_member
from complaints.use_cases.service import Service, Transaction

log = logging.getLogger(__name__)


def list_robots(tx: Transaction, caller: Caller) -> Sequence[Robot]:
    """The robots of the house, by code. Raises Forbidden."""
    caller.require(Right.ADMINISTER)
    return robots.find_robots(tx)


def put_robot(service: Service, tx: Transaction, caller: Caller, code: str, command: PutRobot) -> Robot:
    """Make a robot, or replace it. Without a secret, the one on record stays.

    Raises Forbidden, and InvalidContent for a URL that may not be dialled and for an unknown team.
    """
    caller.require(Right.ADMINISTER)
    refuse_unsafe_url(command.url, service.webhook_allow)
    teams = service.configuration(tx).directory.teams
    for number, team in enumerate(command.teams):
        check_member(team, teams, pointer=f"/teams/{number}", thing="team")
    before = robots.find_robot(tx, code, lock=True)
    secret = command.secret or (before.account.secret if before else None)
    account = RobotAccount(command.kind, command.url, secret)
    made = Robot(
        code=code, account=account, teams=command.teams, language=command.language, active=command.active
    )
    if before is not None:
        made = replace(made, sent_at=before.sent_at, barred_until=before.barred_until)
    robots.write_robot(tx, made)
    log.info("a robot was written", extra={"robot": code, "caller": caller.actor})
    return made


def delete_robot(tx: Transaction, caller: Caller, code: str) -> None:
    """Delete a robot. Raises Forbidden, and NotFound."""
    caller.require(Right.ADMINISTER)
    if not robots.delete_robot(tx, code):
        raise NotFound(f"There is no robot {code!r}.")
    log.info("a robot was deleted", extra={"robot": code, "caller": caller.actor})
