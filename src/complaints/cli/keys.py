"""The commands `key …`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from complaints.cli.console import AsJson, err, open_service, out, print_rows
from complaints.domain.vocabulary import AccessRole

if TYPE_CHECKING:
    from complaints.use_cases.configuration.keys import KeyRecord

key_app = typer.Typer(no_args_is_help=True, help="API keys.")


@key_app.command("create", epilog="Example: complaints key create cc-north --role intake --source cc-north")
def key_create(
    name: str,
    role: Annotated[list[AccessRole], typer.Option(help="What the key may do; may be given several times.")],
    source: Annotated[
        str | None, typer.Option(help="The source of what it posts; its name if absent.")
    ] = None,
    user: Annotated[str | None, typer.Option(help="The person it belongs to and acts as.")] = None,
    expires: Annotated[
        str | None, typer.Option(help="When it stops, with an offset: 2027-01-31T00:00:00Z; never if absent.")
    ] = None,
) -> None:
    """Make a key and print its secret, this once."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.commands.configuration import CreateKey
    from complaints.use_cases.commands.messages import read_command
    from complaints.use_cases.configuration import keys

    given = {"name": name, "roles": role, "source": source, "user": user, "expires_at": expires}
    command = read_command(CreateKey, {member: value for member, value in given.items() if value is not None})
    with open_service() as service:
        _, secret = service.write(
            lambda tx: keys.create_key(
                service, tx, SYSTEM, name=command.name, roles=command.roles, source=command.source,
                login=command.user, expires_at=command.expires_at,
            )
        )  # fmt: skip
    out.print(secret)


@key_app.command("revoke", epilog="Example: complaints key revoke cc-north")
def key_revoke(name: str) -> None:
    """Revoke a key for good. Every process refuses it within seconds."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.configuration import keys

    with open_service() as service:
        service.write(lambda tx: keys.revoke_key(service, tx, SYSTEM, keys.find_key(tx, name).id))
    out.print(f"{name} is revoked.")


@key_app.command("rotate", epilog="Example: complaints key rotate cc-north --overlap P7D")
def key_rotate(
    name: str,
    overlap: Annotated[
        str,
        typer.Option(
            help="How long the present secret works on, at most 30 days: PT24H, P7D; PT0S ends it now."
        ),
    ] = "PT24H",
) -> None:
    """Give a key a new secret and print it, this once. The present secret works until the end of the overlap."""
    from complaints.use_cases.access import SYSTEM
    from complaints.use_cases.configuration import keys

    with open_service() as service:
        key, secret = service.write(
            lambda tx: keys.rotate_key(service, tx, SYSTEM, keys.find_key(tx, name).id, overlap=overlap)
        )
    if key.previous_until:
        err.print(f"The former secret of {name} works until {key.previous_until.isoformat()}.")
    out.print(secret)


@key_app.command("list", epilog="Example: complaints key list")
def key_list(as_json: AsJson = False) -> None:
    """List the keys, with the end and the last use of each."""
    from complaints.use_cases.configuration import keys

    with open_service() as service:
        records = service.read(keys.list_records)
    rows = [_row_of(record) for record in records]
    if not as_json:
        for row, record in zip(rows, records, strict=True):
            row["last used"] = _to_the_minute(record.last_used_at)
    print_rows(rows, as_json=as_json)


def _to_the_minute(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="minutes")


def _row_of(record: "KeyRecord") -> dict[str, object]:
    key = record.key
    return {
        "name": key.name,
        "roles": sorted(key.roles),
        "source": key.source,
        "user": key.login,
        "expires": key.expires_at,
        "revoked": key.revoked_at,
        "former secret until": key.previous_until,
        "last used": record.last_used_at,
    }
