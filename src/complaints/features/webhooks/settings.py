"""The settings of webhooks."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WebhookSettings(BaseSettings):
    """`timeout_seconds`: how long a receiver may take. `threads`: requests that one process has under way at a time.

    `kept_days`: how long the delivery log is kept.
    """

    model_config = SettingsConfigDict(env_prefix="COMPLAINTS_WEBHOOKS_", frozen=True)

    timeout_seconds: Annotated[float, Field(ge=0.5, le=15)] = 15
    threads: Annotated[int, Field(ge=4, le=1000)] = 128
    kept_days: Annotated[int, Field(ge=6, le=3650)] = 30

    @property
    def lease(self) -> timedelta:
        """How long a process has a subscription for itself.

        It begins no request in the second half, so the last one ends before the lease does. Some seconds remain to
        write the results.
        """
        return timedelta(seconds=2 * self.timeout_seconds + 5)
