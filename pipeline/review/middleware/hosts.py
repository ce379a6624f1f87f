"""Which names a request may come to, and that what comes to an https address came encrypted.

Another site's name that is made to point at this machine must not reach the tapes (DNS rebinding). The names may change
while the room runs: a computer moves from one network to another. A monitor on this computer asks by this computer's
own names, whatever the room's address.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.review.context import context_of
from pipeline.review.network.reach import is_loopback

MONITORED = frozenset({"/healthz", "/readyz", "/metrics"})
"""The paths that a monitor on this computer asks, too, by another name than the room's address."""


class KnownHosts:
    """Middleware that answers a request to another name with 400, and leads an unencrypted one to the address."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refused = _refusal(HTTPConnection(scope)) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)


def _refusal(request: HTTPConnection) -> Response | None:
    room = context_of(request)
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        host = None
    sender = request.client.host if request.client else ""
    if request.scope["path"] in MONITORED and is_loopback(host) and is_loopback(sender):
        return None
    if host not in {urlsplit(origin).hostname for origin in room.origins}:
        return PlainTextResponse("Invalid host header", 400)
    # A server in front that lets people in without TLS says so; what they typed has been read on the way by then.
    if room.https and request.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower() == "http":
        if request.scope["method"] in ("GET", "HEAD"):
            return RedirectResponse(room.address + request.url.path, 307)
        return PlainTextResponse("This room is reached over https only.", 403)
    return None
