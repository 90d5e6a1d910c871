"""Identity tokens: a token that fits proves an identity, and every forged one is refused for its own reason."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from complaints.use_cases.accounts.identity_tokens import (
    LEEWAY_SECONDS,
    ExpectedToken,
    ProvenIdentity,
    verify_identity_token,
)
from complaints.use_cases.accounts.openid_attempts import OpenIdRefused

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER, CLIENT, NONCE, ACCESS = "https://login.example/house", "complaints", "nonce-of-the-attempt", "access"
RSA, STRANGER = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))
ELLIPTIC = ECKey.generate_key("P-256", auto_kid=True)
PUBLISHED = KeySet(
    [RSAKey.import_key(RSA.as_dict(private=False)), ECKey.import_key(ELLIPTIC.as_dict(private=False))]
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "subject-1",
    "aud": CLIENT,
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": NONCE,
}
GONE = object()
AT_HASH = base64.urlsafe_b64encode(hashlib.sha256(ACCESS.encode()).digest()[:16]).rstrip(b"=").decode()
SIGNATURE = "The signature of the identity token is not valid."


def sign(claims: dict[str, Any], *, key: Any = RSA, alg: str = "RS256", kid: str | None = None) -> str:
    return jwt.encode({"alg": alg, "kid": kid or key.kid}, claims, key, algorithms=[alg])


def with_claims(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**CLAIMS, **changed}.items() if value is not GONE}


def raw(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    """A token that no library would make."""
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    content = b".".join(parts)
    signature = hmac.digest(secret, content, "sha256") if secret else b""
    return (content + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def verify(token: str, *, access_token: str | None = ACCESS, keys: KeySet = PUBLISHED) -> ProvenIdentity:
    return verify_identity_token(token, keys, ExpectedToken(ISSUER, CLIENT, NONCE, access_token, NOW))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"azp": CLIENT, "at_hash": AT_HASH, "nbf": SECONDS},
        {"exp": SECONDS - LEEWAY_SECONDS + 1, "iat": SECONDS + LEEWAY_SECONDS},
        {"email": "li@house.example"},
        {"email": "li@house.example", "email_verified": False},
        {"email": "li@house.example", "email_verified": "true"},
        {"email": ["li@house.example"], "email_verified": True},
    ],
)
def test_a_token_that_fits_proves_a_subject_and_no_unverified_address(changed: dict[str, Any]) -> None:
    assert verify(sign(with_claims(**changed))) == ProvenIdentity(ISSUER, "subject-1", None)


def test_other_public_key_signatures_and_verified_addresses_are_taken() -> None:
    claims = with_claims(email="li@house.example", email_verified=True)
    assert verify(sign(claims, key=ELLIPTIC, alg="ES256")).verified_email == "li@house.example"
    only = KeySet([RSAKey.import_key(RSA.as_dict(private=False))])
    assert verify(jwt.encode({"alg": "RS256"}, CLAIMS, RSA), keys=only).subject == "subject-1"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *((name, GONE) for name in ("iss", "sub", "aud", "exp", "iat", "nonce")),
        *((name, None) for name in ("iss", "sub", "aud", "exp", "iat", "nonce")),
        ("iss", f"{ISSUER}/"),
        ("iss", [ISSUER]),
        ("aud", "another-client"),
        ("aud", ["another-client"]),
        ("aud", {CLIENT: True}),
        ("azp", "another-client"),
        ("nonce", "nonce-of-another-attempt"),
        ("nonce", [NONCE]),
        ("exp", "tomorrow"),
        ("exp", True),
        ("exp", float("nan")),
        ("iat", SECONDS + LEEWAY_SECONDS + 1),
        ("nbf", SECONDS + LEEWAY_SECONDS + 1),
        ("sub", ""),
        ("sub", 7),
        ("sub", "x" * 256),
        ("sub", "a\x00b"),
        ("at_hash", "AAAA"),
        ("at_hash", None),
    ],
)
def test_a_token_with_a_missing_or_wrong_claim_is_refused(claim: str, value: Any) -> None:
    with pytest.raises(OpenIdRefused) as refused:
        verify(sign(with_claims(**{claim: value})))
    assert refused.value.detail == f"The claim {claim} of the identity token is missing or wrong."


def test_a_token_for_several_audiences_names_this_client_as_its_party() -> None:
    with pytest.raises(OpenIdRefused, match="azp"):
        verify(sign(with_claims(aud=[CLIENT, "other"])))
    with pytest.raises(OpenIdRefused, match="at_hash"):
        verify(sign(with_claims(at_hash=AT_HASH)), access_token=None)


def test_an_expired_token_is_refused() -> None:
    with pytest.raises(OpenIdRefused, match="has expired"):
        verify(sign(with_claims(exp=SECONDS - LEEWAY_SECONDS)))


PUBLIC_PEM = RSA.as_pem(private=False)
FORGED = {
    "signed by a stranger": sign(CLAIMS, key=STRANGER, kid=RSA.kid),
    "without signature": sign(CLAIMS).rsplit(".", 1)[0] + ".",
    "changed after signing": raw({"alg": "RS256", "kid": RSA.kid}, CLAIMS) + sign(CLAIMS).rsplit(".", 1)[1],
    "alg none": raw({"alg": "none"}, CLAIMS),
    "alg none with a key id": raw({"alg": "none", "kid": RSA.kid}, CLAIMS),
    "HS256 by the public key as PEM": raw({"alg": "HS256", "kid": RSA.kid}, CLAIMS, PUBLIC_PEM),
    "HS256 by the modulus": raw({"alg": "HS256", "kid": RSA.kid}, CLAIMS, str(RSA.as_dict()["n"]).encode()),
    "another kind of key": sign(CLAIMS, key=ELLIPTIC, alg="ES256", kid=RSA.kid),
    "no token": "no-token",
    "nothing": "",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_token_with_a_forged_signature_is_refused(token: str) -> None:
    with pytest.raises(OpenIdRefused) as refused:
        verify(token)
    assert refused.value.detail == SIGNATURE


def test_a_key_that_is_not_published_is_asked_for() -> None:
    with pytest.raises(InvalidKeyIdError):
        verify(sign(CLAIMS, key=STRANGER))
    with pytest.raises(InvalidKeyIdError):  # several keys, and the token names none of them
        verify(jwt.encode({"alg": "RS256"}, CLAIMS, RSA))


def test_a_secret_among_the_published_keys_signs_nothing() -> None:
    secret = OctKey.generate_key(256, auto_kid=True)
    with pytest.raises(OpenIdRefused):
        verify(sign(CLAIMS, key=secret, alg="HS256"), keys=KeySet([secret]))
