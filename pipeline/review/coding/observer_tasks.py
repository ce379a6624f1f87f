"""A coding task for every observer: the codes to listen for in a tape.

The tasks follow what peer groups use; each names meanings or families, and the codebook says which codes these are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pipeline.coding.codebook import Code, Codebook
from pipeline.measures.session.counts import (
    AFFIRMATION,
    CHANGE,
    INFORMATION,
    NEUTRAL,
    OPEN,
    QUESTION,
    SUMMARY,
    SUSTAIN,
    TOTALS,
)

_QUESTIONS, _REFLECTIONS = frozenset(TOTALS["questions"]), frozenset(TOTALS["reflections"])
_CLIENT = frozenset({CHANGE, SUSTAIN, NEUTRAL})


@dataclass(frozen=True)
class ObserverTask:
    """A coding task: the codes with these meanings, or of these families; without either it is the whole codebook."""

    name: str
    label: str
    hint: str
    meanings: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()

    def covers(self, code: Code) -> bool:
        """Whether the task asks for this code."""
        return not (self.families or self.meanings) or code.family in self.families or code.meaning in self.meanings

    def codes_in(self, book: Codebook) -> tuple[Code, ...]:
        """Return the codes of a codebook that the task asks for."""
        return tuple(code for code in book.codes if self.covers(code))


TASKS = (
    ObserverTask("all", "All codes", "Give each utterance its codes. Leave it without a code where none fits."),
    ObserverTask(
        "questions-and-reflections",
        "Questions and reflections",
        "Listen for questions and for reflections. An utterance can be both.",
        _QUESTIONS | _REFLECTIONS,
    ),
    ObserverTask(
        "depth",
        "Depth of reflections",
        "Simple reflections repeat what was said. Complex reflections add meaning, feeling or direction.",
        _REFLECTIONS,
    ),
    ObserverTask(
        "oars",
        "OARS",
        "Listen for open questions, affirmations, reflections and summaries.",
        _REFLECTIONS | {OPEN, QUESTION, AFFIRMATION, SUMMARY},
    ),
    ObserverTask(
        "change-and-sustain",
        "Change and sustain talk",
        "Listen to the client. Mark talk for the target behavior and talk for not changing.",
        _CLIENT,
        frozenset({"client_talk"}),
    ),
    ObserverTask(
        "around-change-talk",
        "Before and after change talk",
        "Mark change talk. Code what the interviewer said just before and just after it.",
        _CLIENT | _QUESTIONS | _REFLECTIONS | {AFFIRMATION, SUMMARY},
        frozenset({"client_talk"}),
    ),
    ObserverTask(
        "mi-inconsistent",
        "Inconsistent with MI",
        "Listen for advice or persuasion without permission, confronting and arguing. Note it kindly: it happens to "
        "everyone.",
        frozenset({INFORMATION}),
        frozenset({"mi_non_adherent"}),
    ),
)
"""Every task, in the order in which a page offers them."""


def find_task(name: str) -> ObserverTask:
    """Return the task of that name; the whole codebook for an unknown name."""
    return next((task for task in TASKS if task.name == name), TASKS[0])


def offered_tasks(book: Codebook) -> tuple[ObserverTask, ...]:
    """Return the tasks that a codebook has codes for."""
    return tuple(task for task in TASKS if task.codes_in(book))


def random_task(book: Codebook, tape_id: str, person_id: str) -> ObserverTask:
    """Return a random task for somebody who does not choose, the same for each person and tape."""
    choices = offered_tasks(book)
    digest = hashlib.sha256(f"{tape_id} {person_id}".encode()).digest()
    return choices[int.from_bytes(digest[:4]) % len(choices)]
