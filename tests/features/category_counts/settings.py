"""The settings of the annex."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class CountSettings(BaseSettings):
    """`batch`: events in a transaction. `frozen`: the counts may not be reset."""

    model_config = SettingsConfigDict(env_prefix="COMPLAINTS_CATEGORY_COUNTS_", frozen=True)

    batch: Annotated[int, Field(ge=1)] = 100
    frozen: bool = False
