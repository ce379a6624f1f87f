"""A tape with something in every table and every place, and a mark that can be looked for on the disk."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import (
    CalibrationEvent,
    CalibrationPass,
    CalibrationTape,
    CodeEvent,
    Correction,
    Feedback,
    Form,
    Item,
    Job,
    Meeting,
    Pass,
    PassView,
    Pretag,
    Review,
    Tape,
    TapeNote,
    TapeState,
    TargetBehavior,
    Transcript,
    Utterance,
)
from pipeline.tapes.home import Home
from tests.tapes.group import SampleGroup, make_consent, make_tape, sample_group


@dataclass(frozen=True)
class FullTape:
    """``mark`` is 32 bytes that stand in everything that belongs to the tape, in plain text where that is how it
    lies."""

    id: str
    sample: SampleGroup
    mark: str = field(default_factory=lambda: secrets.token_hex(16))


def full_tape(
    home: Home, now: int, state: TapeState = "ready", sample: SampleGroup | None = None, days: int = 30
) -> FullTape:
    """Make the tape, with files, texts, codes, a job and all the rest."""
    with home.database.writing() as session:
        sample = sample or sample_group(session, now)
        tape = FullTape(make_tape(session, sample, now).id, sample)
        session.get_one(Tape, tape.id).state = state
        home.vault.create_key(tape.id)
        kinds = {
            "recording": 300_000,
            "mono": 200_000,
            "peaks": 100,
            "transcript": 5000,
            "report.html": 9000,
            "utterances.csv": 900,
            "stage:decode:0123456789abcdef": 70_000,
        }
        items = {kind: put(home, session, tape, kind, size, now) for kind, size in kinds.items()}
        form = put(home, session, tape, "form", 400, now)
        changes = {"pseudonym": tape.mark, "destroy_by": now + days * DAY, "form_item_id": form.id}
        make_consent(session, session.get_one(Tape, tape.id), now, "group_review", **changes)
        session.add(Transcript(tape_id=tape.id, item_id=items["transcript"].id, engine="whisper", created_at=now))
        _rows(home, session, tape, now)
    return tape


def put(home: Home, session: Session, tape: FullTape, kind: str, size: int, now: int) -> Item:
    """A file that holds the mark again and again."""
    content = (tape.mark.encode() * (size // 32 + 1))[:size]
    made = home.vault.put(tape.id, kind, content)
    item = Item(id=made.id, tape_id=tape.id, kind=kind, size=made.size, sha256=made.sha256, created_at=now)
    session.add(item)
    session.flush()
    return item


def _rows(home: Home, session: Session, tape: FullTape, now: int) -> None:
    who, mark = tape.sample.member.id, tape.mark

    def sealed(column: str) -> bytes:
        return home.vault.seal(tape.id, mark.encode(), column)

    session.add(TargetBehavior(tape_id=tape.id, sealed_text=sealed("target_behaviors.sealed_text"), at=now))
    common = {"position": 0, "turn_id": mark, "role": "client", "speaker": "S1", "start_ms": 0, "end_ms": 900}
    session.add(Utterance(tape_id=tape.id, utterance_id="u1", **common))
    session.add(
        Pretag(tape_id=tape.id, utterance_id="u1", codes=[mark], probability=0.5, needs_check=True, p={mark: 0.5})
    )
    session.add(
        Correction(
            tape_id=tape.id, person_id=who, at=now, kind="text", utterance_id="u1", sealed_payload=sealed("corrections")
        )
    )
    coder_pass = Pass(
        tape_id=tape.id, person_id=who, layer="member", codebook=mark, codebook_version="1", started_at=now
    )
    session.add(coder_pass)
    session.flush()
    session.add(PassView(tape_id=tape.id, pass_id=coder_pass.id, person_id=who, at=now))
    deed = {"utterance_id": "u1", "at": now, "action": "set", "codes": [mark], "client_event_id": mark}
    session.add(CodeEvent(tape_id=tape.id, pass_id=coder_pass.id, person_id=who, **deed))
    calibration = CalibrationTape(tape_id=tape.id, codebook=mark, chosen_at=now)
    session.add(calibration)
    session.flush()
    trained = CalibrationPass(
        person_id=who, calibration_id=calibration.id, codebook=mark, codebook_version="1", started_at=now
    )
    session.add(trained)
    session.flush()
    session.add(CalibrationEvent(pass_id=trained.id, **deed))
    session.add(Review(tape_id=tape.id, stage="open"))
    session.add(Form(tape_id=tape.id, person_id=who, kind="session", sealed_answers=sealed("forms"), at=now))
    session.add(Feedback(tape_id=tape.id, person_id=who, kind="strength", sealed_text=sealed("feedback"), at=now))
    session.add(TapeNote(tape_id=tape.id, person_id=who, moment=0, sealed_text=sealed("notes"), at=now))
    session.add(Meeting(group_id=tape.sample.group.id, at=now, tape_id=tape.id, sealed_notes=sealed("meetings")))
    session.add(Job(tape_id=tape.id, workflow_id=mark, state="failed", error=mark, created_at=now, updated_at=now))


def found_in(mark: str, *folders: Path) -> list[Path]:
    """The files that hold a mark, in their content, their name or their target; a server may drop some meanwhile."""
    wanted = mark.encode()
    hits = []
    for folder in folders:
        for parent, within, files in os.walk(folder):
            for path in (Path(parent) / name for name in (*within, *files)):
                if wanted in _content(path) or wanted in os.fsencode(path.name):
                    hits.append(path)
    return hits


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""
