"""The trail of one request: its source, the tapes it reached, and whether the audit has their rows already.

A request has a trail while it is answered; code that runs for nobody's request, such as a command, has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Trail:
    """One request.

    ``source``: the address that it came from. ``person_id``: who is signed in, be it with half of what is needed.
    ``account_id``: whose account a sign-in was for; "" for one that does not exist, None where nobody signs in.
    ``reason``: why it was refused, in one fixed word. ``tapes``: to which tapes it came; ``recorded``: of which of
    them the audit has a row. ``expired``: it came across a tape whose last day is over. ``passes``: the locked passes
    that the answer shows codes of, or figures made from them.
    """

    source: str
    person_id: str | None = None
    account_id: str | None = None
    refused: bool = False
    reason: str = ""
    tapes: set[str] = field(default_factory=set)
    recorded: set[str | None] = field(default_factory=set)
    expired: bool = False
    passes: set[str] = field(default_factory=set)


current: ContextVar[Trail | None] = ContextVar("trail", default=None)
"""The trail of the request that is being answered."""


def came_to(tape_id: str) -> None:
    """Note that the request came to a tape: it shows or changes something of it."""
    if trail := current.get():
        trail.tapes.add(tape_id)


def shows_passes(pass_ids: Iterable[str]) -> None:
    """Note that the answer holds codes of these locked passes, or figures made from them."""
    if trail := current.get():
        trail.passes.update(pass_ids)


def refuse(reason: str) -> None:
    """Note why the request is refused."""
    if trail := current.get():
        trail.refused, trail.reason = True, reason


def came_to_expired() -> None:
    """Note that the request came across a tape whose last day is over."""
    if trail := current.get():
        trail.expired = True


def signs_in(account_id: str) -> None:
    """Note whose account a sign-in is for; "" for one that does not exist."""
    if trail := current.get():
        trail.account_id = account_id
