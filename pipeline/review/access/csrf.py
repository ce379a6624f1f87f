"""No other site may send our forms: every unsafe verb carries the session's token and comes from our own origin.

A form sends it as the field ``csrf``, a script as the header ``X-CSRF-Token`` (from ``<meta name="csrf">``). A route
that reads its body as a stream says with `streamed` where the token is; its body is never parsed here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from fastapi import Request
from starlette.exceptions import HTTPException

from pipeline.review.access import cookies
from pipeline.review.access.cookies import SESSION
from pipeline.review.access.viewer import Found
from pipeline.review.problems import SignInError

FIELD, HEADER = "csrf", "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

MOST_FIELDS, MOST_FILES = 300, 1
"""What a form holds at most."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EXPIRED = "Go back, load the page again, and send it once more."

Route = TypeVar("Route", bound=Callable[..., Any])
Place = Literal["", "header", "form"]
"""Where a route that reads its own stream has its token; empty for every other route."""


def streamed(token: Place) -> Callable[[Route], Route]:
    """Mark a route that reads its body itself; of a form it checks the token on the way, with `matches`."""

    def mark(route: Route) -> Route:
        route.streams = token  # type: ignore[attr-defined]
        return route

    return mark


def streams(endpoint: object) -> Place:
    """Where the token of a route is that reads its own stream; empty where it does not."""
    place: Place = getattr(endpoint, "streams", "")
    return place


def foreign(request: Request) -> None:
    """Refuse a request that, as its browser says, another site's page sent (403); its body is not needed for that."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if (origin is not None and origin not in request.app.state.origins) or site not in ("same-origin", "none"):
        raise HTTPException(403, _EXPIRED)


async def checked(request: Request, viewer: Found) -> None:
    """Refuse an unsafe request without the right token, or from another origin (403)."""
    if request.method in SAFE:
        return
    foreign(request)
    ran_out = viewer is None and cookies.read(request, SESSION)
    place = streams(request.scope.get("endpoint"))
    if place == "form":
        if ran_out:
            raise SignInError
        return
    token = request.headers.get(HEADER, "")
    if not token and not place and request.headers.get("content-type", "").startswith(_FORMS):
        form = await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)
        token = str(form.get(FIELD, ""))
    if not matches(request, token):
        # A page that was open when its session ran out has the session's token; the login page has a guest's.
        raise SignInError if ran_out else HTTPException(403, _EXPIRED)


def matches(request: Request, token: str) -> bool:
    """Whether this is the token of the request's session."""
    return secrets.compare_digest(token.encode(), request.state.csrf.encode())
