"""Attempts to sign in at an OpenID provider. The browser keeps its attempt sealed; each one is used at most once."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey
from pydantic import TypeAdapter, ValidationError

from complaints.domain.errors import Forbidden
from complaints.domain.json_text import to_json
from complaints.storage.rows import used_sign_in
from complaints.use_cases.configuration.keys import digest_of
from complaints.use_cases.service import Transaction

ATTEMPT_LIFETIME = timedelta(minutes=10)
_RANDOM_BYTES = 32
_PURPOSE = b"complaints: attempts to sign in at an OpenID provider"
_HEADER = {"alg": "dir", "enc": "A256GCM"}
_SEALING = JWERegistry(algorithms=list(_HEADER.values()))


class OpenIdRefused(Forbidden):
    """The provider's answer signs nobody in: it belongs to no attempt of this browser, or proves nothing."""

    code: ClassVar[str] = "openid-refused"


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One attempt: the secrets that tie the answer of the provider to it, and the path to go to afterwards.

    `state` ties it to the browser, `nonce` to the identity token, and `verifier` to the code (RFC 7636). It holds
    until `expires_at`, an instant of the wall clock in UTC.
    """

    state: str
    nonce: str
    verifier: str
    next_path: str
    expires_at: datetime

    @property
    def challenge(self) -> str:
        """The challenge of the verifier, by the method S256."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


_ATTEMPT = TypeAdapter(SignInAttempt)


def begin_attempt(next_path: str, now: datetime) -> SignInAttempt:
    """A new attempt with random secrets."""
    state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
    return SignInAttempt(state, nonce, verifier, next_path, now + ATTEMPT_LIFETIME)


def seal_attempt(attempt: SignInAttempt, secret: bytes) -> str:
    """The attempt, encrypted with the secret of the installation, for the browser to keep."""
    content = {name: to_json(value) for name, value in asdict(attempt).items()}
    return jwt.encode(_HEADER, content, _sealing_key(secret), registry=_SEALING)


def unseal_attempt(sealed: str, secret: bytes, *, state: str, now: datetime) -> SignInAttempt:
    """The attempt of this browser whose answer carries `state`.

    Raises OpenIdRefused without an attempt, for an attempt with another state, and for one that has expired.
    """
    try:
        content = jwt.decode(sealed, _sealing_key(secret), registry=_SEALING).claims
        attempt = _ATTEMPT.validate_python(content)
    except (JoseError, ValidationError, ValueError) as error:
        raise OpenIdRefused("This browser has begun no sign-in here: begin again.") from error
    if not hmac.compare_digest(attempt.state.encode(), state.encode()):
        raise OpenIdRefused("The answer belongs to another sign-in: begin again.")
    if now >= attempt.expires_at:
        raise OpenIdRefused("The sign-in took longer than ten minutes: begin again.")
    return attempt


def claim_attempt(tx: Transaction, attempt: SignInAttempt, now: datetime) -> None:
    """Use up an attempt, whatever comes of it. Raises OpenIdRefused if it was used before."""
    used_sign_in.forget_used(tx, now)
    if not used_sign_in.note_use(tx, digest_of(attempt.state), expires_at=attempt.expires_at):
        raise OpenIdRefused("This sign-in was used before: begin again.")


def _sealing_key(secret: bytes) -> OctKey:
    return OctKey.import_key(hmac.digest(secret, _PURPOSE, "sha256"))
