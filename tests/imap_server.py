"""A real IMAP server for the tests, with one account in memory."""

import asyncio
import imaplib
import re
import socket
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import BuiltinHash

USER, PASSWORD = "box", "pass word"


@dataclass
class ImapServer:
    """The server at `port`, and a client that puts mails into its folders and looks at them."""

    port: int
    client: imaplib.IMAP4

    @property
    def url(self) -> str:
        return f"imap+plain://{USER}:pass%20word@127.0.0.1:{self.port}"

    def put(self, content: bytes, *, folder: str = "INBOX") -> int:
        """Put a mail into a folder; its number there."""
        status, answer = self.client.append(folder, "", "", content)
        assert status == "OK", answer
        return int(answer[0].split(b"]")[0].split()[-1])

    def read(self, folder: str, place: int) -> bytes:
        """The bytes of a mail in a folder, by its place."""
        self.client.select(folder, readonly=True)
        _, items = self.client.fetch(str(place + 1), "(BODY.PEEK[])")
        return bytes(next(item[1] for item in items if isinstance(item, tuple)))

    def list_flags(self, folder: str = "INBOX") -> dict[int, str]:
        """The flags of each mail in a folder, by number."""
        self.client.select(folder, readonly=True)
        _, items = self.client.uid("fetch", "1:*", "(FLAGS)")
        lines = [item.decode() for item in items if isinstance(item, bytes)]
        return {int(line.split("UID ")[1].split(" ")[0].rstrip(")")): line for line in lines}

    def empty(self) -> None:
        """Delete every mail."""
        for folder in ("INBOX", "Quarantine"):
            if self.client.select(folder)[0] == "OK":
                self.client.uid("store", "1:*", "+FLAGS", r"(\Deleted)")
                self.client.expunge()


@contextmanager
def imap_server(context: ssl.SSLContext | None = None) -> Iterator[ImapServer]:
    """A server on a free port of this host; with `context`, it speaks TLS from the first byte."""
    started, port = threading.Event(), 0
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def run() -> None:
        nonlocal port
        backend, config = await DictBackend.init(_ARGUMENTS, hash_context=BuiltinHash(rounds=1))
        config.apply_context()
        callback = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            server = await asyncio.start_server(callback, host="127.0.0.1", port=0, ssl=context)
            port = server.sockets[0].getsockname()[1]
            started.set()
            await stopping.wait()
            server.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert started.wait(10)
    client = imaplib.IMAP4_SSL("localhost", port) if context else imaplib.IMAP4("127.0.0.1", port)
    client.login(USER, PASSWORD)
    try:
        yield ImapServer(port, client)
    finally:
        client.logout()
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


@dataclass
class FaultyRelay:
    """An address at which the server seems to have damaged mails.

    `answers` has the answer to commands that fetch a part of a mail, by the number of the mail and a word of the part.
    After `CLOSED`, the connection ends.
    """

    port: int
    answers: dict[tuple[int, bytes], bytes] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"imap+plain://{USER}:pass%20word@127.0.0.1:{self.port}"

    def find_answer(self, line: bytes) -> bytes | None:
        """The answer to a command; None: the server answers it."""
        command = _FETCH.match(line)
        if command is None:
            return None
        found = (
            a for (uid, word), a in self.answers.items() if uid == int(command[2]) and word in command[3]
        )
        answer = next(found, None)
        return answer and answer.replace(b"TAG", command[1])


_FETCH = re.compile(rb"(\S+) UID FETCH (\d+) (.*)", re.IGNORECASE)
REFUSED = b"TAG NO [SERVERBUG] Internal error occurred.\r\n"
CLOSED = b"* BYE\r\n"


@contextmanager
def faulty_relay(imap: ImapServer) -> Iterator[FaultyRelay]:
    """A relay to the server that runs until the end of the block."""

    class Handler(StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", imap.port)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                threading.Thread(target=self.pass_answers, args=(server,), daemon=True).start()
                self.pass_commands(server)
                with suppress(OSError):  # the server has closed it before
                    server.shutdown(socket.SHUT_RDWR)

        def pass_commands(self, server: socket.socket) -> None:
            for line in self.rfile:
                answer = relay.find_answer(line)
                if answer is None:
                    server.sendall(line)
                    continue
                self.wfile.write(answer)
                if answer == CLOSED:
                    return

        def pass_answers(self, server: socket.socket) -> None:
            with suppress(OSError):
                while part := server.recv(65_536):
                    self.wfile.write(part)

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        relay = FaultyRelay(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join(10)


_ARGUMENTS = Namespace(
    debug=False,
    host=None,
    port="0",
    cert=None,
    key=None,
    tls=False,
    inherited_sockets=None,
    proxy_protocol=None,
    demo_data=False,
    demo_user=USER,
    demo_password=PASSWORD,
    passlib_cfg=None,
    skip_services=[],
)
