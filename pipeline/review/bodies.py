"""How much a request may send: a form is small, and only an upload, which counts for itself, is large."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 512 * 1024
"""Bytes of a form or of JSON. Starlette keeps so little in memory: nothing is spooled to a disk in the clear."""

UPLOADS = "/uploads/"
"""Below this path routes read the stream themselves and keep the limit of an upload."""


class BodyLimit:
    """Middleware that stops reading a body where it grows beyond the limit (413).

    A body without a length that is answered before its end is cut off with the connection: it may have no end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limited = not scope["path"].startswith(UPLOADS)
        endless = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        read = 0

        async def counted() -> Message:
            nonlocal read, endless
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                endless = endless and message.get("more_body", False)
                if limited and read > LIMIT:
                    raise HTTPException(413, "This is more than a form may hold.")
            return message

        async def answered(message: Message) -> None:
            if endless and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, counted, answered)
