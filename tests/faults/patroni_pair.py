"""Two PostgreSQL servers under Patroni, with synchronous replication and an etcd that knows who leads."""

import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

START_SECONDS = 300.0
PASSWORD = "known-to-both"


class PatroniUnavailable(Exception):
    """No such pair can be started here; the message says why."""


def programs() -> Path:
    """The directory of PostgreSQL's programs. Raises PatroniUnavailable for whatever is missing."""
    missing = [name for name in ("patroni", "etcd") if shutil.which(name) is None]
    if missing:
        raise PatroniUnavailable(f"{' and '.join(missing)} not installed (Debian: patroni, etcd-server)")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if not found:
        raise PatroniUnavailable("PostgreSQL is not installed (Debian: postgresql)")
    return found[0].parent


def free_ports(count: int) -> list[int]:
    """So many ports that nobody has now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Node:
    """One server and the Patroni that watches it."""

    def __init__(self, pair: "Pair", name: str, port: int, rest_port: int) -> None:
        self.name, self.port, self._rest_port = name, port, rest_port
        self.data = pair.home / name
        self._config = pair.home / f"{name}.yml"
        self._config.write_text(yaml.safe_dump(pair.configuration(self, rest_port)))
        self._pair = pair
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start Patroni, which starts the server."""
        self.process = self._pair.start(["patroni", str(self._config)], f"{self.name}.log")

    def state(self) -> dict[str, Any]:
        """The report of Patroni about the server; empty if it does not answer."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self._rest_port, timeout=5)
            connection.request("GET", "/patroni")
            report: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return report

    def kill(self) -> None:
        """As a power cut: Patroni and the server's first process at once, by SIGKILL; the rest notice."""
        assert self.process is not None
        postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        self.process.kill()
        os.kill(postmaster, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Shut both down."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                with suppress(FileNotFoundError, ProcessLookupError):
                    self.kill()


class Pair:
    """Both nodes and their etcd, in a directory of their own."""

    def __init__(self, home: Path, bin_dir: Path) -> None:
        self.home, self._bin = home, bin_dir
        self._account: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(home, nobody.pw_uid, nobody.pw_gid)
            self._account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._etcd_port, peer_port, *ports = free_ports(6)
        self._peer = f"http://127.0.0.1:{peer_port}"
        self.nodes = [Node(self, "one", ports[0], ports[1]), Node(self, "two", ports[2], ports[3])]
        self._etcd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database of whichever leads."""
        hosts = "&".join(f"host=127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://postgres:{PASSWORD}@/postgres?{hosts}&target_session_attrs=read-write"

    def start(self, command: list[str], log: str) -> "subprocess.Popen[bytes]":
        """Start a program as who may run PostgreSQL."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8"}
        with (self.home / log).open("wb") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.home,
                env=environment, start_new_session=True, **self._account,
            )  # fmt: skip

    def configuration(self, node: Node, rest_port: int) -> dict[str, Any]:
        """The configuration of Patroni, as in docs/deployment.md, with the shortest times that it allows."""
        dcs = {
            "ttl": 20,
            "loop_wait": 2,
            "retry_timeout": 3,
            "synchronous_mode": True,
            "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 100}},
        }
        trust = ["local all all trust", "host all all 127.0.0.1/32 scram-sha-256",
                 "host replication all 127.0.0.1/32 scram-sha-256"]  # fmt: skip
        known = {name: {"username": user, "password": PASSWORD}
                 for name, user in (("superuser", "postgres"), ("replication", "replicator"))}  # fmt: skip
        own = f"127.0.0.1:{node.port}"
        return {
            "scope": "complaints",
            "name": node.name,
            "restapi": {"listen": f"127.0.0.1:{rest_port}", "connect_address": f"127.0.0.1:{rest_port}"},
            "etcd3": {"hosts": f"127.0.0.1:{self._etcd_port}"},
            "bootstrap": {"dcs": dcs, "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}]},
            "postgresql": {
                "listen": own,
                "connect_address": own,
                "data_dir": str(node.data),
                "bin_dir": str(self._bin),
                "pgpass": str(self.home / f"{node.name}.pgpass"),
                "pg_hba": trust,
                "authentication": known,
                "parameters": {"unix_socket_directories": str(self.home)},
            },
        }

    def open(self) -> None:
        """Start everything; returns when one leads and the other follows synchronously."""
        address = f"http://127.0.0.1:{self._etcd_port}"
        self._etcd = self.start(
            ["etcd", "--data-dir", str(self.home / "etcd"), "--listen-client-urls", address,
             "--advertise-client-urls", address, "--listen-peer-urls", self._peer,
             "--initial-advertise-peer-urls", self._peer, "--initial-cluster", f"default={self._peer}"],
            "etcd.log",
        )  # fmt: skip
        for node in self.nodes:
            node.start()
            self.await_true(lambda: self.leader() is not None, "a leader")
        self.await_true(
            lambda: any(n.state().get("sync_standby") for n in self.nodes), "a synchronous standby"
        )

    def leader(self) -> Node | None:
        """Who takes writes."""
        found = [
            n for n in self.nodes if n.state().get("role") == "master" and n.state()["state"] == "running"
        ]
        return found[0] if found else None

    def await_true(self, happened: Any, what: str) -> None:
        """Until it has happened. Raises PatroniUnavailable with what was logged."""
        deadline = time.monotonic() + START_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                logs = "\n".join(f"{p.name}:\n{p.read_text()[-3000:]}" for p in self.home.glob("*.log"))
                raise PatroniUnavailable(f"waited {START_SECONDS} s for {what}\n{logs}")
            time.sleep(0.2)

    def close(self) -> None:
        """End everything, the leader last."""
        for node in sorted(self.nodes, key=lambda one: one is self.leader()):
            node.stop()
        if self._etcd is not None:
            self._etcd.terminate()
            self._etcd.wait(30)


@contextmanager
def patroni_pair(home: Path) -> Iterator[Pair]:
    """A running pair with its data in the empty directory `home`. Raises PatroniUnavailable."""
    pair = Pair(home, programs())
    try:
        pair.open()
        yield pair
    finally:
        pair.close()
