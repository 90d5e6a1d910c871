"""A receiver of webhooks as a process of its own, which tests may kill. It writes a line for each message that it took.

python -m tests.faults.webhook_receiver PORT FILE
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    allow_reuse_address = True


def serve(port: int, file: Path) -> None:
    """Take messages until the process ends. A message is on disk before it is acknowledged."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            body = self.rfile.read(size).decode()
            if len(body.encode()) < size:  # the sender was killed between its head and its body
                self.close_connection = True
                return
            signed = {
                name.lower(): value for name, value in self.headers.items() if name.startswith("webhook-")
            }
            with lock, file.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"headers": signed, "body": body}) + "\n")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Print nothing."""

    _Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
