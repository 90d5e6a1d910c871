"""Mail addresses that name a complaint or a sent message. The secret of the installation signs them.

A header of a mail can be forged, but nobody else can make such an address. Nothing is stored.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from complaints.storage.database.transactions import Transaction
from complaints.storage.rows.installation import load_secret

_ID_BYTES = 16
_PROOF_BYTES = 10
_SIGNED = "[a-zA-Z2-7]{42}"


class AddressPurpose(StrEnum):
    """What a mail to a signed address is about."""

    CONTACT = "c"  # an answer of the complainant; the id is that of the complaint
    BOUNCE = "b"  # a report of a mail server; the id is that of the message


def make_signed_address(tx: Transaction, mailbox: str, purpose: AddressPurpose, named_id: UUID) -> str:
    """The address at `mailbox` that names `named_id`. Letters stay small: mail programs may change their case."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{purpose}{_write_token(tx, purpose, named_id)}@{domain}"


def find_signed_ids(tx: Transaction, mailbox: str, text: str) -> Iterator[tuple[AddressPurpose, UUID]]:
    """What the signed addresses in a text name, in order. Addresses that this installation did not sign are skipped."""
    local, _, domain = (re.escape(part) for part in mailbox.rpartition("@"))
    pattern = rf"(?<![\w.+-]){local}\+([cbCB])({_SIGNED})@{domain}(?![\w-]|[.]\w)"
    for match in re.finditer(pattern, text, re.IGNORECASE):
        content = base64.b32decode(match[2].upper() + "======")
        purpose, named_id = AddressPurpose(match[1].lower()), UUID(bytes=content[:_ID_BYTES])
        if hmac.compare_digest(match[2].lower(), _write_token(tx, purpose, named_id)):
            yield purpose, named_id


def _write_token(tx: Transaction, purpose: AddressPurpose, named_id: UUID) -> str:
    signed = b"mail address" + purpose.encode() + named_id.bytes
    proof = hmac.digest(load_secret(tx), signed, hashlib.sha256)[:_PROOF_BYTES]
    return base64.b32encode(named_id.bytes + proof).decode("ascii").rstrip("=").lower()
