"""A made-up group, to try things out: eight peers of whom one coordinates, and a coach."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pipeline.tapes import people
from pipeline.tapes.db.records import Group

GROUP = "Sample group"
PEERS = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gwen", "Hugo")
COORDINATOR = "Cleo"
COACH = "Kim"


def address(name: str) -> str:
    """Where nobody receives mail."""
    return f"{name.lower()}@sample.invalid"


def add_group(session: Session, now: int) -> Group:
    """Add the group and its people; the first of them administers.

    Raises
    ------
    TapesError: K08 it already exists.
    """
    group = people.add_group(session, GROUP, now, agreements="Strengths first. What is said here stays here.")
    for name in PEERS:
        peer = people.add(session, name, address(name), now, is_admin=name == PEERS[0])
        people.join(session, group, peer, "coordinator" if name == COORDINATOR else "member", now)
    people.join(session, group, people.add(session, COACH, address(COACH), now), "coach", now)
    return group
