"""The door's rules that hold for every page: headers, cookies, origins and form tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from earlyflag.core.errors import NotAllowed
from earlyflag.web.problems import Problem, as_document
from earlyflag.web.rendering import environment

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
FORM_FIELD = "csrf_token"
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 (a header's name)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@cache
def content_security_policy() -> str:
    """Return the policy: everything from here, nothing inline but the component library's line.

    That one inline line marks the page as scripted before it is drawn; it is allowed by its hash.
    """
    source = environment().loader.get_source(  # type: ignore[union-attr]
        environment(), "govuk_frontend_jinja/template.html"
    )[0]
    found = re.search(r"<script[^>]*>(.*?)</script>", source, re.DOTALL)
    script = found.group(1) if found else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; "
        "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


class SecureHeaders:
    """Middleware that puts the security headers on every answer."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self.app = app
        headers = {
            "Content-Security-Policy": content_security_policy(),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            # not "no-referrer": browsers would then send `Origin: null` with our own forms
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "X-Robots-Tag": "noindex, nofollow",
        }
        if is_https:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        self._names = frozenset(name for name, _ in self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kept = b"public, max-age=3600" if scope["path"].startswith("/static/") else b"no-store"

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [pair for pair in message["headers"] if pair[0] not in self._names]
                if not any(name == b"cache-control" for name, _ in given):
                    given.append((b"cache-control", kept))
                message["headers"] = given + self._headers
            await send(message)

        await self.app(scope, receive, send_secured)


@dataclass(frozen=True, slots=True)
class Door:
    """Where the service is reached, and what follows for cookies and origins."""

    public_origin: str

    @property
    def is_https(self) -> bool:
        """Whether people reach the service through TLS."""
        return self.public_origin.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        return (urlsplit(self.public_origin).hostname or "") in LOOPBACK

    @property
    def session_cookie(self) -> str:
        """The session's cookie name; the prefix makes browsers refuse a forged one."""
        return "__Host-earlyflag" if self.is_https else "earlyflag"

    @property
    def form_cookie(self) -> str:
        """The cookie that guards the sign-in form, before there is a session."""
        return "__Host-earlyflag-form" if self.is_https else "earlyflag-form"

    def set_cookie(self, response: Response, name: str, value: str) -> None:
        """Set a cookie that scripts cannot read and other sites cannot send."""
        response.set_cookie(
            name, value, path="/", secure=self.is_https, httponly=True, samesite="lax"
        )

    def clear_cookie(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(name, path="/", secure=self.is_https, httponly=True, samesite="lax")

    def knows_host(self, host: str) -> bool:
        """Whether a request's host is ours; a strange one may be a rebound name."""
        if host == urlsplit(self.public_origin).netloc:
            return True
        return self.is_loopback and _hostname(host) in LOOPBACK

    def check_origin(self, request: Request) -> None:
        """Refuse a change that another site's page sent.

        Raises
        ------
        NotAllowed
            The request names another origin, or the browser says it crossed sites.
        """
        origin = request.headers.get("Origin")
        if origin is None:
            crossed = request.headers.get("Sec-Fetch-Site", "same-origin")
            if crossed in ("same-origin", "none"):
                return
        elif origin == self.public_origin or (
            self.is_loopback
            and urlsplit(origin).scheme == "http"
            and (urlsplit(origin).hostname or "") in LOOPBACK
            and urlsplit(origin).netloc == request.headers.get("Host")
        ):
            return
        raise NotAllowed(
            "This form was sent from another site and was not accepted. "
            "Open the page in earlyflag itself and send it again."
        )


def _hostname(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(32)


def check_token(expected: str, given: str) -> None:
    """Refuse a change whose form token is not the session's.

    Raises
    ------
    NotAllowed
        The token is missing or belongs to another session.
    """
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise NotAllowed(
            "This page was open for too long or was opened before you signed in, so nothing was "
            "saved. Go back, reload the page and send it again."
        )


class KnownHosts:
    """Middleware that answers only to our own name: another one may be a rebound address."""

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse its host."""
        if scope["type"] == "http" and not scope["path"].startswith("/health/"):
            host = Headers(scope=scope).get("Host", "")
            if not self.door.knows_host(host):
                await _misdirected(Request(scope))(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _misdirected(request: Request) -> Response:
    told = "This host name is not the service's own. Use the address in public_origin."
    if request.url.path.startswith("/api/"):
        return as_document(request, Problem(421, told, "Misdirected"))
    return PlainTextResponse(f"{told}\n", 421)
