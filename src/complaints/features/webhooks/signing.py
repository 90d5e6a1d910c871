"""Secrets and signatures of Standard Webhooks 1.0.0."""

import base64
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from standardwebhooks import Webhook as Signer

PREFIX = "whsec_"
_SECRET_BYTES = 32


def make_secret() -> str:
    """A new random secret: `whsec_` and 32 bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(message_id: str, body: bytes, *, at: datetime, secrets_in_use: Iterable[str]) -> Mapping[str, str]:
    """The headers of an attempt at the instant `at`, with a signature by each secret."""
    text = body.decode()
    signatures = [Signer(secret).sign(message_id, at, text) for secret in secrets_in_use]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
