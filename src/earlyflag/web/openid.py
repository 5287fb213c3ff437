"""The council's identity provider: OpenID Connect by authorisation code with PKCE (Authlib)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from authlib.integrations.base_client.errors import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]
from starlette.requests import Request

from earlyflag.core.errors import NotSignedIn, SettingsInvalid
from earlyflag.core.settings import OpenIDSettings

RETURN_PATH = "/sign-in/openid/return"
STATE_SECONDS = 600


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


class OpenIDProvider:
    """Sends people to the provider and reads what it vouches for.

    Parameters
    ----------
    settings : issuer, client and the file with its secret
    public_origin : where the provider sends people back to

    Raises
    ------
    SettingsInvalid
        The secret cannot be read.
    """

    def __init__(self, settings: OpenIDSettings, public_origin: str) -> None:
        secret = _secret(settings)
        self.state_key = hashlib.sha256(b"earlyflag state\0" + secret.encode()).hexdigest()
        self._return_address = public_origin + RETURN_PATH
        self._client: Any = OAuth().register(
            "council",
            client_id=settings.client_id,
            client_secret=secret,
            server_metadata_url=settings.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile", "code_challenge_method": "S256"},
        )

    async def start(self, request: Request) -> Any:
        """Return the redirect that sends a browser to the provider."""
        return await self._client.authorize_redirect(request, self._return_address)

    async def finish(self, request: Request) -> tuple[str, str, Sequence[str]]:
        """Return the subject, the display name and the app roles of the identity token.

        Raises
        ------
        NotSignedIn
            The provider refused, or its answer was not for this browser.
        """
        try:
            token = await self._client.authorize_access_token(request)
        except OAuthError as error:
            raise NotSignedIn(
                "The council's sign-in did not let you in, or took too long. Try again."
            ) from error
        claims = token.get("userinfo") or {}
        roles = claims.get("roles", ())
        return (
            f"{claims.get('iss', '')}|{claims['sub']}" if claims.get("sub") else "",
            str(claims.get("name", "")),
            [str(role) for role in roles] if isinstance(roles, list) else [],
        )
