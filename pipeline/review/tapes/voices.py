"""Who is who: three clips of each voice, one click to confirm or swap interviewer and client, and a role each.

Where there is no sound, three lines stand for the clips. What is decided is a correction like any other: it
can be taken back, and the transcript's words stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
from pipeline.review.tapes import retagging, titles
from pipeline.review.templating import render, seeing
from pipeline.tapes import audit_log
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import Correction, Tape, Utterance
from pipeline.tapes.home import Home
from pipeline.timeline import Role

router = APIRouter()

ROLE_NAMES: Mapping[str, str] = {
    "interviewer": "Interviewer",
    "client": "Client",
    "other": "Someone else (not in any figure)",
    "unknown": "I do not know",
}
CLIPS, LONGEST = 3, 12_000
"""Pieces of a voice that the page plays, and milliseconds of one: enough to know somebody by. Chosen here."""
_VOICE = r"^[A-Za-z0-9_-]{1,40}$"


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
        texts = _texts(database, room.home, tape_id)
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
        role_names=ROLE_NAMES,
    )


@router.post("/tapes/{tape_id}/voices")
def decide(
    request: Request,
    viewer: SignedIn,
    tape_id: Id,
    interviewer: Annotated[str | None, Form(pattern=_VOICE)] = None,
    speaker: Annotated[list[Annotated[str, Form(pattern=_VOICE)]] | None, Form()] = None,
    speaker_role: Annotated[list[Role] | None, Form()] = None,
    undo: Annotated[bool, Form()] = False,
) -> Response:
    """Say who each voice is, or only which one is the interviewer's, or take back what was said last.

    With the interviewer alone, of the others the one that speaks most is the client's. The machine's suggestions and
    figures follow the roles.
    """
    room = context_of(request)
    now = room.clock()
    with room.home.database.reading() as database:
        tape = _ready(database, viewer, tape_id, now)
        utterances = database.scalars(select(Utterance).where(Utterance.tape_id == tape_id)).all()
        speakers = voices(utterances, tape.speakers)
        last = retagging.named_roles(database, room.home, tape_id)
        whole = retagging.stored(database, room.home, tape_id, retagging.TRANSCRIPT)
        measures = retagging.stored(database, room.home, tape_id, retagging.MEASURES) or {}
        target = target_behavior.read(database, room.home.vault, tape_id)
        taken = {name: str(role) for name, role in tape.speakers.get("roles", {}).items()}
    payload: dict[str, Any] = {}
    if undo:
        if last is None:
            raise HTTPException(404)
    else:
        roles = _named(speakers, interviewer, dict(zip(speaker or (), speaker_role or (), strict=False)))
        payload = {"roles": roles}
        if whole is not None and any(taken.get(name, "unknown") != named for name, named in roles.items()):
            payload |= retagging.payload(whole, roles, measures.get("zero", ""), target, room.settings, tape)
    with room.home.database.writing() as database:
        _ready(database, viewer, tape_id, now)
        latest = database.scalar(select(func.max(Correction.at)).where(Correction.tape_id == tape_id)) or 0
        row = Correction(
            tape_id=tape_id,
            person_id=viewer.person_id,
            at=max(now, latest + 1),  # what is decided last holds
            kind="role",
            utterance_id="",
            sealed_payload=room.home.vault.seal(tape_id, json.dumps(payload).encode(), retagging.PAYLOAD_FIELD),
            undoes=last[0] if undo and last else None,
        )
        database.add(row)
        audit_log.record(database, now, viewer.person_id, "correction.role", tape_id, thing=row.id)
    return seeing(f"/tapes/{tape_id}/voices" if undo else f"/tapes/{tape_id}", "saved")


def _named(speakers: Sequence[TapeVoice], interviewer: str | None, roles: Mapping[str, str]) -> dict[str, str]:
    """The role of each voice, as the form says it.

    Raises
    ------
    HTTPException: 404 it names a voice that the tape does not have, or nothing.
    """
    known = [speaker.name for speaker in sorted(speakers, key=lambda speaker: -speaker.spoken)]
    if not {*roles, *([interviewer] if interviewer else [])} <= set(known) or not (roles or interviewer):
        raise HTTPException(404)
    if not interviewer:
        return {name: roles.get(name, "unknown") for name in known}
    others = [name for name in known if name != interviewer]
    return dict.fromkeys(others, "unknown") | dict.fromkeys(others[:1], "client") | {interviewer: "interviewer"}


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
    whole = retagging.stored(database, home, tape_id, retagging.TRANSCRIPT)
    return {row["utterance_id"]: row["text"] for row in whole["utterances"]} if whole else {}


def confirmed(database: Session, home: Home, tape_id: str) -> dict[str, str] | None:
    """The roles that somebody decided last; None where nobody did."""
    named = retagging.named_roles(database, home, tape_id)
    return dict(named[1]["roles"]) if named else None


def _ready(database: Session, viewer: SignedIn, tape_id: str, now: int) -> Tape:
    return authorization.in_state(authorization.own_tape(database, viewer, tape_id, "play", now), "ready")


def heard_right(database: Session, home: Home, tape: Tape) -> bool:
    """Whether the machine's codes are for the roles that somebody named: taken right, or made again for them."""
    named = retagging.named_roles(database, home, tape.id)
    if named is None or "pretags" in named[1]:
        return True
    taken = tape.speakers.get("roles", {})
    return all(
        (role == "interviewer") == (taken.get(voice) == "interviewer") for voice, role in named[1]["roles"].items()
    )
