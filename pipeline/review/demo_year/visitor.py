"""Somebody who uses the room as a browser does: requests to the application itself, without a server."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

import httpx
from fastapi import FastAPI

from pipeline.review.auth.cookies import SESSION
from pipeline.review.auth.csrf import FIELD, HEADER
from pipeline.tapes.clock import Clock

_MOST = 200
"""Changes in one request, at most; as `pipeline.review.coding.change_requests.ChangeBatch` takes them."""


class DirectRoom:
    """The application, and an event loop in which it answers; a context manager."""

    def __init__(self, app: FastAPI, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self._loop = asyncio.Runner()
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url=app.state.context.address)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run(self._client.aclose())
        self._loop.close()
        self.app.state.context.decisions.flush()

    def visit(self, person_id: str) -> Visitor:
        """Return somebody who has just signed in."""
        sessions = self.app.state.context.sessions
        token = sessions.start(person_id, self.clock(), second_factor=True)
        return Visitor(self, token, sessions.find(token, self.clock()).csrf)

    def answer(self, path: str, token: str, **sent: Any) -> httpx.Response:
        """Return the answer to a request.

        Raises
        ------
        httpx.HTTPStatusError: it was refused.
        """
        request = self._client.build_request("POST", path, **sent)
        request.headers["cookie"] = f"{SESSION}={token}"
        response = self._loop.run(self._client.send(request))
        if response.status_code >= 400:
            response.raise_for_status()
        return response


class Visitor:
    """Somebody with a session."""

    def __init__(self, rooms: DirectRoom, token: str, csrf: str) -> None:
        self._rooms, self._token, self._csrf = rooms, token, csrf

    def post(self, path: str, **form: object) -> str:
        """Send a form; return the address to which the room leads on."""
        fields = {FIELD: self._csrf} | {name: str(value) for name, value in form.items()}
        return self._rooms.answer(path, self._token, data=fields).headers["location"].partition("?")[0]

    def send(self, path: str, content: dict[str, object]) -> None:
        """Send what a script sends."""
        self._rooms.answer(path, self._token, json=content, headers={HEADER: self._csrf})

    def code(self, path: str, codes: dict[str, tuple[str, ...]]) -> None:
        """Code what a pass at ``path`` asks for, and lock it."""
        changes: list[dict[str, object]] = [
            {"id": f"simulated-{number}", "kind": "code", "utterance_id": utterance_id, "codes": list(given)}
            for number, (utterance_id, given) in enumerate(codes.items())
        ]
        for first in range(0, len(changes), _MOST):
            self.send(f"{path}/changes", {"changes": changes[first : first + _MOST]})
        self.post(f"{path}/lock")
