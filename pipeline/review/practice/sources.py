"""A calibration tape as a pass on it needs it: a role-play of ours, or a tape of the group that may still be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.review.auth.current_user import Viewer
from pipeline.review.authorization import LOCK_FIRST, Admitted, admit
from pipeline.review.coding import codebooks, passes, transcripts
from pipeline.review.coding.corrections import CorrectedUtterance
from pipeline.review.errors import NotYetError
from pipeline.review.practice import calibration_tapes, scripts
from pipeline.review.practice.comparison import ComparedLine, compare_lines
from pipeline.review.practice.scripts import ROLE_PLAYS
from pipeline.review.tapes import titles
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import CalibrationPass, CalibrationTape


@dataclass(frozen=True)
class Source:
    """The words, the target behavior, and the addresses of sound and sheet; ``admitted``: for a tape of the group."""

    title: str
    target_behavior: str
    utterances: Sequence[CorrectedUtterance]
    book: Codebook
    sound: str
    peaks: str
    sheet: str
    admitted: Admitted | None = None

    @property
    def from_text(self) -> bool:
        """Whether there is no sound."""
        return self.admitted is not None and self.admitted.tape.from_text

    @property
    def duration(self) -> int:
        """The length, in ms."""
        return max((utterance.end for utterance in self.utterances), default=0)


def own_pass(session: Session, viewer: Viewer, pass_id: str) -> CalibrationPass:
    """Return the viewer's own calibration pass; any other does not exist (404)."""
    wanted = session.get(CalibrationPass, pass_id)
    if wanted is None or wanted.person_id != viewer.person_id:
        raise HTTPException(404)
    return wanted


def open_source(request: Request, session: Session, viewer: Viewer, calibration_pass: CalibrationPass) -> Source:
    """Return the tape of an own pass; 404 where it may no longer be used."""
    if calibration_pass.calibration_id is None:
        role_play = ROLE_PLAYS.get(calibration_pass.script)
        if role_play is None:
            raise HTTPException(404)
        path = f"/practice/passes/{calibration_pass.id}"
        return Source(
            f"Role-play: {role_play.title}",
            role_play.target_behavior,
            scripts.utterances(role_play.name),
            codebook_files.read(calibration_pass.codebook),
            f"{path}/sound",
            f"{path}/peaks",
            f"/codebooks/{calibration_pass.codebook}",
        )
    chosen = session.get_one(CalibrationTape, calibration_pass.calibration_id)
    admitted = admit(request, session, viewer, chosen.tape_id, *calibration_tapes.USES)
    path = f"/tapes/{chosen.tape_id}"
    return Source(
        titles.title(session, admitted.tape),
        target_behavior.read(session, admitted.home.vault, chosen.tape_id),
        transcripts.visible_transcript(admitted),
        codebooks.read(admitted, calibration_pass.codebook),
        f"{path}/sound",
        f"{path}/peaks",
        f"{path}/definitions?codebook={calibration_pass.codebook}",
        admitted,
    )


def compared_lines(
    source: Source, calibration_pass: CalibrationPass, codes: dict[str, tuple[str, ...]]
) -> list[ComparedLine]:
    """Return a locked pass beside the gold.

    Nobody who is still coding the tape sees the gold: 403.
    """
    if calibration_pass.locked_at is None:
        raise NotYetError(LOCK_FIRST, "blind")
    if source.admitted is None:
        gold_lines = scripts.gold(calibration_pass.script, calibration_pass.codebook)
        gold = {utterance_id: line.codes for utterance_id, line in gold_lines.items()}
        why = {utterance_id: line.why for utterance_id, line in gold_lines.items()}
        return compare_lines(source.utterances, codes, gold, why, source.book)
    if any(coding_pass.locked_at is None for coding_pass in passes.own_passes(source.admitted)):
        raise NotYetError(LOCK_FIRST, "blind")
    gold = calibration_tapes.gold_codes(source.admitted, source.book)
    why = {
        utterance_id: " ".join(f"{source.book[code].label}: {source.book[code].definition}" for code in given)
        for utterance_id, given in gold.items()
    }
    return compare_lines(source.utterances, codes, gold, why, source.book)
