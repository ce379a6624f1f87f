"""Pages: Jinja2 templates with everything escaped, on one layout.

A route answers with ``render(request, "meetings/page.html", meeting=...)``. Every template knows, besides what the
route gives it: ``viewer`` (who is signed in, or None), ``csrf`` (the token for forms), ``note`` (what was just done),
``path``, ``banner`` (what a simulated room says of itself), the function ``asset(name)`` and the filters ``stamp``
(`pipeline.timeline.clock`), `day`, `hour`, `date` and `in_words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment

from pipeline.errors import TapesError
from pipeline.report import templating
from pipeline.review import assets
from pipeline.review.auth import cookies
from pipeline.review.auth.cookies import GUEST
from pipeline.review.context import context_of
from pipeline.tapes import simulated

NOTES = {
    "saved": "Saved.",
    "signed-out": "You are signed out.",
    "password": "Your password is changed. You are signed out everywhere else.",
    "second-factor": "The second step is set up. You are signed out everywhere else.",
    "passkey": "The passkey is added. You are signed out everywhere else. Make recovery codes, if you have none.",
    "withdrawn": "The permission is withdrawn. Nobody can hear or see the tape. It will be destroyed within the hour.",
    "recovery": "Your second step is removed. Set up a new one, and make new recovery codes.",
    "session-ended": "You are signed out there.",
    "lift-stopped": "Your second step stays on.",
    "waived": "The group may now see the codes and measures.",
    "thanks": "Thank you for looking at your own work first. The group may now see the codes and measures.",
    "ending": "Nobody can hear or see the tape. It will be destroyed when the work on it has ended.",
    "destroyed": 'The tape is destroyed. The certificate for the client is under "Destroyed tapes".',
    "shared": "Shared.",
    "closed": "Closed.",
    "canceled": "The meeting is canceled.",
    "reopened": "The round is open again.",
    "recalibrated": "Saved. The charts start over with the next five tapes that you both code.",
}
"""What a page may say after a redirect: ``/tapes?note=saved``. Only these texts, never one from the address."""


def render(request: Request, template: str, /, status: int = 200, **context: Any) -> HTMLResponse:
    """A page made from a template."""
    viewer = getattr(request.state, "viewer", None)
    standing = {
        "viewer": viewer,
        "csrf": getattr(request.state, "csrf", ""),
        "note": NOTES.get(request.query_params.get("note", "")),
        "path": request.url.path,
        "banner": simulated.BANNER if _is_simulated(request) else "",
    }
    page = HTMLResponse(environment().get_template(template).render(standing | context), status_code=status)
    guest = getattr(request.state, "fresh_guest", None)
    if guest:
        cookies.give(request, page, GUEST, guest)
    return page


def _is_simulated(request: Request) -> bool:
    """Return whether the home is a simulated one; that cannot change any more once there are people in it."""
    context = context_of(request)
    if context.simulated is not None:
        return context.simulated
    with suppress(TapesError), context.home.database.reading() as session:
        answer = simulated.is_simulated(session)
        if getattr(request.state, "viewer", None) is not None:
            context.simulated = answer
        return answer
    return False


def seeing(path: str, note: str = "") -> RedirectResponse:
    """Go on to another page of ours after a form was sent; ``note`` is a key of `NOTES`."""
    if note and note not in NOTES:
        raise KeyError(note)
    return RedirectResponse(f"{path}?note={note}" if note else path, status_code=303)


def day(ms: int) -> str:
    """A date: November 24, 2026."""
    moment = datetime.fromtimestamp(ms / 1000, UTC).astimezone()
    return f"{moment:%B} {moment.day}, {moment.year}"


def hour(ms: int) -> str:
    """A date and time: November 24, 2026, 18:30."""
    return f"{day(ms)}, {datetime.fromtimestamp(ms / 1000, UTC).astimezone():%H:%M}"


def date(ms: int) -> str:
    """The day of a moment that stands for a whole day, UTC: the last day on which a tape is kept."""
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{moment:%B} {moment.day}, {moment.year}"


def in_words(words: Mapping[str, str], keys: Iterable[str]) -> str:
    """Several things in words, by a table: "a, b and c"."""
    phrases = [words.get(key, key) for key in keys]
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


@cache
def environment() -> Environment:
    """The templates of the pages."""
    pages = templating.templates("pipeline.review")
    pages.globals["asset"] = assets.url
    pages.filters |= {"day": day, "hour": hour, "date": date, "in_words": in_words}
    return pages
