"""The cookies: a session's, a device's, and the one that binds the forms of a browser that is not signed in.

Behind TLS their names begin with ``__Host-``: a browser then takes them from this host alone, over TLS alone, for the
whole site, so that no neighbor under the same domain can put its own in their place.
"""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from pipeline.review.context import context_of

SESSION = "tape_review_session"
"""The session's cookie."""

GUEST = "tape_review_guest"
"""The cookie that binds the forms of a browser that is not signed in yet."""

DEVICE = "tape_review_device"
"""The cookie by which a device is known again; it lets nobody in (`places`)."""

LEAVING = {"Clear-Site-Data": '"cache", "storage"'}
"""Headers of an answer after which the browser keeps nothing of the room but the device's cookie: whoever signs out and
in again is no stranger."""


def name(request: Request, cookie: str) -> str:
    """Return the name of a cookie in this application."""
    return f"__Host-{cookie}" if context_of(request).https else cookie


def read(request: Request, cookie: str) -> str | None:
    """Return the value that the browser sent; a cookie without the prefix is nobody's behind TLS."""
    return request.cookies.get(name(request, cookie))


def give(request: Request, answer: Response, cookie: str, value: str, lasts: int | None = None) -> None:
    """Set a cookie, for so many milliseconds, or for as long as the browser is open."""
    seconds = None if lasts is None else lasts // 1000
    answer.set_cookie(
        name(request, cookie),
        value,
        max_age=seconds,
        httponly=True,
        secure=context_of(request).https,
        samesite="lax",
        path="/",
    )


def take(request: Request, answer: Response, cookie: str) -> None:
    """Have the browser forget a cookie."""
    secure = context_of(request).https
    answer.delete_cookie(name(request, cookie), httponly=True, secure=secure, samesite="lax", path="/")
