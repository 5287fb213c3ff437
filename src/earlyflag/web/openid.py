"""The council's identity provider: OpenID Connect by authorisation code with PKCE (Authlib)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from starlette.requests import Request

from earlyflag.core.errors import NotSignedIn, SettingsInvalid
from earlyflag.core.settings import OpenIDSettings
from earlyflag.web.security import LOOPBACK

# Authlib speaks through whichever of the two is installed, the newer one first.
try:
    from httpx2 import HTTPError
except ImportError:
    from httpx import HTTPError  # type: ignore[assignment]

RETURN_PATH = "/sign-in/openid/return"
STATE_SECONDS = 600
CLOCK_SECONDS = 60
"""How far the provider's clock and ours may be apart."""
ALGORITHMS = ("RS256", "PS256", "ES256")
"""Signatures by a key that only the provider has; never `none` or one made with our own secret."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_REFUSED = "The council's sign-in did not let you in, or took too long. Try again."


def _secret(settings: OpenIDSettings) -> str:
    try:
        secret = settings.client_secret_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsInvalid(
            "openid.client_secret_file cannot be read. Check its path and that the service may "
            "read it."
        ) from error
    if not secret:
        raise SettingsInvalid("openid.client_secret_file is empty.")
    return secret


def is_private(address: str) -> bool:
    """Answer whether nobody can listen on the way to an address: TLS, or this machine itself."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and (parts.hostname or "") in LOOPBACK


class OpenIDProvider:
    """Sends people to the provider and reads what it vouches for.

    Parameters
    ----------
    settings : issuer, client and the file with its secret
    public_origin : where the provider sends people back to

    Raises
    ------
    SettingsInvalid
        The secret cannot be read, or the issuer is reached without TLS.
    """

    def __init__(self, settings: OpenIDSettings, public_origin: str) -> None:
        if not is_private(settings.issuer):
            raise SettingsInvalid(
                "openid.issuer must begin with https:// (http:// is for a provider on this "
                "machine only), or others could read and forge what it vouches for."
            )
        secret = _secret(settings)
        self.state_key = hashlib.sha256(b"earlyflag state\0" + secret.encode()).hexdigest()
        self._issuer = settings.issuer
        self._client_id = settings.client_id
        self._return_address = public_origin + RETURN_PATH
        self._client: Any = OAuth().register(
            "council",
            client_id=settings.client_id,
            client_secret=secret,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
        )

    async def start(self, request: Request) -> Any:
        """Return the redirect that sends a browser to the provider.

        Raises
        ------
        NotSignedIn
            The provider does not answer, or what it says of itself does not fit the settings.
        """
        try:
            await self._check_provider()
            return await self._client.authorize_redirect(request, self._return_address)
        except (HTTPError, ValueError) as error:
            raise NotSignedIn("The council's sign-in does not answer. Try again later.") from error

    async def finish(self, request: Request) -> tuple[str, str, Sequence[str]]:
        """Return the subject, the display name and the app roles of the identity token.

        Raises
        ------
        NotSignedIn
            The provider refused, its answer was not for this browser, or its token is not for
            us, not from it, changed or too old.
        """
        expected = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        try:
            await self._check_provider()
            token = await self._client.authorize_access_token(
                request, claims_options=expected, leeway=CLOCK_SECONDS
            )
        except (OAuthError, JoseError, HTTPError, ValueError) as error:
            raise NotSignedIn(_REFUSED) from error
        claims = token.get("userinfo") or {}
        roles = claims.get("roles", ())
        return (
            f"{claims.get('iss', '')}|{claims['sub']}" if claims.get("sub") else "",
            str(claims.get("name", "")),
            [str(role) for role in roles] if isinstance(roles, list) else [],
        )

    async def _check_provider(self) -> None:
        """Read what the provider says of itself, and refuse it where it does not fit."""
        said: Mapping[str, Any] = await self._client.load_server_metadata()
        offered = said.get("id_token_signing_alg_values_supported") or ["RS256"]
        is_named = said.get("issuer") == self._issuer
        is_safe = all(is_private(str(said.get(name, ""))) for name in _ENDPOINTS)
        self._client.server_metadata["id_token_signing_alg_values_supported"] = [
            name for name in offered if name in ALGORITHMS
        ]
        if not (is_named and is_safe):
            # Asked again next time: a provider that was mended is not refused until a restart.
            self._client.server_metadata.clear()
        if not is_named:
            raise NotSignedIn(
                "The council's sign-in calls itself by another name than the settings do. Ask "
                "your administrator to set openid.issuer exactly as the provider states it."
            )
        if not is_safe:
            raise NotSignedIn(
                "The council's sign-in would send passwords or keys without TLS, so it is not "
                "used. Ask your administrator."
            )
