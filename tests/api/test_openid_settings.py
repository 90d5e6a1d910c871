"""Settings of an OpenID provider: the start of the program names a faulty one."""

from typing import Any

import pytest

from complaints.api.accounts.openid_provider import is_private_url
from complaints.settings import Settings
from complaints.wiring import NotReady, open_openid_sign_in

WHOLE: dict[str, Any] = {
    "oidc_issuer": "https://login.example/house/",
    "oidc_client_id": "complaints",
    "oidc_client_secret": "secret",
    "public_url": "https://complaints.example/",
}


def test_without_an_issuer_there_is_no_provider() -> None:
    assert open_openid_sign_in(Settings(oidc_client_id="complaints")) is None


def test_the_address_of_the_callback_follows_from_the_public_address() -> None:
    made = open_openid_sign_in(Settings(**WHOLE))
    assert made is not None
    assert made.redirect_url == "https://complaints.example/v1/session/openid/callback"
    assert (made.links_by_email, made.provider.issuer) == (False, "https://login.example/house/")


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"oidc_issuer": "http://login.example"}, "COMPLAINTS_OIDC_ISSUER"),
        ({"oidc_issuer": "https://login.example?tenant=1"}, "COMPLAINTS_OIDC_ISSUER"),
        ({"public_url": None}, "COMPLAINTS_PUBLIC_URL"),
        ({"public_url": "complaints.example"}, "COMPLAINTS_PUBLIC_URL"),
        ({"oidc_client_id": None}, "COMPLAINTS_OIDC_CLIENT_ID"),
    ],
)
def test_a_missing_or_faulty_setting_is_named(changed: dict[str, Any], name: str) -> None:
    with pytest.raises(NotReady, match=name):
        open_openid_sign_in(Settings(**{**WHOLE, **changed}))


def test_an_address_is_private_by_https_or_on_the_machine_itself() -> None:
    private = ("https://login.example", "http://localhost:1/x", "http://127.0.0.1", "http://[::1]:8/x")
    assert all(map(is_private_url, private))
    assert not any(
        map(is_private_url, ("http://login.example", "https://", "https://[", "file:///x", "ftp://x", ""))
    )
