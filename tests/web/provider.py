"""A little OpenID Connect provider on this machine, which can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID = "earlyflag-client"
CLIENT_SECRET = "a secret that only the two know"
CODE = "one-time-code"


@cache
def signing_key(name: str) -> RSAKey:
    """Return a key pair under the provider's key identifier; made once, since that is slow."""
    assert name
    return RSAKey.generate_key(2048, {"kid": "key-1", "alg": "RS256", "use": "sig"})


@dataclass
class LittleProvider:
    """What the provider says, and what it was asked.

    Attributes
    ----------
    claims : laid over the honest claims of the next token; None leaves one out
    metadata : laid over what the provider says of itself
    signs_with : the name of the key that signs; the one it publishes is `own`
    algorithm : how it signs; `HS256` is with the client's secret, `none` not at all
    asked : the parameters of the last authorisation request
    refusals : why the token endpoint refused
    """

    origin: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "own"
    algorithm: str = "RS256"
    asked: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    is_spent: bool = False

    def discovery(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        return {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "jwks_uri": f"{self.origin}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            **self.metadata,
        }

    def authorise(self, query: Mapping[str, str]) -> str:
        """Keep what was asked for, and return where the browser goes back to."""
        self.asked = dict(query)
        back = urlencode({"code": CODE, "state": query["state"]})
        return f"{query['redirect_uri']}?{back}"

    def token(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange the code for tokens, if the verifier fits the challenge."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = _base64(digest)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        checks = {
            "client": authorization == f"Basic {basic}",
            "code": form.get("code") == CODE and not self.is_spent,
            "redirect": form.get("redirect_uri") == self.asked.get("redirect_uri"),
            "method": self.asked.get("code_challenge_method") == "S256",
            "verifier": challenge == self.asked.get("code_challenge"),
        }
        self.refusals = [name for name, is_good in checks.items() if not is_good]
        if self.refusals:
            return 400, {"error": "invalid_grant"}
        self.is_spent = True
        now = int(time.time())
        honest = {
            "iss": self.origin,
            "sub": "person-1",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": self.asked["nonce"],
            "name": "Someone New",
            "roles": ["App.Officer"],
        }
        claims = {k: v for k, v in {**honest, **self.claims}.items() if v is not None}
        signed = self._signed(claims)
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": signed}

    def _signed(self, claims: Mapping[str, Any]) -> str:
        header = {"alg": self.algorithm, "kid": "key-1"}
        if self.algorithm == "RS256":
            return jwt.encode(header, dict(claims), signing_key(self.signs_with))
        parts = (_base64(json.dumps(part).encode()) for part in (header, claims))
        content = ".".join(parts)
        mac = hmac.digest(CLIENT_SECRET.encode(), content.encode(), "sha256")
        return f"{content}.{_base64(mac) if self.algorithm == 'HS256' else ''}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@contextmanager
def running_provider() -> Iterator[LittleProvider]:
    """Serve a provider on a free port of this machine."""
    provider = LittleProvider()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: object, headers: Mapping[str, str] = {}) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/.well-known/openid-configuration":
                self._answer(200, provider.discovery())
            elif parts.path == "/keys":
                self._answer(200, {"keys": [signing_key("own").as_dict(private=False)]})
            elif parts.path == "/authorize":
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self._answer(302, {}, {"Location": provider.authorise(query)})
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def log_message(self, *_parts: object) -> None:
            """Say nothing: the tests' output is not a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
