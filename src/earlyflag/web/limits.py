"""How much one request may send."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 10_000_000
"""What one request may send: 1,000 rows of every feature are about 6 MB."""
LARGER = {"/upload": 210_000_000}
"""Where more is taken: 200 MB of extracts and what a form puts around them."""


class BodyLimit:
    """Refuses bodies that are too large, before they fill the memory.

    A body is read before anybody is asked who they are, so the limit holds for strangers too.
    """

    def __init__(self, app: ASGIApp, *, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its body counted as it is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = LARGER.get(scope["path"], self._most_bytes)
        told = Headers(scope=scope).get("Content-Length", "")
        announced = int(told) if told.isdecimal() else 0
        came = 0

        async def counted() -> Message:
            nonlocal came
            if announced > most:
                raise HTTPException(413)
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
