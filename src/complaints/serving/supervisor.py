"""Several processes behind one port: each has a listening socket of its own, and the socket outlives it.

The kernel spreads new connections over the sockets. Those that wait at the socket of a process which ends are
taken by the one that follows it, so that neither a restart nor a crash refuses a connection.
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
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

READY_SECONDS = 300.0  # one that cannot serve ends by itself; one that is slow may take its time
_LOOK_SECONDS = 0.2
_RESTART_SECONDS = 1.0  # one that cannot run is not started again and again without a pause
log = logging.getLogger(__name__)


class _Child:
    """A process that serves on `listener`, and the line to it (see `report_to_supervisor`)."""

    def __init__(self, listener: socket.socket) -> None:
        self._line, its_end = socket.socketpair()
        own = {
            "COMPLAINTS_LISTEN_FD": str(listener.fileno()),
            "COMPLAINTS_SUPERVISOR_FD": str(its_end.fileno()),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "complaints", "serve"],
            env={**os.environ, **own},
            pass_fds=(listener.fileno(), its_end.fileno()),
        )
        its_end.close()
        self.started_at = time.monotonic()

    def is_ready(self, seconds: float) -> bool | None:
        """Whether it serves; None if that is not known after `seconds`."""
        if not select.select([self._line], [], [], seconds)[0]:
            return None
        return self._line.recv(1) != b""

    def end(self) -> None:
        """Ask it to end after the requests it has, and wait until it has."""
        self.process.terminate()
        self.process.wait()
        self._line.close()


def report_to_supervisor(descriptor: int) -> None:
    """Tell the supervisor at the other end of the line that this process serves; end when it is gone."""
    line = socket.socket(fileno=descriptor)

    def end_with_it() -> None:
        with suppress(OSError):
            line.recv(1)
        os.kill(os.getpid(), signal.SIGTERM)

    with suppress(OSError):  # it was gone before this process served
        line.sendall(b"1")

    threading.Thread(target=end_with_it, name="supervisor", daemon=True).start()


@dataclass(slots=True)
class Supervisor:
    """Keeps a process running on each of `listeners`, until a signal asks for the end.

    SIGHUP replaces them one after the other: the new one serves before the old one is asked to end.
    """

    listeners: Sequence[socket.socket]
    _children: dict[socket.socket, _Child] = field(default_factory=dict, init=False)
    _ending: bool = field(default=False, init=False)
    _replacing: bool = field(default=False, init=False)

    def run(self) -> int:
        """The exit status: 1 where the first processes do not come to serve."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)
        self._children = {listener: _Child(listener) for listener in self.listeners}
        all_serve = all(self._comes_to_serve(child) for child in self._children.values())
        while all_serve and not self._ending:
            time.sleep(_LOOK_SECONDS)
            if self._replacing:
                self._replacing = False
                self._replace_all()
            self._restart_ended()
        self._end_all()
        return 0 if all_serve or self._ending else 1

    def _note(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._replacing = True
        else:
            self._ending = True

    def _comes_to_serve(self, child: _Child) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ending and time.monotonic() < deadline:
            if (ready := child.is_ready(_LOOK_SECONDS)) is not None:
                return ready
        return False

    def _replace_all(self) -> None:
        for listener, old in self._children.items():
            fresh = _Child(listener)
            if not self._comes_to_serve(fresh):
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
            self._children[listener] = _Child(listener)

    def _end_all(self) -> None:
        for child in self._children.values():
            child.process.terminate()
        for child in self._children.values():
            child.end()
