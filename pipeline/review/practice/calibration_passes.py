"""Calibration passes: starting one, storing its codes, locking it.

They lie in tables of their own: agreement, drift, exports and adaptation read the passes of tapes, and never these.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.coding.code_events import CodeState, CodingEvent, fold
from pipeline.tapes.db.records import CalibrationEvent, CalibrationPass

FIXED = "the transcript of a calibration tape stays as it is"


def start(
    database: Session, person_id: str, book: Codebook, now: int, script: str = "", calibration_id: str | None = None
) -> CalibrationPass:
    """Return the person's open pass on a calibration tape in this codebook; a new one if there is none."""
    on_tape = _on_tape(person_id, script, calibration_id)
    query = on_tape.where(CalibrationPass.codebook == book.name, CalibrationPass.locked_at.is_(None))
    open_pass = database.scalars(query.limit(1)).first()
    if open_pass is None:
        open_pass = CalibrationPass(
            person_id=person_id,
            script=script,
            calibration_id=calibration_id,
            codebook=book.name,
            codebook_version=book.version,
            started_at=now,
        )
        database.add(open_pass)
        database.flush()
    return open_pass


def own_passes(database: Session, person_id: str) -> list[CalibrationPass]:
    """Return a person's calibration passes, the latest first."""
    query = select(CalibrationPass).where(CalibrationPass.person_id == person_id)
    return list(database.scalars(query.order_by(CalibrationPass.started_at.desc(), CalibrationPass.id)))


def events(database: Session, calibration_pass: CalibrationPass) -> list[CodingEvent]:
    """Return a pass's events in order of time, under the names that its page gave them."""
    query = select(CalibrationEvent).where(CalibrationEvent.pass_id == calibration_pass.id)
    prefix = f"{calibration_pass.id}:"
    return [
        CodingEvent(
            row.client_event_id.removeprefix(prefix),
            row.utterance_id,
            row.action,
            tuple(row.codes),
            row.undoes.removeprefix(prefix) if row.undoes else None,
        )
        for row in database.scalars(query.order_by(CalibrationEvent.at, CalibrationEvent.id))
    ]


def codes(database: Session, calibration_pass: CalibrationPass) -> dict[str, CodeState]:
    """Return utterance -> its codes."""
    return dict(fold(events(database, calibration_pass)))


def store(
    database: Session,
    calibration_pass: CalibrationPass,
    book: Codebook,
    changes: Sequence[ChangeRequest],
    now: int,
) -> list[dict[str, str]]:
    """Store the codes that are new, each once; return those that were refused, each with the reason."""
    prefix = f"{calibration_pass.id}:"
    names = [prefix + change.id for change in changes]
    query = select(CalibrationEvent.client_event_id).where(CalibrationEvent.client_event_id.in_(names))
    stored = set(database.scalars(query))
    last = select(func.max(CalibrationEvent.at)).where(CalibrationEvent.pass_id == calibration_pass.id)
    moment = max(now, database.scalar(last) or 0)
    allowed = {code.name for code in book.codes}
    refused = []
    for name, change in zip(names, changes, strict=True):
        if name in stored:
            continue
        unknown = [code for code in change.codes if code not in allowed]
        if change.kind != "code" or unknown:
            reason = f"the codebook has no code {unknown[0]}" if unknown else FIXED
            refused.append({"id": change.id, "reason": reason})
            continue
        stored.add(name)
        moment += 1
        database.add(
            CalibrationEvent(
                pass_id=calibration_pass.id,
                utterance_id=change.utterance_id,
                at=moment,
                action=change.action,
                codes=list(dict.fromkeys(change.codes)),
                client_event_id=name,
                undoes=prefix + change.undoes if change.undoes else None,
            )
        )
    return refused


def lock(database: Session, calibration_pass: CalibrationPass, now: int) -> None:
    """Lock a pass. It was blind unless the person had locked another one on this tape before."""
    if calibration_pass.locked_at is not None:
        return
    on_tape = _on_tape(calibration_pass.person_id, calibration_pass.script, calibration_pass.calibration_id)
    before = database.scalars(on_tape.where(CalibrationPass.locked_at.is_not(None)).limit(1)).first()
    calibration_pass.blind = before is None
    calibration_pass.locked_at = now


def _on_tape(person_id: str, script: str, calibration_id: str | None):  # type: ignore[no-untyped-def]
    return select(CalibrationPass).where(
        CalibrationPass.person_id == person_id,
        CalibrationPass.script == script,
        CalibrationPass.calibration_id == calibration_id,
    )
