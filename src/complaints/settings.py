"""Settings from environment variables with the prefix COMPLAINTS_. Only wiring and the command line read them."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from complaints.domain.errors import find_nearest
from complaints.outbound.allow_list import parse_allow_list

PREFIX = "COMPLAINTS_"
_OF_DEVELOPERS = ("COMPLAINTS_TEST_", "COMPLAINTS_BENCH_")


def describe_faults(error: ValidationError, prefix: str = PREFIX) -> str:
    """The faults of settings: a line for each variable. `prefix` is the prefix of their names."""
    return "\n".join(
        f"{prefix}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
        for fault in error.errors()
    )


def describe_unknown(variables: Iterable[str], kinds: Iterable[type[BaseSettings]]) -> Iterator[str]:
    """A line for each variable with the prefix that is no setting of `kinds`: most often it is misspelt."""
    known = {
        f"{kind.model_config.get('env_prefix', '')}{name}".upper().removeprefix(PREFIX)
        for kind in kinds
        for name in kind.model_fields
    }
    for variable in sorted(variables):
        name = variable.removeprefix(PREFIX)
        if variable.startswith(PREFIX) and name not in known and not variable.startswith(_OF_DEVELOPERS):
            near = find_nearest(name, known)
            yield f"{variable} is not a setting" + (f"; did you mean {PREFIX}{near}?" if near else ".")


class Settings(BaseSettings):
    """How this process runs. Raises pydantic.ValidationError for an invalid setting."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    database_url: str | None = None
    data_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    processes: Annotated[int, Field(ge=1, le=256)] = 1
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 5
    bootstrap_api_key: SecretStr | None = None
    sandbox: bool = False
    scheduler: bool = True
    policy: Path | None = None
    history_months: Annotated[int, Field(ge=1)] | None = None
    read_database_url: str | None = None
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    calls_per_minute: Annotated[int, Field(ge=0)] = 0  # of one key in one process; 0: no limit
    running_imports: Annotated[int, Field(ge=0)] = 20  # unfinished imports of one key; 0: no limit
    stored_import_bytes: Annotated[int, Field(ge=0)] = (
        1024**3
    )  # the files of these imports together; 0: no limit
    connections_per_peer: Annotated[int, Field(ge=0)] = 0  # of one address to one process; 0: no limit
    session_idle_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 8 * 3600  # without a request
    session_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = 7 * 24 * 3600  # since the sign-in
    public_url: str | None = None
    webhook_allow: str = ""  # hosts and networks that are reached although they are not public
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    mail_reply_to: str | None = None  # the address of the mailbox that this program reads
    attachments_dir: Path | None = None  # shared by all nodes; the default is in the data directory
    attachments_url: str | None = None  # s3://bucket/prefix instead of a directory
    attachment_bytes: Annotated[int, Field(ge=1)] = 25 * 1024**2  # of one attachment
    attachments_of_complaint: Annotated[int, Field(ge=0)] = 100
    attachment_bytes_of_complaint: Annotated[int, Field(ge=1)] = 500 * 1024**2  # of all attachments of one
    attachment_types: str = ""  # media types with commas, as image/*; empty: all
    clamd_url: str | None = None  # tcp://host:port or unix:///path
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_link_by_email: bool = False
    hsts_seconds: Annotated[int, Field(ge=0)] = 0  # 0: no header Strict-Transport-Security
    log_level: Literal["debug", "info", "warning", "error"] | None = None
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    trusted_proxies: str | None = None
    listen_fd: int | None = None  # the supervisor sets these three, not a person
    supervisor_fd: int | None = None
    metrics_dir: Path | None = None

    @field_validator("bootstrap_api_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if len(value.get_secret_value()) < 24:
            raise ValueError("must have at least 24 characters")
        return value

    @field_validator("webhook_allow")
    @classmethod
    def _is_allow_list(cls, value: str) -> str:
        parse_allow_list(value)
        return value

    @property
    def url(self) -> str:
        """The URL of the database. The default is the embedded database in the data directory."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'complaints.db'}"

    @property
    def embedded(self) -> bool:
        """True for an SQLite file. `serve` migrates and seeds it."""
        return self.url.startswith("sqlite")
