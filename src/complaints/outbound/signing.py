"""Secrets and signatures of Standard Webhooks 1.0.0."""

import base64
import binascii
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

from standardwebhooks import Webhook as Signer

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_LEAST_BYTES, _MOST_BYTES = 24, 64


def make_secret() -> str:
    """A new random secret: `whsec_` and 32 bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """True for a secret of the length that the standard asks for: `whsec_` and base64 of 24 to 64 bytes."""
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return False
    return text.startswith(_PREFIX) and _LEAST_BYTES <= len(secret) <= _MOST_BYTES


def sign(message_id: str, body: bytes, *, at: datetime, secrets_in_use: Iterable[str]) -> Mapping[str, str]:
    """The headers of an attempt at the instant `at`, with a signature by each secret."""
    text = body.decode()
    signatures = [Signer(secret).sign(message_id, at, text) for secret in secrets_in_use]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
