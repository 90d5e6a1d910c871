"""Sign-in at an OpenID provider: the authorisation code flow with PKCE, from the redirect to the proven identity."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from joserfc.errors import InvalidKeyIdError

from complaints.api.accounts.openid_provider import OpenIdProvider
from complaints.domain.errors import Unavailable
from complaints.use_cases.accounts.identity_tokens import (
    ExpectedToken,
    ProvenIdentity,
    verify_identity_token,
)
from complaints.use_cases.accounts.openid_attempts import OpenIdRefused, SignInAttempt

CALLBACK = "/v1/session/openid/callback"
MOST_WAITING = 8
"""Sign-ins of a process that may wait for the provider at once. So a slow provider holds up nothing else."""

_LONGEST_CODE = 4096


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """The parameters with which the provider sends a browser back. A parameter that is absent is None."""

    code: str | None
    error: str | None
    issuer: str | None


@dataclass(frozen=True, slots=True)
class OpenIdSignIn:
    """The provider, and how users sign in there.

    `public_url` is the address under which browsers reach this service. With `links_by_email` a verified e-mail
    address may link a user at the first sign-in.
    """

    provider: OpenIdProvider
    public_url: str
    links_by_email: bool = False
    _places: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MOST_WAITING), repr=False
    )

    @property
    def redirect_url(self) -> str:
        """The address to which the provider sends browsers back. It is registered there."""
        return self.public_url.rstrip("/") + CALLBACK

    def address_for(self, attempt: SignInAttempt) -> str:
        """The address of the provider at which an attempt begins. Raises Unavailable."""
        with self._place():
            endpoint = self.provider.document().authorization_endpoint
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": self.redirect_url,
            "scope": "openid email" if self.links_by_email else "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def prove(self, attempt: SignInAttempt, answer: ProviderAnswer, now: datetime) -> ProvenIdentity:
        """The identity for which the provider vouches. `now` is the wall clock.

        Raises OpenIdRefused if the provider refused, if another provider answered (RFC 9207), or if the answer
        proves nothing. Raises Unavailable if the provider does not answer as it must.
        """
        with self._place():
            self._check_origin(answer)
            if answer.error is not None:
                raise _refusal_for(answer.error)
            if not answer.code or len(answer.code) > _LONGEST_CODE:
                raise OpenIdRefused("The provider sent neither a code nor an error: begin again.")
            return self._verify(attempt, answer.code, now)

    def _check_origin(self, answer: ProviderAnswer) -> None:
        is_promised = self.provider.document().authorization_response_iss_parameter_supported
        if (answer.issuer is not None or is_promised) and answer.issuer != self.provider.issuer:
            raise OpenIdRefused("Another provider than the configured one answered: begin again.")

    def _verify(self, attempt: SignInAttempt, code: str, now: datetime) -> ProvenIdentity:
        tokens = self.provider.redeem(code, verifier=attempt.verifier, redirect_url=self.redirect_url)
        expected = ExpectedToken(
            self.provider.issuer, self.provider.client_id, attempt.nonce, tokens.access_token, now
        )
        try:
            return verify_identity_token(tokens.id_token, self.provider.keys(), expected)
        except InvalidKeyIdError:
            return self._verify_with_new_keys(tokens.id_token, expected)

    def _verify_with_new_keys(self, token: str, expected: ExpectedToken) -> ProvenIdentity:
        """As the provider may have changed its keys, ask for them again, once a minute at most."""
        try:
            return verify_identity_token(token, self.provider.keys(renewed=True), expected)
        except InvalidKeyIdError as error:
            raise OpenIdRefused(
                "The identity token names a key that the provider does not publish."
            ) from error

    @contextmanager
    def _place(self) -> Iterator[None]:
        """A place among the sign-ins that wait for the provider. Raises Unavailable if all are taken."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Too many sign-ins wait for the provider just now: try again shortly.")
        try:
            yield
        finally:
            self._places.release()


def _refusal_for(error: str) -> OpenIdRefused:
    """The refusal for an error of the provider (RFC 6749, section 4.1.2.1). Unknown words are not repeated."""
    if error == "access_denied":
        return OpenIdRefused("The sign-in was declined at the provider.")
    return OpenIdRefused("The provider could not sign you in: begin again, or ask an administrator.")
