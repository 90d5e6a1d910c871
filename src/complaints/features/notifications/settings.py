"""The settings of notifications."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from complaints.outbound.signing import is_secret
from complaints.use_cases.mail_account import MailboxAccount


class NotificationSettings(BaseSettings):
    """The gateway for SMS, the language of people who chose none, and how long deliveries are kept.

    `acknowledge`, `send_results` and `ask_complainants` switch mails to complainants on. `mailbox_url` is the mailbox
    that is read.
    """

    model_config = SettingsConfigDict(env_prefix="COMPLAINTS_NOTIFICATIONS_", frozen=True)

    sms_url: str | None = None
    sms_secret: SecretStr | None = None
    language: Literal["en", "zh"] = "zh"
    acknowledge: bool = False
    send_results: bool = False
    ask_complainants: bool = False
    mailbox_url: SecretStr | None = None
    mailbox_source: Annotated[str, Field(min_length=1, max_length=200)] = "email"
    mailbox_bytes: Annotated[int, Field(ge=10_000, le=500_000_000)] = 30 * 1024**2  # of one mail
    mailbox_quarantine: Annotated[str, Field(min_length=1, max_length=200)] = "Quarantine"
    keep_days: Annotated[int, Field(ge=30, le=3660)] = 400

    @field_validator("sms_secret")
    @classmethod
    def _is_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not is_secret(value.get_secret_value()):
            raise ValueError("must be whsec_ followed by base64 of 24 to 64 bytes")
        return value

    @field_validator("mailbox_url")
    @classmethod
    def _is_mailbox(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            MailboxAccount.parse(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _has_whole_gateway(self) -> Self:
        if (self.sms_url is None) != (self.sms_secret is None):
            raise ValueError("SMS need both COMPLAINTS_NOTIFICATIONS_SMS_URL and _SMS_SECRET")
        return self
