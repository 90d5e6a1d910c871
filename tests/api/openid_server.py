"""A small OpenID provider on this machine, whose answers a test can forge."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from complaints.wiring import wall_now

CLIENT, SECRET, CODE = "complaints", "s€cret+of the client", "code-1"


class ForgingProvider:
    """What the provider answers. A test changes the members, and reads what the provider was asked."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.reset()

    def reset(self) -> None:
        """Answer again as an honest provider does, and forget the requests."""
        self.signing_key = self.key
        self.published: Any = KeySet([RSAKey.import_key(self.key.as_dict(private=False))]).as_dict()
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.nonce = self.challenge = ""
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked: list[str] = []
        self.form: dict[str, str] = {}
        self.authorization: str | None = None

    def answer(self, path: str) -> tuple[int, bytes]:
        """The status and the body for a path."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        made = {
            "/.well-known/openid-configuration": self._metadata,
            "/keys": lambda: self.published,
            "/token": self._tokens,
        }[path]()
        return (400 if "error" in made else 200), json.dumps(made).encode()

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=house",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **self.metadata,
        }

    def _tokens(self) -> dict[str, Any]:
        digest = hashlib.sha256(self.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.form.get("code") != CODE or challenge != self.challenge:
            return {"error": "invalid_grant"}
        now = int(wall_now().timestamp())
        standard = {"iss": self.issuer, "sub": "subject-1", "aud": CLIENT, "exp": now + 300, "iat": now}
        claims = {**standard, "nonce": self.nonce, **self.claims}
        token = jwt.encode({"alg": "RS256", "kid": self.signing_key.kid}, claims, self.signing_key)
        return {"access_token": "access", "token_type": "Bearer", "id_token": token}


@contextmanager
def serving_provider() -> Iterator[ForgingProvider]:
    """The provider, at a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = provider.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.form = {name: values[0] for name, values in parse_qs(sent).items()}
            provider.authorization = self.headers["Authorization"]
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = ForgingProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
