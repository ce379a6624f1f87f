"""No other site may send our forms: every unsafe verb carries the session's token and comes from our own origin.

A form sends it as the field ``csrf``, a script as the header ``X-CSRF-Token`` (from ``<meta name="csrf">``). A route
that reads its body as a stream says with `streamed` where the token is; its body is never parsed here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from pipeline.review.auth import cookies
from pipeline.review.auth.cookies import SESSION
from pipeline.review.auth.current_user import MaybeViewer, needs_sign_in
from pipeline.review.context import context_of
from pipeline.review.errors import SignInError

FIELD, HEADER = "csrf", "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

MOST_FIELDS, MOST_FILES = 300, 1
"""What a form holds at most."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EXPIRED = "Go back, reload the page, and send it again."

Route = TypeVar("Route", bound=Callable[..., Any])
TokenLocation = Literal["", "header", "form"]
"""Where a route that reads its own stream has its token; empty for every other route."""


def streamed(token: TokenLocation) -> Callable[[Route], Route]:
    """Mark a route that reads its body itself; of a form it checks the token on the way, with `matches`."""

    def mark(route: Route) -> Route:
        route.streams = token  # type: ignore[attr-defined]
        return route

    return mark


def streams(endpoint: object) -> TokenLocation:
    """Where the token of a route is that reads its own stream; empty where it does not."""
    location: TokenLocation = getattr(endpoint, "streams", "")
    return location


def foreign(request: Request) -> None:
    """Refuse a request that, as its browser says, another site's page sent (403); its body is not needed for that."""
    origin = request.headers.get("origin")
    if (origin is not None and origin not in context_of(request).origins) or comes_from_elsewhere(request):
        raise HTTPException(403, _EXPIRED)


def comes_from_elsewhere(request: Request) -> bool:
    """Whether, as its browser says, another site's page led to a request: neither ours nor the person alone."""
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


async def checked(request: Request, viewer: MaybeViewer) -> None:
    """Refuse an unsafe request of nobody who is signed in (401), from another origin, or without the right token (403).

    A body is read even where the route reads none: one that is too large is refused (413) before anything is done.
    """
    if request.method in SAFE:
        return
    route: APIRoute = request.scope["route"]
    if needs_sign_in(route) and (viewer is None or viewer.step):
        raise SignInError(viewer.step if viewer else "")
    foreign(request)
    location, token = streams(route.endpoint), request.headers.get(HEADER, "")
    if location == "form":
        return
    is_form = request.headers.get("content-type", "").lower().startswith(_FORMS)
    if not location and is_form and not token:
        form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
        token = str(form.get(FIELD, ""))
    elif not location and not (is_form and route.body_field):
        await request.body()
    if not matches(request, token):
        # A page that was open when its session ran out has the session's token; the login page has a guest's.
        ran_out = viewer is None and cookies.read(request, SESSION)
        raise SignInError if ran_out else HTTPException(403, _EXPIRED)


def matches(request: Request, token: str) -> bool:
    """Whether this is the token of the request's session."""
    return secrets.compare_digest(token.encode(), request.state.csrf.encode())
