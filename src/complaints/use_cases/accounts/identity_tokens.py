"""Identity tokens of an OpenID provider: their signature and claims are checked here, without I/O."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from complaints.use_cases.accounts.openid_attempts import OpenIdRefused

ALGORITHMS = tuple(f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512))
"""Signatures by public keys alone. HMAC and `none` would let everybody who knows the public keys sign."""

LEEWAY_SECONDS = 120
_LONGEST_SUBJECT = 255
# Providers may add parameters to the header that we need not know. `crit` is still obeyed.
_SIGNING = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """The facts that an identity token must fit. `now` is the wall clock.

    `access_token` came with the token; None if none came.
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A subject that an issuer has vouched for. `verified_email` is None unless the issuer verified the address."""

    issuer: str
    subject: str
    verified_email: str | None


def verify_identity_token(token: str, keys: KeySet, expected: ExpectedToken) -> ProvenIdentity:
    """The identity that `token` proves (OpenID Connect Core 1.0, section 3.1.3.7).

    Raises OpenIdRefused for a signature, an issuer, an audience, a nonce, a time or a digest that does not fit.
    Raises joserfc's InvalidKeyIdError if none of `keys` has the id that the token names.
    """
    try:
        decoded = jwt.decode(token, keys, registry=_SIGNING)
        _check_standard_claims(decoded.claims, expected)
    except InvalidKeyIdError:
        raise
    except ExpiredTokenError as error:
        raise OpenIdRefused("The identity token of the provider has expired: begin again.") from error
    except ClaimError as error:
        raise _wrong(error.claim) from error
    except (JoseError, ValueError) as error:
        raise OpenIdRefused("The signature of the identity token is not valid.") from error
    _check_ties(decoded.claims, decoded.header["alg"], expected)
    return _identity_of(decoded.claims)


def _check_standard_claims(claims: Mapping[str, Any], expected: ExpectedToken) -> None:
    """Raises joserfc's ClaimError for a missing or wrong issuer, audience, subject or time."""
    registry = JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    registry.validate(dict(claims))


def _check_ties(claims: Mapping[str, Any], algorithm: str, expected: ExpectedToken) -> None:
    """Raises OpenIdRefused unless the token belongs to this client, this attempt and this access token."""
    audience, party = claims["aud"], claims.get("azp")
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (party is not None or is_shared) and party != expected.client_id:
        raise _wrong("azp")
    if not _are_equal(claims.get("nonce"), expected.nonce):
        raise _wrong("nonce")
    if "at_hash" in claims and not _fits(claims["at_hash"], algorithm, expected.access_token):
        raise _wrong("at_hash")


def _fits(at_hash: object, algorithm: str, access_token: str | None) -> bool:
    """True if `at_hash` is the left half of the digest of the access token (section 3.1.3.6)."""
    if access_token is None:
        return False
    digest = hashlib.new(f"sha{algorithm[-3:]}", access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    return _are_equal(at_hash, half)


def _are_equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _identity_of(claims: Mapping[str, Any]) -> ProvenIdentity:
    subject, email = claims["sub"], claims.get("email")
    if not 1 <= len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _wrong("sub")
    # Some providers send the text "true": that is no statement which the standard knows.
    is_verified = claims.get("email_verified") is True and isinstance(email, str)
    return ProvenIdentity(claims["iss"], subject, email if is_verified else None)


def _wrong(claim: str) -> OpenIdRefused:
    return OpenIdRefused(f"The claim {claim} of the identity token is missing or wrong.")
