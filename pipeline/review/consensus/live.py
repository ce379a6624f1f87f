"""Members on their own computers go through a tape together: one leads, all hear the same moment, each votes unseen.

All of it lies in memory and is touched by the event loop alone: no word of a client, and nothing that must outlive the
meeting. After a restart the page of whoever leads sends its place again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_TABLES = 50
"""Tapes that groups go through at once: as many groups as one installation has, with room to spare."""

MOST_FOLLOWERS = 40
"""Streams of one tape: a group has 15 members, each with two pages."""

MOST_OF_ONE = 4
"""Streams of one person on one tape: a laptop, the wall, a reload that the server has not noticed yet, and one more."""

WAITING = 64
"""Messages that wait for a follower whose connection is slow; each holds all there is, so the oldest may go."""


@dataclass(eq=False)
class Follower:
    """One open page."""

    person_id: str
    messages: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(WAITING))


@dataclass
class LiveTable:
    """A tape that a group goes through. ``votes``: utterance -> person -> (name, codes)."""

    leader_id: str = ""
    leader: str = ""
    position: dict[str, Any] = field(default_factory=lambda: {"utterance": "", "time": 0, "playing": False})
    number: int = 0
    votes: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    followers: list[Follower] = field(default_factory=list)

    def lead(self, person_id: str, name: str) -> None:
        """Let a person lead from now on."""
        self.leader_id, self.leader = person_id, name

    def move(self, utterance_id: str, time_ms: int, playing: bool) -> None:
        """Take all to a place."""
        self.position = {"utterance": utterance_id, "time": time_ms, "playing": playing}

    def vote(self, person_id: str, name: str, utterance_id: str, codes: Sequence[str]) -> None:
        """Take a person's vote; a later one replaces it."""
        self.votes.setdefault(utterance_id, {})[person_id] = (name, tuple(codes))

    def show(self, utterance_id: str) -> None:
        """Show the votes on an utterance; from then on they stay as they are."""
        self.shown.add(utterance_id)

    def seen_by(self, person_id: str) -> dict[str, Any]:
        """Return what a person's page shows: how many voted, and whose vote is which once they are shown."""
        utterance = self.position["utterance"]
        votes = self.votes.get(utterance, {})
        shown = utterance in self.shown
        return {
            **self.position,
            "number": self.number,
            "leader": self.leader,
            "leads": self.leader_id == person_id,
            "here": len({follower.person_id for follower in self.followers}),
            "voted": len(votes),
            "mine": list(votes[person_id][1]) if person_id in votes else None,
            "votes": [{"coder": name, "codes": codes} for name, codes in votes.values()] if shown else None,
        }

    def tell(self) -> None:
        """Send what there is to everybody."""
        self.number += 1
        for follower in self.followers:
            if follower.messages.full():
                follower.messages.get_nowait()
            follower.messages.put_nowait(self.seen_by(follower.person_id))


class LiveTables:
    """The tapes that groups go through now, those not used for longest forgotten first."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[str, str], LiveTable] = OrderedDict()

    def table(self, tape_id: str, codebook: str) -> LiveTable:
        """Return the table of a tape in a codebook."""
        table = self._tables.setdefault((tape_id, codebook), LiveTable())
        self._tables.move_to_end((tape_id, codebook))
        while len(self._tables) > MOST_TABLES:
            unused = next(
                (name for name, other in self._tables.items() if not other.followers and other is not table), None
            )
            if unused is None:
                break
            del self._tables[unused]
        return table

    def join(self, table: LiveTable, person_id: str) -> Follower | None:
        """Open a stream; None where there are too many already."""
        open_already = sum(follower.person_id == person_id for follower in table.followers)
        if len(table.followers) >= MOST_FOLLOWERS or open_already >= MOST_OF_ONE:
            return None
        follower = Follower(person_id)
        table.followers.append(follower)
        table.tell()
        return follower

    def leave(self, table: LiveTable, follower: Follower) -> None:
        """Close a stream."""
        if follower in table.followers:
            table.followers.remove(follower)
            table.tell()
