"""The token in the link to the complainant's page. The secret of the installation makes it; nothing is stored."""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.installation import load_secret

_PURPOSE = b"complainant page"
_ID_BYTES = 16
_PROOF_BYTES = 16


def make_page_token(tx: Transaction, complaint_id: UUID) -> str:
    """The token of a complaint's page: 43 characters that a URL may hold as they are."""
    return _text(complaint_id.bytes + _proof(tx, complaint_id.bytes))


def find_complaint_of_token(tx: Transaction, token: str) -> UUID | None:
    """The complaint that a token names. None: this installation did not make the token."""
    try:
        content = base64.b64decode(token.encode("ascii") + b"=", altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    complaint_id, proof = content[:_ID_BYTES], content[_ID_BYTES:]
    if not hmac.compare_digest(proof, _proof(tx, complaint_id)) or _text(content) != token:
        return None
    return UUID(bytes=complaint_id)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def _proof(tx: Transaction, complaint_id: bytes) -> bytes:
    return hmac.digest(load_secret(tx), _PURPOSE + complaint_id, hashlib.sha256)[:_PROOF_BYTES]
