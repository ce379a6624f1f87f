"""The headers of every response: a strict content security policy and its companions.

No inline script or style runs, nothing comes from another origin, no other page may frame ours, and no page is kept by
a browser or a proxy unless its route says so.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make browsers send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class Headers:
    """Middleware that adds the headers.

    ``https`` adds strict transport security, for hosts below ours too. Where the room's ``own_authority`` signed the
    certificate, the name is this computer's, which may have other servers; browsers then hold to it for a day only.
    """

    def __init__(self, app: ASGIApp, https: bool, own_authority: bool = False) -> None:
        self._app = app
        self._headers = dict(_ALWAYS)
        if https:
            strict = "max-age=86400" if own_authority else "max-age=31536000; includeSubDomains"
            self._headers["Strict-Transport-Security"] = strict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers where the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, sending)
