"""Whose turn it is: whoever did it least often, then whoever did it longest ago, then whoever came to the group first.

>>> turn(["ada", "ben", "eve"], ["ada", "ben", "ada"])
['eve', 'ben', 'ada']
"""

from __future__ import annotations

from collections.abc import Sequence

ROLES = ("facilitator", "time keeper", "note taker")
"""What rotates from meeting to meeting."""


def turn(members: Sequence[str], history: Sequence[str]) -> list[str]:
    """The members in the order in which their turn comes.

    Parameters
    ----------
    members: in the order in which they came to the group.
    history: who had a turn, the oldest first.
    """
    last = {person: at for at, person in enumerate(history)}
    return sorted(members, key=lambda person: (history.count(person), last.get(person, -1), members.index(person)))


def roles(
    members: Sequence[str], history: Sequence[tuple[str, str]], busy: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Who takes which role at the next meeting; nobody takes two while there are enough people.

    Parameters
    ----------
    history: (role, person) of earlier meetings, the oldest first.
    busy: who brings the tape, and has enough to do.
    """
    taken: dict[str, str] = {}
    for role in ROLES:
        order = turn(members, [person for held, person in history if held == role])
        free = [person for person in order if person not in taken.values() and person not in busy]
        choice = free or [person for person in order if person not in taken.values()] or order
        if choice:
            taken[role] = choice[0]
    return taken
