"""Tells whoever watches over the room of each request: which kind of page, how it ended, how long it took.

Nothing else of it goes on from here: no address, no query, no id, no sender.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.review.assets import Assets
from pipeline.tapes import logs
from pipeline.tapes.logs import RouteTemplate

_UNANSWERED = 499
"""The status of a request whose sender did not wait for the answer, as nginx has it."""


@dataclass(frozen=True)
class AnsweredRequest:
    """A request that has its answer; ``route`` is its template, such as ``/tapes/{tape_id}``, "" where none fits."""

    route: RouteTemplate
    method: str
    status: int
    seconds: float


Watcher = Callable[[AnsweredRequest], None]


class RequestWatch:
    """Middleware around all others: they refuse, too, and fail."""

    def __init__(self, app: ASGIApp, watchers: Sequence[Watcher]) -> None:
        self._app, self._watchers = app, watchers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and tell of it once its answer has ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            status = status or 500
            raise
        finally:
            method = scope["method"] if scope["method"] in logs.METHODS else "other"
            seconds = time.perf_counter() - began
            answered = AnsweredRequest(_template(scope), method, status or _UNANSWERED, round(seconds, 4))
            for watch in self._watchers:
                watch(answered)


def _template(scope: Scope) -> RouteTemplate:
    route = scope.get("route")
    if isinstance(route, APIRoute):
        return RouteTemplate(route.path)
    return RouteTemplate("/static" if isinstance(scope.get("endpoint"), Assets) else "")


def write_log(request: AnsweredRequest) -> None:
    """Add a line to the log of requests."""
    logs.of_requests().info(
        "request", route=request.route, method=request.method, status=request.status, seconds=request.seconds
    )
