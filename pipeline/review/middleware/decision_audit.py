"""Every decision leaves a row in the audit: what was refused to whom, and who came to which tape.

Routes tell of deeds in rows of their own. For a tape of which an answer tells something and no row does, the row is
added here, before the answer goes out. Refusals and such reads come in masses, from a page that asks again and again or
from somebody who tries: the first is written at once, those alike within a quarter of an hour are counted and written
as one row after it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.errors import TapesError
from pipeline.review.auth.csrf import SAFE
from pipeline.review.auth.request_origin import told_apart
from pipeline.tapes import audit_log, logs, pass_views
from pipeline.tapes.clock import MINUTE, Clock
from pipeline.tapes.db.records import Tape
from pipeline.tapes.home import Home
from pipeline.tapes.request_trail import Trail, current
from pipeline.tapes.retention import retention

WINDOW = 15 * MINUTE
"""For how long decisions that are alike are one row, in ms."""

REFUSALS = frozenset({401, 403, 404, 413, 429})
"""Statuses of a refusal; a way to the login page is one, too."""


@dataclass(frozen=True)
class AuditedDecision:
    """A decision about a person: two that are equal are alike."""

    actor_id: str | None
    action: str
    thing: str
    tape_id: str | None
    why: str
    source: str


@dataclass
class _CountedDecisions:
    until: int
    more: int = 0


class Decisions:
    """Writes decisions to the audit, and counts those that are alike."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self._home, self._clock = home, clock
        self._windows: OrderedDict[AuditedDecision, _CountedDecisions] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, *decided: AuditedDecision) -> None:
        """Write each decision, or count it where one alike was written a short while ago.

        Raises
        ------
        TapesError: K03, K04 the audit cannot be written; nothing is counted then.
        """
        now = self._clock()
        with self._lock:
            rows: list[tuple[AuditedDecision, int | None]] = list(self._ended(now))
            fresh = []
            for decision in decided:
                if window := self._windows.get(decision):
                    window.more += 1
                else:
                    self._windows[decision] = _CountedDecisions(now + WINDOW)
                    fresh.append(decision)
        try:
            self._write([*rows, *((decision, None) for decision in fresh)], now)
        except TapesError:
            with self._lock:
                for decision in fresh:
                    self._windows.pop(decision, None)
            raise

    def pass_views(self, trail: Trail) -> bool:
        """Record whose locked passes the answer shows; False where one was unlocked since, so that it must not go out.

        Raises
        ------
        TapesError: K03, K04.
        """
        if not trail.passes or trail.person_id is None:
            return True
        return pass_views.record(self._home, trail.person_id, trail.passes, self._clock())

    def make_final(self) -> None:
        """Begin the destruction of tapes whose last day is over: a clock that is set back opens none of them again."""
        token = current.set(None)  # it is nobody's deed, and no row of it tells who came to the tape
        try:
            retention.begin(self._home, self._clock())
        except TapesError:  # the worker begins it within a minute
            logs.get().warning("worker.trouble", exc_info=True)
        finally:
            current.reset(token)

    def waiting(self) -> int:
        """How many are counted that no row tells of yet."""
        with self._lock:
            return sum(window.more for window in self._windows.values())

    def flush(self) -> None:
        """Write what was counted; at the end of the program."""
        with self._lock:
            counts = [(decision, window.more) for decision, window in self._windows.items() if window.more]
            self._windows.clear()
        self._write(counts, self._clock())

    def decided(self, scope: Scope, trail: Trail, status: int) -> list[AuditedDecision]:
        """Return the decision that a response of this status stands for."""
        route, method = scope.get("route"), scope["method"]
        path = getattr(route, "path", "")
        if not path:
            return []  # nothing of ours was asked for
        tape_id: str | None = str(scope.get("path_params", {}).get("tape_id", ""))
        if tape_id not in trail.tapes:
            tape_id = self._known(str(tape_id))
        thing = f"{method} {path}"
        if trail.refused or status in REFUSALS:
            why = f"{status} {trail.reason}".strip()
            if trail.account_id is not None:
                who = f"{thing} {trail.account_id}".strip()
                return [AuditedDecision(trail.person_id, "login.refuse", who, None, why, trail.source)]
            return [AuditedDecision(trail.person_id, "refuse", thing, tape_id, why, trail.source)]
        unrecorded = (trail.tapes | ({tape_id} if tape_id else set())) - trail.recorded
        action, why = "read" if method in SAFE else "send", str(status) if status >= 400 else ""
        return [AuditedDecision(trail.person_id, action, thing, tape, why, trail.source) for tape in sorted(unrecorded)]

    def _ended(self, now: int) -> list[tuple[AuditedDecision, int]]:
        """The counts of windows that are over; these are forgotten."""
        counts = []
        while self._windows:
            decision, window = next(iter(self._windows.items()))
            if window.until > now:
                break
            del self._windows[decision]
            if window.more:
                counts.append((decision, window.more))
        return counts

    def _write(self, rows: Sequence[tuple[AuditedDecision, int | None]], now: int) -> None:
        if not rows:
            return
        with self._home.database.writing() as session:
            for decision, times in rows:
                audit_log.record(
                    session,
                    now,
                    decision.actor_id,
                    decision.action,
                    decision.tape_id,
                    decision.thing,
                    why=decision.why,
                    source=decision.source,
                    times=times,
                )

    def _known(self, tape_id: str) -> str | None:
        """The id, if there is such a tape: the audit holds no words that somebody made up."""
        if not tape_id:
            return None
        with self._home.database.reading() as session:
            return session.scalar(select(Tape.id).where(Tape.id == tape_id))


class Decided:
    """Middleware that gives each request its trail, and lets its answer go out once the audit tells of it."""

    def __init__(self, app: ASGIApp, decisions: Decisions) -> None:
        self._app, self._decisions = app, decisions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trail = Trail(told_apart((scope.get("client") or ("",))[0]))
        token = current.set(trail)

        stale = False

        async def answering(message: Message) -> None:
            nonlocal stale
            if message["type"] == "http.response.start":
                await run_in_threadpool(self._audit, scope, trail, message["status"])
                stale = not await run_in_threadpool(self._decisions.pass_views, trail)
                if stale:
                    await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"1")]})
                    await send(
                        {"type": "http.response.body", "body": b"Someone changed this meanwhile. Reload the page."}
                    )
            if not stale:
                await send(message)

        try:
            await self._app(scope, receive, answering)
        finally:
            current.reset(token)

    def _audit(self, scope: Scope, trail: Trail, status: int) -> None:
        if trail.expired:
            self._decisions.make_final()
        try:
            if decided := self._decisions.decided(scope, trail, status):
                self._decisions.note(*decided)
        except TapesError:
            if not (trail.refused or status in REFUSALS):
                raise  # nobody reads what the audit does not tell of
            logs.get().error("audit.refusal")
