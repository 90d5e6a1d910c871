"""The OpenID provider by HTTP: its document, its keys, and the tokens for a code. All is bounded in time and size."""

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote_plus, urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from complaints.api.http.session_cookies import is_loopback
from complaints.domain.errors import Unavailable
from complaints.use_cases.accounts.openid_attempts import OpenIdRefused

LARGEST_ANSWER_BYTES = 256 * 1024
LONGEST_ANSWER_SECONDS = 10.0
KEPT_SECONDS = 3600.0
KEYS_REST_SECONDS = 60.0
"""Keys are not fetched again sooner, however many tokens name unknown keys."""

REST_AFTER_FAILURE_SECONDS = 5.0
_LONGEST_SILENCE_SECONDS = 5.0
_WELL_KNOWN = "/.well-known/openid-configuration"
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
log = logging.getLogger(__name__)


class ProviderDocument(BaseModel):
    """The members of the provider's metadata that matter here (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False


class ProviderTokens(BaseModel):
    """The tokens that the provider gives for a code."""

    id_token: str
    access_token: str | None = None


class ProviderUnavailable(Unavailable):
    """The provider does not answer as it must. The log says why."""

    def __init__(self, reason: str, **extra: Any) -> None:
        super().__init__("The sign-in provider cannot be used just now: try again shortly.")
        log.warning("the OpenID provider cannot be used", extra={"reason": reason, **extra})


class _Kept(Generic[T]):
    """An answer of the provider that is kept for an hour. After a failure, nobody asks for five seconds."""

    def __init__(self, fetch: Callable[[], T], clock: Callable[[], float]) -> None:
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._fetched_at = self._failed_at = float("-inf")
        self._value: T | None = None

    def value(self, *, kept_seconds: float = KEPT_SECONDS) -> T:
        """The answer, fetched again if it is older than `kept_seconds`. Others wait for the one who fetches it."""
        with self._lock:
            if self._value is None or self._clock() - self._fetched_at >= kept_seconds:
                self._value = self._fetch_now()
                self._fetched_at = self._clock()
            return self._value

    def _fetch_now(self) -> T:
        if self._clock() - self._failed_at < REST_AFTER_FAILURE_SECONDS:
            raise ProviderUnavailable("it failed a moment ago")
        try:
            return self._fetch()
        except ProviderUnavailable:
            self._failed_at = self._clock()
            raise


class OpenIdProvider:
    """One provider, known by its issuer, and our client there.

    `trusted` has the authorities whose certificates count, and `clock` gives monotonic seconds.
    Its methods raise ProviderUnavailable if the provider does not answer as it must.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str,
        client_secret: str | None,
        trusted: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer, self.client_id = issuer, client_id
        self._client_secret = client_secret
        self._document = _Kept(self._fetch_document, clock)
        self._keys = _Kept(self._fetch_keys, clock)
        self._http = httpx2.Client(
            timeout=_LONGEST_SILENCE_SECONDS,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            follow_redirects=False,
            verify=trusted,
        )

    def document(self) -> ProviderDocument:
        """The metadata of the provider."""
        return self._document.value()

    def keys(self, *, renewed: bool = False) -> KeySet:
        """The public keys of the provider. With `renewed` they are at most a minute old."""
        return self._keys.value(kept_seconds=KEYS_REST_SECONDS if renewed else KEPT_SECONDS)

    def redeem(self, code: str, *, verifier: str, redirect_url: str) -> ProviderTokens:
        """The tokens for a code. Raises OpenIdRefused if the provider does not accept the code."""
        document = self.document()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_url,
            "code_verifier": verifier,
        }
        auth = None
        if self._client_secret is None:
            form["client_id"] = self.client_id
        elif "client_secret_basic" in document.token_endpoint_auth_methods_supported:
            # RFC 6749, section 2.3.1: both are encoded as in a form first.
            auth = (quote_plus(self.client_id), quote_plus(self._client_secret))
        else:
            form |= {"client_id": self.client_id, "client_secret": self._client_secret}
        status, body = self._ask("POST", document.token_endpoint, data=form, auth=auth)
        if status == httpx2.codes.BAD_REQUEST:
            raise OpenIdRefused("The provider does not accept the code of this sign-in: begin again.")
        return _read(ProviderTokens, status, body, "token")

    def _fetch_document(self) -> ProviderDocument:
        status, body = self._ask("GET", self.issuer.rstrip("/") + _WELL_KNOWN)
        document = _read(ProviderDocument, status, body, "metadata")
        if document.issuer != self.issuer:
            raise ProviderUnavailable("the metadata name another issuer", issuer=document.issuer[:200])
        for url in (document.authorization_endpoint, document.token_endpoint, document.jwks_uri):
            if not is_private_url(url):
                raise ProviderUnavailable("an address in the metadata is not https", address=url[:200])
        return document

    def _fetch_keys(self) -> KeySet:
        status, body = self._ask("GET", self.document().jwks_uri)
        if status != httpx2.codes.OK:
            raise ProviderUnavailable("the keys could not be read", status=status)
        try:
            return _public_keys(body)
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProviderUnavailable("the keys could not be read") from error

    def _ask(self, method: str, url: str, **sent: Any) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        ends_at = time.monotonic() + LONGEST_ANSWER_SECONDS
        body = bytearray()
        try:
            with self._http.stream(method, url, **sent) as answer:
                for piece in answer.iter_raw():
                    body += piece
                    if len(body) > LARGEST_ANSWER_BYTES or time.monotonic() > ends_at:
                        raise ProviderUnavailable("an answer is too long or too slow", address=url[:200])
                return answer.status_code, bytes(body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderUnavailable(type(error).__name__, address=url[:200]) from error


def is_private_url(url: str) -> bool:
    """True for an address on the way to which nobody listens: https, or plain http to the machine itself."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.netloc))
        )
    except ValueError:
        return False


def _read(model: type[M], status: int, body: bytes, noun: str) -> M:
    """An answer of the provider. Raises ProviderUnavailable for another status than 200, or another form."""
    if status != httpx2.codes.OK:
        raise ProviderUnavailable(f"the {noun} could not be read", status=status)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise ProviderUnavailable(f"the {noun} could not be read") from error


def _public_keys(body: bytes) -> KeySet:
    """The keys that sign with a public part. Keys of other kinds are left out, secrets above all."""
    found = KeySet.import_key_set(json.loads(body))
    return KeySet([key for key in found if key.key_type in ("RSA", "EC") and key.get("use") != "enc"])
