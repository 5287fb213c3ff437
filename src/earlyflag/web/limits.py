"""How much one request may send to the API."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 10_000_000
"""What one request to the API may send: 1,000 rows of every feature are about 6 MB."""


class BodyLimit:
    """Refuses bodies to the API that are too large, before they fill the memory.

    A body is read before anybody is asked who they are, so the limit holds for strangers too.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its body counted as it is read."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("Content-Length", "")
        announced = int(told) if told.isdecimal() else 0
        came = 0

        async def counted() -> Message:
            nonlocal came
            if announced > self._most_bytes:
                raise HTTPException(413)
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
