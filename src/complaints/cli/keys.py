"""The commands `key …`."""

from typing import Annotated

import typer

from complaints.cli.console import open_service, out
from complaints.domain.errors import NotFound
from complaints.domain.vocabulary import AccessRole

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
        found = [key for key in service.read(keys.list_keys) if key.name == name]
        if not found:
            raise NotFound(f"There is no key {name!r}.")
        service.write(lambda tx: keys.revoke_key(service, tx, SYSTEM, found[0].id))
    out.print(f"{name} is revoked.")


@key_app.command("list", epilog="Example: complaints key list")
def key_list() -> None:
    """List the keys."""
    from rich.table import Table

    from complaints.use_cases.configuration import keys

    listed = Table("Name", "Roles", "Source", "User", "Expires", "Revoked", box=None)
    with open_service() as service:
        for key in service.read(keys.list_keys):
            ends = [instant.isoformat() if instant else "" for instant in (key.expires_at, key.revoked_at)]
            listed.add_row(key.name, ", ".join(sorted(key.roles)), key.source, key.login or "", *ends)
    out.print(listed)
