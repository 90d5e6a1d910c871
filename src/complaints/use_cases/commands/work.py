"""The commands of work and people, with the checks that need no database."""

from typing import Annotated

from pydantic import Field

from complaints.use_cases.commands.configuration import Identifier
from complaints.use_cases.commands.field_types import Content, Instant


class ShiftContent(Content):
    """A shift: the user is on duty from `on_duty_from` until before `on_duty_until`."""

    login: Identifier
    on_duty_from: Instant
    on_duty_until: Instant


class PutDutyRota(Content):
    """The whole duty rota of a team, in place of the former one."""

    shifts: Annotated[tuple[ShiftContent, ...], Field(max_length=500)]
