"""The viewer of a request: the person whom the session's cookie names.

Routes take ``viewer: SignedIn`` and get a `Viewer`; a request without a live session goes to the login page (or gets
401 where it asks for JSON).
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from pipeline.review.auth import cookies
from pipeline.review.auth.cookies import GUEST, SESSION
from pipeline.review.context import context_of
from pipeline.review.errors import SignInError
from pipeline.tapes import request_trail

__all__ = [
    *("GUEST", "SESSION", "UNATTENDED", "Administrator", "MaybeViewer", "SignedIn", "Viewer"),
    *("current_viewer", "guest_token", "needs_sign_in"),
]

UNATTENDED = "X-Unattended"
"""The header of what a page asks by itself, again and again, while perhaps nobody sits before it."""


@dataclass(frozen=True)
class Viewer:
    """A person who is signed in.

    ``csrf`` is the token that this session's forms carry. ``step`` says what signing in still lacks: a "code", to
    "enroll" an authenticator, or nothing. ``must_have_code`` holds for coaches and administrators. ``session_id`` names
    the session, and ``second_factor`` says whether a second step was passed in it. ``has_news``: others did something
    to the account, and the viewer has not read it.
    """

    person_id: str
    name: str
    email: str
    is_admin: bool
    csrf: str
    step: str = ""
    must_have_code: bool = False
    session_id: str = ""
    second_factor: bool = False
    has_news: bool = False


def current_viewer(request: Request) -> Viewer | None:
    """Who is signed in, or None. Also sets what pages show: ``request.state.viewer`` and ``.csrf``."""
    room = context_of(request)
    token = cookies.read(request, SESSION)
    viewer = room.sessions.find(token, room.clock(), UNATTENDED not in request.headers) if token else None
    if viewer and (left := request_trail.current.get()):
        left.person_id = viewer.person_id
    guest = cookies.read(request, GUEST)
    fresh = None if viewer or guest else secrets.token_urlsafe(24)
    request.state.viewer = viewer if viewer and not viewer.step else None
    request.state.fresh_guest = fresh
    request.state.csrf = viewer.csrf if viewer else guest_token(guest or fresh or "")
    return viewer


def guest_token(guest: str) -> str:
    """The form token of a browser that is not signed in: it follows from its cookie, which no other site can read."""
    return hashlib.sha256(b"tape-review guest form " + guest.encode()).hexdigest()


MaybeViewer = Annotated[Viewer | None, Depends(current_viewer)]


def signed_in(viewer: MaybeViewer) -> Viewer:
    """The viewer, who must be signed in, second step included."""
    if viewer is None or viewer.step:
        raise SignInError(viewer.step if viewer else "")
    return viewer


SignedIn = Annotated[Viewer, Depends(signed_in)]


def needs_sign_in(route: APIRoute) -> bool:
    """Whether only somebody who is signed in is let to a route: it, or what it depends on, asks for a `SignedIn`."""
    return _depends_on_sign_in(route.dependant)


def _depends_on_sign_in(dependant: Dependant) -> bool:
    return dependant.call is signed_in or any(_depends_on_sign_in(dependency) for dependency in dependant.dependencies)


def administrator(viewer: SignedIn) -> Viewer:
    """The viewer, who must be an administrator; for others the page does not exist."""
    if not viewer.is_admin:
        raise HTTPException(404)
    return viewer


Administrator = Annotated[Viewer, Depends(administrator)]
