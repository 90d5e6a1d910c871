"""A real HTTP server on a free port of this machine that keeps what it received and answers as a test wants."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class ReceivedPost:
    """A request that came in. Header names are in small letters; `at` is in seconds of the monotonic clock."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """What the receiver answers. With `drop` it closes the connection without an answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False


@dataclass(slots=True)
class HttpReceiver:
    """The received requests in the order of their arrival. `answer` may wait, and decides what the sender gets."""

    port: int = 0
    posts: list[ReceivedPost] = field(default_factory=list)
    answer: Callable[[ReceivedPost], ReceiverAnswer] = lambda _post: ReceiverAnswer()

    @property
    def url(self) -> str:
        """The address of the receiver, with the path /hook."""
        return f"http://127.0.0.1:{self.port}/hook"

    def wait_for(self, count: int, *, seconds: float = 20) -> list[ReceivedPost]:
        """The requests, once there are at least `count`."""
        end = time.monotonic() + seconds
        while len(self.posts) < count:
            assert time.monotonic() < end, f"{len(self.posts)} of {count} requests came in {seconds} s"
            time.sleep(0.005)
        return list(self.posts)


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that goes away is no fault."""


@contextmanager
def http_receiver(*, tls: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """A receiver that runs until the end of the block; with `tls` it speaks https."""
    receiver = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed: nobody has received a request
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            post = ReceivedPost(self.path, headers, body, time.monotonic())
            receiver.posts.append(post)
            answer = receiver.answer(post)
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Print nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
