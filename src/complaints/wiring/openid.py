"""The OpenID provider at which people sign in."""

from typing import TYPE_CHECKING

from complaints.settings import Settings
from complaints.wiring.not_ready import NotReady

if TYPE_CHECKING:
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn


def open_openid_sign_in(settings: Settings) -> "OpenIdSignIn | None":
    """The way to sign in at the configured OpenID provider; None without one. Raises NotReady for missing settings."""
    if not settings.oidc_issuer:
        return None
    # To load the libraries takes 0.2 s, and many installations have no provider.
    from complaints.api.accounts.openid_provider import OpenIdProvider, is_private_url
    from complaints.api.accounts.openid_sign_in import OpenIdSignIn
    from complaints.outbound.http_client import trusted_authorities

    addresses = {"OIDC_ISSUER": settings.oidc_issuer, "PUBLIC_URL": settings.public_url or ""}
    for name, address in addresses.items():
        if not is_private_url(address) or "?" in address or "#" in address:
            raise NotReady(
                f"COMPLAINTS_{name} must be an address with https, without query: set it for OpenID."
            )
    if not settings.oidc_client_id:
        raise NotReady("COMPLAINTS_OIDC_CLIENT_ID is missing: the provider knows this service by it.")
    secret = settings.oidc_client_secret
    provider = OpenIdProvider(
        settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        trusted=trusted_authorities(),
    )
    return OpenIdSignIn(provider, addresses["PUBLIC_URL"], settings.oidc_link_by_email)
