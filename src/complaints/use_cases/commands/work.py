"""The commands of work and people, with the checks that need no database."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from complaints.domain.time.zones import find_zone
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


def _zone(name: str) -> str:
    if find_zone(name) is None:
        raise ValueError("must be an IANA time zone, such as Asia/Shanghai or UTC")
    return name


class ChangePreference(Content):
    """What a user wants of the console. Null: the browser decides again. An absent member stays as it is."""

    language: Literal["en", "zh"] | None = None
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] | None = None
    theme: Literal["light", "dark"] | None = None
    single_keys: bool | None = None
