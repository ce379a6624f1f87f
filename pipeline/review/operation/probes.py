"""`/healthz`: the process answers. `/readyz`: it can work, or the codes of what keeps it from that.

Neither needs anybody signed in, and the first touches neither database nor disk: a process that lives but waits for
its database is not to be killed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from pipeline.review.context import context_of

router = APIRouter()

FRESH = 1.0
"""Seconds for which an answer holds: strangers may ask as often as they like."""


@dataclass
class Readiness:
    """Looks for problems, once a second at most; ``look`` returns their codes."""

    look: Callable[[], Sequence[str]]
    _at: float = float("-inf")
    _codes: tuple[str, ...] = ()
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def problems(self) -> tuple[str, ...]:
        """The codes of what is wrong."""
        with self._turn:
            if time.monotonic() - self._at > FRESH:
                self._codes = tuple(self.look())
                self._at = time.monotonic()
            return self._codes


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthy() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.api_route("/readyz", methods=["GET", "HEAD"])
def ready(request: Request) -> Response:
    """Whether database, tables, key, vault and disk are as they should be: 200, or 503 with the codes."""
    codes = context_of(request).readiness.problems()
    return JSONResponse({"ready": not codes, "codes": list(codes)}, 503 if codes else 200)
