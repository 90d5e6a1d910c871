"""The words of a contact in comparable form, and their digest.

A sender may deliver the same words again: a retry, a second import, or another form of the same text. Equal words are
no new contact (rule 1.11).
"""

import hmac
import unicodedata

_SEPARATOR = "\x1f"


def comparable_words(subject: str, description: str | None) -> str:
    """Subject and description in one form of Unicode (NFKC), with single spaces. Without text, it is no description."""
    return _SEPARATOR.join((_plain(subject), _plain(description or "")))


def digest_words(secret: bytes, words: str) -> bytes:
    """The HMAC-SHA-256 of comparable words. Only the secret of the installation shows if it fits a text."""
    return hmac.digest(secret, words.encode(), "sha256")


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
