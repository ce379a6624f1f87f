"""Simulated coders: they hear what the script says, save for slips, and for a habit that some of them take on.

The same seed gives the same codes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SIMILAR = {
    "question_open": "question_closed",
    "question_closed": "question_open",
    "reflection_simple": "reflection_complex",
    "reflection_complex": "reflection_simple",
    "information": "other",
    "other": "information",
    "change": "neutral",
    "neutral": "change",
    "sustain": "neutral",
}
"""The code that each is most easily mistaken for."""


@dataclass(frozen=True)
class Habit:
    """From tape ``first`` on, until before tape ``end``, a coder gives ``after`` for this share of ``before``."""

    before: str
    after: str
    share: float
    first: int
    end: int


@dataclass(frozen=True)
class SimulatedCoder:
    """A coder; ``slips`` is the share of codes that are mistaken for a similar one."""

    name: str
    slips: float
    habits: tuple[Habit, ...] = ()

    def codes(self, gold: Mapping[str, tuple[str, ...]], number: int, seed: int) -> dict[str, tuple[str, ...]]:
        """Return utterance -> codes on the tape with this number, from the scripted ones."""
        random = np.random.default_rng([seed, number, zlib.crc32(self.name.encode())])
        return {
            utterance_id: tuple(dict.fromkeys(self._code(code, number, random) for code in codes))
            for utterance_id, codes in gold.items()
        }

    def _code(self, code: str, number: int, random: np.random.Generator) -> str:
        slip, habit_share = random.random(2)
        for habit in self.habits:
            if habit.first <= number < habit.end and code == habit.before and habit_share < habit.share:
                return habit.after
        return SIMILAR.get(code, code) if slip < self.slips else code
