"""Who may send a body, and how much: a form is small, and only a route that reads its own stream takes more.

The body opens when it is first read, by whoever reads it: the route is known by then, and nothing has been taken in.
Frameworks parse forms before they ask who sent them; here nobody's body is read before its sender is known.
"""

from __future__ import annotations

import asyncio
import math

from fastapi.routing import APIRoute
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.review.auth import csrf, current_user
from pipeline.review.errors import SignInError

LIMIT = 512 * 1024
"""Bytes of a form or of JSON. Starlette keeps so little in memory: nothing is spooled to a disk in the clear."""

GUEST_LIMIT = 16 * 1024
"""Bytes of a form that needs nobody signed in: names, addresses, passwords."""

LASTS = 60.0
"""Seconds in which a body of so few bytes comes whole; `connection.STALLED` is for those that are streamed."""


class BodyLimit:
    """Middleware that opens a body to who may send it (401, 403), up to its limit (413), for a minute (408).

    A body without a length that is answered before its end is cut off with the connection: it may have no end. So is
    one with two: a proxy that believes the other length may take what follows for another sender's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a guarded body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        endless = b"transfer-encoding" in names
        ambiguous = endless and b"content-length" in names
        limit: float | None = None
        read, until, whole = 0, 0.0, False

        async def guarded() -> Message:
            nonlocal endless, limit, read, until, whole
            if limit is None:
                limit = await _opened(scope)
                until = asyncio.get_running_loop().time() + LASTS
            try:
                async with asyncio.timeout_at(until if 0 < limit < math.inf and not whole else None):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "This took too long to arrive. Send it again.") from None
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                endless = endless and message.get("more_body", False)
                if read > limit:
                    raise _too_much()
            return message

        async def answered(message: Message) -> None:
            if (endless or ambiguous) and message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            await send(message)

        await self._app(scope, guarded, answered)


async def _opened(scope: Scope) -> float:
    """How much may be read of a body.

    Raises
    ------
    SignInError: nobody is signed in, and the route needs it.
    HTTPException: 403 another site sends it, 413 it says that it is too large, 415 it is in another encoding than ours.
    """
    request, route = Request(scope), scope.get("route")
    if request.method in csrf.SAFE or not isinstance(route, APIRoute):
        return 0
    viewer = await run_in_threadpool(current_user.current_viewer, request)
    guarded = current_user.needs_sign_in(route)
    if guarded and (viewer is None or viewer.step):
        raise SignInError(viewer.step if viewer else "")
    csrf.foreign(request)
    if csrf.streams(route.endpoint):
        return math.inf  # the route counts
    _require_utf8(request)
    limit = LIMIT if guarded else GUEST_LIMIT
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_much()
    return limit


def _require_utf8(request: Request) -> None:
    """Refuse what names another encoding, which no browser does with our pages.

    Whoever chooses how bytes become text chooses halves of characters, which nothing can write again, and encodings
    that take half a minute for one form, in which nobody else is answered.
    """
    encoding = parse_options_header(request.headers.get("content-type", ""))[1].get(b"charset", b"utf-8")
    if encoding.lower() not in (b"utf-8", b"utf8"):
        raise HTTPException(415, "Send the form as UTF-8.")


def _too_much() -> HTTPException:
    return HTTPException(413, "This form is too large.")
