"""Codes are events that nobody changes: what holds is folded from them, and taking back is an event too.

An event names all codes that its utterance carries from then on, so that each can be understood alone and the last one
that was not taken back holds.

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
from typing import Literal, Protocol, TypeVar

Action = Literal["set", "clear", "unsure"]


class Undoable(Protocol):
    """Something that can be taken back."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def undoes(self) -> str | None:
        """The name of what it takes back."""


U = TypeVar("U", bound=Undoable)


@dataclass(frozen=True)
class CodingEvent:
    """One coder's word on one utterance."""

    id: str
    utterance_id: str
    action: Action
    codes: tuple[str, ...] = ()
    undoes: str | None = None


@dataclass(frozen=True)
class CodeState:
    """What an utterance carries: no codes where the coder looked and found none, or is unsure of all."""

    codes: tuple[str, ...]
    unsure: bool = False


def in_effect(changes: Sequence[U]) -> list[U]:
    """The changes that hold, in their order: those that no change that holds itself takes back."""
    dead: set[str] = set()
    for change in reversed(changes):
        if change.undoes and change.id not in dead:
            dead.add(change.undoes)
    return [change for change in changes if not change.undoes and change.id not in dead]


def fold(events: Iterable[CodingEvent]) -> Mapping[str, CodeState]:
    """Utterance -> what it carries; one that was never coded, or was uncoded, is left out."""
    now: dict[str, CodeState] = {}
    for event in in_effect(list(events)):
        if event.action == "clear":
            now.pop(event.utterance_id, None)
        else:
            now[event.utterance_id] = CodeState(event.codes, event.action == "unsure")
    return now
