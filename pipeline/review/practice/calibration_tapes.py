"""Tapes of the group as calibration tapes: a coach chooses them, the group's consensus is their gold.

A tape qualifies while every member and coach of the group may play, see and code it, and while the group discussed it
and left nothing open. Each use asks `pipeline.review.authorization` anew: with a withdrawal, or the end of the
permission, the tape is gone from here as from everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook
from pipeline.review.authorization import Admitted, all_open, unseen
from pipeline.review.coding import transcripts
from pipeline.review.consensus import consensus
from pipeline.tapes import people
from pipeline.tapes.consent import consent
from pipeline.tapes.db.records import CalibrationTape, CodeEvent, Group, Pass, Person, Tape

USES: tuple[consent.Use, ...] = ("play", "show", "code")
"""The uses of a tape that a calibration pass makes."""

NOT_ALLOWED = "The client's permission does not cover everyone in the group. A calibration tape needs that."
NOT_SETTLED = "The group has not settled every utterance of this tape together yet."


def refusal(admitted: Admitted, book: Codebook) -> str:
    """Return why a tape cannot be a calibration tape in a codebook; empty if it can."""
    group = admitted.session.get_one(Group, admitted.tape.group_id)
    for member in people.members(admitted.session, group, admitted.now):
        if not consent.allows_all(admitted.session, member.person, USES, admitted.tape, admitted.now):
            return NOT_ALLOWED
    if not consensus.settled_codes(admitted, book):
        return NOT_SETTLED
    board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted), book)
    return NOT_SETTLED if board.queue else ""


def choose(admitted: Admitted, book: Codebook) -> None:
    """Make a tape a calibration tape in a codebook; one that is one stays so."""
    if not any(row.codebook == book.name for row in current(admitted.session, [admitted.tape.id])):
        admitted.session.add(
            CalibrationTape(
                tape_id=admitted.tape.id,
                codebook=book.name,
                chosen_by_id=admitted.person.id,
                chosen_at=admitted.now,
            )
        )
    admitted.record("calibration.choose", book.name)


def end(admitted: Admitted) -> None:
    """End a calibration tape: no new pass begins on it."""
    for row in current(admitted.session, [admitted.tape.id]):
        row.ended_at = admitted.now
    admitted.record("calibration.end")


def offered(database: Session, person: Person, group: Group, now: int) -> list[tuple[CalibrationTape, Tape]]:
    """Return a group's calibration tapes that a person may use now, the latest first."""
    tapes = {tape.id: tape for tape in _usable(database, person, group, now)}
    rows = current(database, list(tapes))
    return [(row, tapes[row.tape_id]) for row in sorted(rows, key=lambda row: -row.chosen_at)]


def candidates(database: Session, coach: Person, group: Group, now: int) -> list[tuple[Tape, str]]:
    """Return the tapes that a group discussed and whose codes the coach may see, each with the codebook."""
    tapes = {tape.id: tape for tape in _usable(database, coach, group, now)}
    visible = with_visible_codes(database, coach, group, now)
    chosen = {(row.tape_id, row.codebook) for row in current(database, list(tapes))}
    discussed = (
        select(Pass.tape_id, Pass.codebook)
        .where(Pass.tape_id.in_(visible), Pass.layer == "consensus")
        .where(select(CodeEvent.id).where(CodeEvent.pass_id == Pass.id).exists())
        .distinct()
    )
    pairs = [(row.tape_id, row.codebook) for row in database.execute(discussed)]
    return [(tapes[tape_id], codebook) for tape_id, codebook in pairs if (tape_id, codebook) not in chosen]


def with_visible_codes(database: Session, person: Person, group: Group, now: int) -> frozenset[str]:
    """Return the ids of a group's tapes that a person may use now, and whose codes the person may see."""
    tapes = _usable(database, person, group, now)
    return frozenset(tape.id for tape in tapes) - unseen(database, person.id, tapes)


def gold_codes(admitted: Admitted, book: Codebook) -> dict[str, tuple[str, ...]]:
    """Return utterance -> the codes of the consensus. Only for who has locked a pass."""
    board = consensus.consensus_board(admitted, transcripts.visible_transcript(admitted), book)
    return {compared.utterance.id: compared.by_hand for compared in board.utterances}


def _usable(database: Session, person: Person, group: Group, now: int) -> list[Tape]:
    ready = select(Tape).where(Tape.group_id == group.id, Tape.state == "ready").order_by(Tape.created_at, Tape.id)
    tapes = all_open(database, person, database.scalars(ready).all(), now)
    return [tape for tape in tapes if consent.allows_all(database, person, USES, tape, now)]


def current(database: Session, tape_ids: Sequence[str]) -> list[CalibrationTape]:
    """Return what of these tapes is a calibration tape now, in which codebook."""
    query = select(CalibrationTape).where(CalibrationTape.tape_id.in_(tape_ids), CalibrationTape.ended_at.is_(None))
    return list(database.scalars(query))
