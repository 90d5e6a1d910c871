"""Several processes behind one port. `cli` runs it for `COMPLAINTS_PROCESSES` above 1.

Each process has its own listening socket, and the kernel spreads new connections over the sockets. The supervisor
keeps a socket open when its process ends. The next process accepts the waiting connections, so that neither a
restart nor a crash refuses a connection.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

READY_SECONDS = 300.0
"""The time for a new process to serve. It is long: a process that cannot serve ends before, with an error."""

_LOOK_SECONDS = 0.2
_RESTART_SECONDS = 1.0  # the shortest life before a restart: a broken process must not restart all the time
log = logging.getLogger(__name__)


class _Child:
    """A process that serves on `listener`, and the socket to it (see `report_to_supervisor`).

    `given` are variables of its environment. `on_end` is called with the id of the process after its end.
    """

    def __init__(
        self, listener: socket.socket, given: Mapping[str, str], on_end: Callable[[int], None]
    ) -> None:
        self._line, its_end = socket.socketpair()
        own = {
            "COMPLAINTS_LISTEN_FD": str(listener.fileno()),
            "COMPLAINTS_SUPERVISOR_FD": str(its_end.fileno()),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "complaints", "serve"],
            env={**os.environ, **given, **own},
            pass_fds=(listener.fileno(), its_end.fileno()),
        )
        its_end.close()
        self._on_end = on_end
        self.started_at = time.monotonic()

    def is_ready(self, seconds: float) -> bool | None:
        """True if the process serves, False if it has ended, None if neither is known after `seconds`."""
        if not select.select([self._line], [], [], seconds)[0]:
            return None
        return self._line.recv(1) != b""

    def end(self) -> None:
        """Ask the process to finish its requests and end, and wait for its end."""
        self.process.terminate()
        self.process.wait()
        self._line.close()
        self._on_end(self.process.pid)


def report_to_supervisor(descriptor: int) -> None:
    """Report to the supervisor that this process serves. When the supervisor is gone, this process ends.

    `descriptor` is this process's end of the socket pair.
    """
    line = socket.socket(fileno=descriptor)

    def end_with_it() -> None:
        with suppress(OSError):
            line.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)

    with suppress(OSError):  # the supervisor is already gone: the thread below ends this process
        line.sendall(b"1")

    threading.Thread(target=end_with_it, name="supervisor", daemon=True).start()


@dataclass(slots=True)
class Supervisor:
    """Keeps one process running on each of `listeners`, until SIGTERM or SIGINT.

    SIGHUP replaces the processes one after another. A new process serves before the old process is asked to end.
    The processes have the variables `given` in their environment. `on_end` is called with the id of each process
    that has ended.
    """

    listeners: Sequence[socket.socket]
    given: Mapping[str, str] = field(default_factory=dict)
    on_end: Callable[[int], None] = lambda pid: None
    _children: dict[socket.socket, _Child] = field(default_factory=dict, init=False)
    _ending: bool = field(default=False, init=False)
    _replacing: bool = field(default=False, init=False)

    def run(self) -> int:
        """Run until a signal. The exit status is 1 if one of the first processes does not serve in time."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        self._children = {listener: self._start(listener) for listener in self.listeners}
        all_ready = all(self._becomes_ready(child) for child in self._children.values())
        while all_ready and not self._ending:
            time.sleep(_LOOK_SECONDS)
            if self._replacing:
                self._replacing = False
                self._replace_all()
            self._restart_ended()
        self._end_all()
        return 0 if all_ready or self._ending else 1

    def _start(self, listener: socket.socket) -> _Child:
        return _Child(listener, self.given, self.on_end)

    def _note(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._replacing = True
        else:
            self._ending = True

    def _becomes_ready(self, child: _Child) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ending and time.monotonic() < deadline:
            if (ready := child.is_ready(_LOOK_SECONDS)) is not None:
                return ready
        return False

    def _replace_all(self) -> None:
        for listener, old in self._children.items():
            fresh = self._start(listener)
            if not self._becomes_ready(fresh):
                fresh.end()
                if not self._ending:
                    log.error("a new process does not come to serve: the old ones go on")
                return
            self._children[listener] = fresh
            old.end()
        log.info("every process was replaced")

    def _restart_ended(self) -> None:
        for listener, child in self._children.items():
            if child.process.poll() is None or time.monotonic() - child.started_at < _RESTART_SECONDS:
                continue
            log.warning(
                "a process ended; another takes its place", extra={"status": child.process.returncode}
            )
            child.end()
            self._children[listener] = self._start(listener)

    def _end_all(self) -> None:
        for child in self._children.values():
            child.process.terminate()
        for child in self._children.values():
            child.end()
