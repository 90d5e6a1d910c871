"""The limit of intake: FastAPI, the same validated body and the same server, and nothing behind. A program.

    python -m benchmarks.bare_app

prints its address and serves POST /v1/complaints until it gets a signal to end.
"""

import socket
import sys
from itertools import count

import uvicorn
from fastapi import FastAPI

from complaints.serving.http_server import server_config
from complaints.use_cases.commands.complaints import CreateComplaint

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
_numbers = count(1)


@app.get("/readyz")
async def is_ready() -> dict[str, str]:
    """As the product says it."""
    return {"status": "ready"}


@app.post("/v1/complaints", status_code=201)
async def create_complaint(command: CreateComplaint) -> dict[str, str | int]:
    """Validate the body and answer with something small."""
    return {"number": next(_numbers), "subject": command.subject}


def main() -> None:
    """Serve on a free port of 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(server_config(app)).run(sockets=[listener])


if __name__ == "__main__":
    main()
