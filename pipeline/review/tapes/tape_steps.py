"""The way with a tape: its steps, as one person sees them, and how far they have come; of many tapes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from pipeline.tapes.db.records import CodeEvent, Correction, Feedback, Pass, Review, Tape


@dataclass(frozen=True)
class Step:
    """One step of the way with a tape; ``state`` is "done", "now", "later" or "waiting" (for somebody else)."""

    name: str
    text: str
    link: str
    action: str
    state: str


@dataclass(frozen=True)
class TapeProgress:
    """How far a tape is for a person.

    ``opened``: its interviewer has reviewed it first, or waived that. ``named``: who speaks is confirmed. ``passes``
    and ``locked`` count the person's passes; ``spoke``: the person gave feedback; ``settled``: the group decided on a
    code; ``closed``: the round is over.
    """

    opened: bool = False
    closed: bool = False
    named: bool = False
    spoke: bool = False
    settled: bool = False
    passes: int = 0
    locked: int = 0


def progress_of(database: Session, person_id: str, tapes: Sequence[Tape]) -> dict[str, TapeProgress]:
    """Tape -> how far it is for a person: one statement, however many tapes."""
    is_open = Review.interviewer_done_at.is_not(None) | Review.waived_at.is_not(None)
    settled = exists().where(CodeEvent.pass_id == Pass.id, Pass.tape_id == Tape.id, Pass.layer == "consensus")
    mine = select(func.count(Pass.id)).where(Pass.tape_id == Tape.id, Pass.person_id == person_id)
    rows = database.execute(
        select(
            Tape.id,
            exists().where(Review.tape_id == Tape.id, is_open),
            exists().where(Review.tape_id == Tape.id, Review.closed_at.is_not(None)),
            exists().where(Correction.tape_id == Tape.id, Correction.kind == "role"),
            exists().where(Feedback.tape_id == Tape.id, Feedback.person_id == person_id),
            settled,
            mine.scalar_subquery(),
            mine.where(Pass.locked_at.is_not(None)).scalar_subquery(),
        ).where(Tape.id.in_([tape.id for tape in tapes]))
    )
    return {tape_id: TapeProgress(*progress) for tape_id, *progress in rows}


def steps(person_id: str, tape: Tape, progress: TapeProgress) -> list[Step]:
    """The way with a tape, as one person sees it."""
    mine = tape.interviewer_id == person_id
    at = f"/tapes/{tape.id}"
    waiting = "" if mine or progress.opened else "waiting"
    way = []
    if mine:
        state = "done" if progress.named else "now"
        text, action = (
            ("Read what each says and confirm who speaks.", "Read")
            if tape.from_text
            else ("Listen to each voice and confirm who speaks.", "Listen")
        )
        way.append(Step("Who is who", text, f"{at}/voices", action, state))
        first = "done" if progress.opened else "now" if progress.named else "later"
        action = "Look again" if progress.opened else "Begin"
        way.append(Step("You first", "Review your own work before the others do.", f"{at}/first", action, first))
    locked = bool(progress.passes) and progress.passes == progress.locked
    missed = progress.closed and not progress.passes
    coding = waiting or ("done" if locked else "later" if missed or (mine and not progress.opened) else "now")
    name, text = ("Listen and code", "Take a task, and code while you listen.")
    if tape.from_text:
        name, text = ("Read and code", "Take a task, and code while you read.")
    way.append(Step(name, text, f"{at}/coding", "Open the tape", coding))
    over = progress.spoke or progress.settled
    together = waiting or ("later" if not locked else "done" if over else "now")
    verb = "Look at" if tape.from_text else "Listen to"
    text = f"{verb} where you differ, and settle on a code. Everyone's own codes stay."
    way.append(Step("Together", text, f"{at}/together", "Continue together", together))
    done = progress.spoke or progress.closed
    feedback = waiting or ("done" if done else "now" if progress.opened else "later")
    way.append(
        Step("Feedback", "Strengths first; at most one suggestion.", f"{at}/feedback", "Go to the feedback", feedback)
    )
    end = waiting or ("done" if progress.closed else "later")
    way.append(Step("Summary", "What the group takes away.", f"{at}/summary", "See the summary", end))
    return way
