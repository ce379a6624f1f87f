"""No other site may send our forms: every unsafe verb carries the session's token and comes from our own origin.

A form sends it as the field ``csrf``, a script as the header ``X-CSRF-Token`` (from ``<meta name="csrf">``). A route
that reads its body as a stream is marked with `streamed` and checks the token itself, with `matches`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException

from pipeline.review.access.viewer import SESSION, Found
from pipeline.review.problems import SignInError

FIELD, HEADER = "csrf", "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EXPIRED = "Go back, load the page again, and send it once more."

Route = TypeVar("Route", bound=Callable[..., Any])


def streamed(route: Route) -> Route:
    """Mark a route that reads its body itself and checks the token on the way."""
    route.reads_its_token = True  # type: ignore[attr-defined]
    return route


async def checked(request: Request, viewer: Found) -> None:
    """Refuse an unsafe request without the right token, or from another origin (403)."""
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    if origin is not None and origin not in request.app.state.origins:
        raise HTTPException(403, _EXPIRED)
    ran_out = viewer is None and request.cookies.get(SESSION)
    if getattr(request.scope.get("endpoint"), "reads_its_token", False):
        if ran_out:
            raise SignInError
        return
    token = request.headers.get(HEADER, "")
    if not token and request.headers.get("content-type", "").startswith(_FORMS):
        token = str((await request.form()).get(FIELD, ""))
    if not matches(request, token):
        # A page that was open when its session ran out has the session's token; the login page has a guest's.
        raise SignInError if ran_out else HTTPException(403, _EXPIRED)


def matches(request: Request, token: str) -> bool:
    """Whether this is the token of the request's session."""
    return secrets.compare_digest(token.encode(), request.state.csrf.encode())
