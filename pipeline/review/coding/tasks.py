"""Something to do for every observer: what one listens for on one's way through a tape.

The tasks follow what peer groups use; each names families of codes, and the codebook says which codes these are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pipeline.coding.codebook import Code, Codebook


@dataclass(frozen=True)
class Task:
    """A coding task; without families it is the whole codebook."""

    name: str
    label: str
    hint: str
    families: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    def covers(self, code: Code) -> bool:
        """Whether the task asks for this code."""
        return not (self.families or self.codes) or code.family in self.families or code.name in self.codes

    def of(self, book: Codebook) -> tuple[Code, ...]:
        """The codes of a codebook that the task asks for."""
        return tuple(code for code in book.codes if self.covers(code))


TASKS = (
    Task("all", "All codes", "Give each thought its codes; leave it without where none fits."),
    Task(
        "questions-and-reflections",
        "Questions and reflections",
        "Listen for what asks and what reflects. An utterance may do both.",
        frozenset({"question", "reflection"}),
    ),
    Task(
        "depth",
        "Depth of reflections",
        "Simple reflections stay with what was said; complex ones add meaning, feeling or direction.",
        frozenset({"reflection"}),
    ),
    Task(
        "oars",
        "OARS",
        "Open questions, affirmations, reflections and summaries, as they come.",
        frozenset({"affirmation", "reflection", "summary"}),
        frozenset({"question_open", "question"}),
    ),
    Task(
        "change-and-sustain",
        "Change and sustain talk",
        "Listen to the client: toward the target behavior, or for staying as it is.",
        frozenset({"client_talk"}),
    ),
    Task(
        "around-change-talk",
        "Before and after change talk",
        "Mark change talk, and code what the interviewer said just before and just after it.",
        frozenset({"client_talk", "question", "reflection", "affirmation", "summary"}),
    ),
    Task(
        "mi-inconsistent",
        "Inconsistent with MI",
        "Advice or persuasion without permission, confronting, arguing. Note it kindly; it happens to everyone.",
        frozenset({"mi_non_adherent", "information"}),
    ),
)
"""Every task, in the order in which a page offers them."""


def task(name: str) -> Task:
    """The task of that name; an unknown one is the whole codebook."""
    return next((one for one in TASKS if one.name == name), TASKS[0])


def offered(book: Codebook) -> tuple[Task, ...]:
    """The tasks that a codebook has codes for."""
    return tuple(one for one in TASKS if one.of(book))


def dealt(book: Codebook, tape_id: str, person_id: str) -> Task:
    """A task for somebody who does not choose: by lot, the same each time, and fewer twice than by choice."""
    choices = offered(book)
    lot = hashlib.sha256(f"{tape_id} {person_id}".encode()).digest()
    return choices[int.from_bytes(lot[:4]) % len(choices)]
