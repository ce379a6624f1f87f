"""Who is who: three clips of each voice, and one click to confirm or swap interviewer and client.

Where there is no sound, three lines stand for the clips. What is decided is a correction like any other: it
can be taken back, and the transcript's words stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from pipeline.review import authorization
from pipeline.review.auth.current_user import SignedIn
from pipeline.review.context import context_of
from pipeline.review.form_fields import Id
from pipeline.review.tapes import titles
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log
from pipeline.tapes.db.records import Correction, Item, Tape, Utterance
from pipeline.tapes.home import Home

router = APIRouter()

CLIPS, LONGEST = 3, 12_000
_COLUMN, _TRANSCRIPT = "corrections.payload", "transcript"


@dataclass(frozen=True)
class TapeVoice:
    """One voice: its role, where it can be heard, and whether it is probably nobody.

    ``utterances`` are those of its clips; ``spoken`` are ms, or words where there is no sound.
    """

    name: str
    role: str
    clips: tuple[tuple[int, int], ...]
    spoken: int
    share: float
    ghost: bool
    utterances: tuple[str, ...] = ()


@router.get("/tapes/{tape_id}/voices")
def page(request: Request, viewer: SignedIn, tape_id: Id) -> Response:
    """The clips, and the form."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        tape = _ready(database, viewer, tape_id, now)
        authorization.read(database, viewer, tape_id, "voices", now)
        utterances = database.scalars(
            select(Utterance).where(Utterance.tape_id == tape_id).order_by(Utterance.position)
        ).all()
        decided = confirmed(database, room.home, tape_id)
        texts = _texts(database, room.home, tape_id) if tape.from_text else {}
        name = titles.title(database, tape)
    speakers = voices(utterances, tape.speakers | {"roles": tape.speakers.get("roles", {}) | (decided or {})})
    return render(
        request,
        "tapes/voices.html",
        tape=tape,
        title=name,
        voices=speakers,
        texts=texts,
        sure=tape.speakers.get("probability"),
        decided=decided is not None,
    )


@router.post("/tapes/{tape_id}/voices")
def decide(
    request: Request, viewer: SignedIn, tape_id: Id, interviewer: Annotated[str, Form(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
) -> Response:
    """Say which voice is the interviewer's; of the others, the one that speaks most is the client's."""
    room = context_of(request)
    now = room.clock()
    with room.home.database.writing() as database:
        tape = _ready(database, viewer, tape_id, now)
        utterances = database.scalars(select(Utterance).where(Utterance.tape_id == tape_id)).all()
        speakers = voices(utterances, tape.speakers)
        if interviewer not in {voice.name for voice in speakers}:
            raise HTTPException(404)
        others = sorted((voice for voice in speakers if voice.name != interviewer), key=lambda voice: -voice.spoken)
        roles = {voice.name: "unknown" for voice in others} | {interviewer: "interviewer"}
        if others:
            roles[others[0].name] = "client"
        payload = json.dumps({"roles": roles}).encode()
        last = database.scalar(select(func.max(Correction.at)).where(Correction.tape_id == tape_id)) or 0
        row = Correction(
            tape_id=tape_id,
            person_id=viewer.person_id,
            at=max(now, last + 1),  # what is decided last holds
            kind="role",
            utterance_id="",
            sealed_payload=room.home.vault.seal(tape_id, payload, _COLUMN),
        )
        database.add(row)
        audit_log.record(database, now, viewer.person_id, "correction.role", tape_id, thing=row.id)
    return seeing(f"/tapes/{tape_id}", "saved")


def voices(utterances: Sequence[Utterance], speakers: dict[str, Any]) -> tuple[TapeVoice, ...]:
    """The voices of a tape, the one that speaks most first; their clips are their longest stretches, in order.

    ``speakers`` has the "roles" by voice, and the "ghosts" that the diarizer found.
    """
    roles, ghosts = speakers.get("roles", {}), speakers.get("ghosts", ())
    spoken: dict[str, int] = {}
    for utterance in utterances:
        spoken[utterance.speaker] = spoken.get(utterance.speaker, 0) + utterance.end_ms - utterance.start_ms
    total = sum(spoken.values()) or 1
    ranked = []
    for name, length in sorted(spoken.items(), key=lambda pair: -pair[1]):
        own_utterances = [utterance for utterance in utterances if utterance.speaker == name]
        longest = sorted(own_utterances, key=lambda utterance: utterance.start_ms - utterance.end_ms)[:CLIPS]
        clips = sorted(
            (utterance.start_ms, min(utterance.end_ms, utterance.start_ms + LONGEST)) for utterance in longest
        )
        role = roles.get(name, "unknown")
        ids = tuple(row.utterance_id for row in sorted(longest, key=lambda row: row.position))
        ranked.append(TapeVoice(name, role, tuple(clips), length, length / total, name in ghosts, ids))
    return tuple(ranked)


def _texts(database: Session, home: Home, tape_id: str) -> dict[str, str]:
    """Utterance -> what is said there; for the interviewer, from whom no name is masked."""
    query = select(Item).where(Item.tape_id == tape_id, Item.kind == _TRANSCRIPT).order_by(Item.created_at.desc())
    item = database.scalars(query.limit(1)).first()
    rows = json.loads(home.vault.read(item))["utterances"] if item else []
    return {row["utterance_id"]: row["text"] for row in rows}


def confirmed(database: Session, home: Home, tape_id: str) -> dict[str, str] | None:
    """The roles that somebody decided last; None where nobody did."""
    query = select(Correction).where(Correction.tape_id == tape_id, Correction.kind == "role")
    rows = database.scalars(query.order_by(Correction.at.desc(), Correction.id)).all()
    undone = set(database.scalars(select(Correction.undoes).where(Correction.tape_id == tape_id)))
    last = next((row for row in rows if row.sealed_payload and not row.undoes and row.id not in undone), None)
    if last is None or last.sealed_payload is None:
        return None
    payload: dict[str, Any] = json.loads(home.vault.unseal(tape_id, last.sealed_payload, _COLUMN))
    return dict(payload["roles"])


def _ready(database: Session, viewer: SignedIn, tape_id: str, now: int) -> Tape:
    return authorization.in_state(authorization.own_tape(database, viewer, tape_id, "play", now), "ready")


def heard_right(database: Session, home: Home, tape: Tape) -> bool:
    """Whether the machine took the interviewer's voice for the interviewer's, as far as anybody has said."""
    decided = confirmed(database, home, tape.id)
    taken = tape.speakers.get("roles", {})
    return decided is None or all(
        (role == "interviewer") == (taken.get(voice) == "interviewer") for voice, role in decided.items()
    )
