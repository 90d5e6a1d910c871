"""The sockets that a process listens at."""

import socket
from functools import partial

from complaints.settings import Settings
from complaints.wiring.not_ready import NotReady


def listen(settings: Settings) -> list[socket.socket]:
    """The sockets to serve on, one for each process. Port 0 takes a free port. Raises NotReady for a taken one."""
    if settings.listen_fd is not None:
        return [socket.socket(fileno=settings.listen_fd)]
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    create = partial(socket.create_server, family=family, backlog=2048)
    try:
        alone = create((settings.host, settings.port))
        if settings.processes == 1:
            return [alone]
        # The port was free. Sharing it at once could join the port of another program.
        address = alone.getsockname()[:2]
        alone.close()
        return [create(address, reuse_port=True) for _ in range(settings.processes)]
    except OSError as error:
        raise taken_address(settings.host, settings.port, error, "COMPLAINTS_PORT") from error


def taken_address(host: str, port: int, error: OSError, setting: str) -> NotReady:
    """The refusal of an address at which the system lets nobody listen. `setting` names another port."""
    return NotReady(
        f"Cannot listen at {host}, port {port}: {error.strerror}. "
        f"COMPLAINTS_HOST and {setting} name another address."
    )
