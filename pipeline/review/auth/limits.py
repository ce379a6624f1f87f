"""How fast somebody may guess: every failure makes the next try wait longer, and nobody is locked out by others.

Failures of a day are counted three ways: on an account from one origin, from one address on any account, and on an
account from all origins that its owner never signed in from. A guess that comes too early is neither looked at nor
counted. One that does not is counted before it is looked at, so that many at once are counted, too; an account that
does not exist is counted like one that does. The counts lie in the database: they outlive a restart, and hold for
every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipeline.review.auth import request_origin
from pipeline.review.auth.request_origin import Origin
from pipeline.tapes.clock import DAY, HOUR, MINUTE
from pipeline.tapes.db.records import LoginAttempt
from pipeline.tapes.home import Home

WINDOW = DAY
"""For how long a failure counts."""

FIRST = 1000
"""Milliseconds that the first try waits that is not free; each later one waits twice as long as the one before."""


@dataclass(frozen=True)
class Rule:
    """How much may be guessed of one kind of secret.

    ``from_origin``, ``from_address`` and ``from_strangers`` are the failures that are free: on an account from one
    origin, from one address, on an account from all origins that are not its owner's. ``longest`` is the longest wait,
    in milliseconds.
    """

    name: str
    from_origin: int
    from_address: int
    from_strangers: int
    longest: int


PASSWORD = Rule("password", 12, 60, 60, MINUTE)
"""A dozen tries are more than who mistypes needs; a minute between two leaves 1,440 guesses a day, of ten billion."""

CODE = Rule("code", 6, 60, 12, HOUR)
"""Six digits take fewer guesses than a password, and whoever is asked for them has the password already."""

ORGANIZATION = Rule("organization", 60, 60, 60, MINUTE)
"""Answers of an organization that let nobody in: each has cost its server a request."""


class TooSoonError(HTTPException):
    """A guess comes too early: 429, with the seconds to wait in ``Retry-After`` and in ``detail``."""

    def __init__(self, wait: int) -> None:
        seconds = -(-wait // 1000)
        many = f"{seconds} second{'s' * (seconds != 1)}" if seconds <= 90 else f"{-(-seconds // 60)} minutes"
        detail = f"There were too many failed attempts. Wait {many}, then try again."
        super().__init__(429, detail, {"Retry-After": str(seconds)})

    def with_retry_after(self, page: Response) -> Response:
        """The page, with the header that says how long to wait."""
        page.headers.update(self.headers or {})
        return page


@dataclass(frozen=True)
class Attempt:
    """A guess that counts as a failure until `forgive`; ``others`` are its rows under shared counts."""

    account_key: str
    others: tuple[str, ...]


def count_attempt(home: Home, now: int, rule: Rule, account: str, origin: Origin) -> Attempt:
    """Count a guess at an account's secret; without an account only its origin counts.

    Raises
    ------
    TooSoonError: it comes too early.
    """
    with home.database.writing() as database:
        # A count in the future was made before the clock was set back.
        late = or_(LoginAttempt.at <= now - WINDOW, LoginAttempt.at > now + HOUR)
        database.execute(delete(LoginAttempt).where(late))
        is_own = request_origin.knows_device(database, account, origin, now)
        origin_key = _key(rule, "here", account, origin.device if is_own else origin.address)
        free = {origin_key: rule.from_origin}
        if not is_own:
            free[_key(rule, "address", origin.address)] = rule.from_address
            if account and not request_origin.knows_address(database, account, origin, now):
                free[_key(rule, "strangers", account)] = rule.from_strangers
        wait = _wait(database, free.items(), rule.longest, now)
        if wait > 0:
            raise TooSoonError(wait)
        rows = [LoginAttempt(at=now, key_hash=key) for key in free]
        database.add_all(rows)
        database.flush()
        return Attempt(origin_key, tuple(row.id for row in rows if row.key_hash != origin_key))


def forgive(home: Home, attempt: Attempt) -> None:
    """Remove an attempt that turned out right, and the failures of its origin on this account."""
    mine = or_(LoginAttempt.key_hash == attempt.account_key, LoginAttempt.id.in_(attempt.others))
    with home.database.writing() as database:
        database.execute(delete(LoginAttempt).where(mine))


def _wait(database: Session, free: Iterable[tuple[str, int]], longest: int, now: int) -> int:
    """Milliseconds from now until every count lets a guess through; none or less where each does."""
    due = now
    for key, most in free:
        counted = select(func.count(), func.max(LoginAttempt.at)).where(LoginAttempt.key_hash == key)
        number, last = database.execute(counted).one()
        if number >= most:
            due = max(due, last + min(longest, FIRST << min(number - most, 32)))
    return min(longest, due - now)


def _key(rule: Rule, *parts: str) -> str:
    return hashlib.sha256(" ".join((rule.name, *parts)).strip().lower().encode()).hexdigest()
