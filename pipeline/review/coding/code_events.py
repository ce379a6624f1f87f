"""Codes are immutable events: an utterance's codes are folded from them, and an undo is an event, too.

An event names all codes that its utterance carries from then on, so that each can be understood alone and the last one
that was not undone is in effect.

>>> first = CodingEvent("a", "u1", "set", ("question",))
>>> second = CodingEvent("b", "u1", "set", ("affirmation",))
>>> fold([first, second])["u1"].codes
('affirmation',)
>>> fold([first, second, CodingEvent("c", "u1", "set", ("affirmation",), undoes="b")])["u1"].codes
('question',)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipeline.tapes.db.records import Action


class Undoable(Protocol):
    """An event that can be undone."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def undoes(self) -> str | None:
        """The id of the event that it undoes, or None."""


U = TypeVar("U", bound=Undoable)


@dataclass(frozen=True)
class CodingEvent:
    """One coder's codes for one utterance."""

    id: str
    utterance_id: str
    action: Action
    codes: tuple[str, ...] = ()
    undoes: str | None = None


@dataclass(frozen=True)
class CodeState:
    """An utterance's codes: none where the coder decided that no code fits, or is unsure of all."""

    codes: tuple[str, ...]
    unsure: bool = False


def in_effect(changes: Sequence[U]) -> list[U]:
    """Return the changes in effect, in their order: those that no change in effect undoes."""
    dead: set[str] = set()
    for change in reversed(changes):
        if change.undoes and change.id not in dead:
            dead.add(change.undoes)
    return [change for change in changes if not change.undoes and change.id not in dead]


def fold(events: Iterable[CodingEvent]) -> Mapping[str, CodeState]:
    """Return utterance -> its codes, without utterances that were never coded or were cleared."""
    now: dict[str, CodeState] = {}
    for event in in_effect(list(events)):
        if event.action == "clear":
            now.pop(event.utterance_id, None)
        else:
            now[event.utterance_id] = CodeState(event.codes, event.action == "unsure")
    return now
