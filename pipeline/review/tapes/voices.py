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
from pipeline.run import results
from pipeline.tapes import audit_log, named_roles
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import Correction, Item, Pass, Tape, Utterance, new_id
from pipeline.tapes.home import Home
from pipeline.timeline import ROLE_LABELS, Role

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
    with room.home.database.reading() as database:
        tape = _ready(database, viewer, tape_id, now)
        utterances = database.scalars(
            select(Utterance).where(Utterance.tape_id == tape_id).order_by(Utterance.position)
        ).all()
        decided = named_roles.confirmed(database, room.home, tape_id)
        texts = _texts(database, room.home, tape_id)
        name = titles.title(database, tape)
    authorization.note(request, viewer, tape_id, "read", "voices")
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
        role_labels=ROLE_LABELS,
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
        last = named_roles.named_roles(database, room.home, tape_id)
        whole = retagging.stored(database, room.home, tape_id, retagging.TRANSCRIPT)
        stored = _result_files(database, room.home, tape_id)
        target = target_behavior.read(database, room.home.vault, tape_id)
        taken = {name: str(role) for name, role in tape.speakers.get("roles", {}).items()}
    payload: dict[str, Any] = {}
    correction_id = new_id()
    if undo:
        if last is None:
            raise HTTPException(404)
    else:
        roles = _named(speakers, interviewer, dict(zip(speaker or (), speaker_role or (), strict=False)))
        payload = {"roles": roles}
        if whole is not None and any(taken.get(name, "unknown") != named for name, named in roles.items()):
            fields, files = retagging.suggest_again(whole, roles, stored, target, room.settings, tape)
            payload |= fields
            if files:
                named_roles.store_files(room.home, tape_id, correction_id, files, now)
    with room.home.database.writing() as database:
        _ready(database, viewer, tape_id, now)
        moments = [
            select(func.max(Correction.at)).where(Correction.tape_id == tape_id),
            select(func.max(Pass.locked_at)).where(Pass.tape_id == tape_id),
        ]
        latest = max(database.scalar(moment) or 0 for moment in moments)
        row = Correction(
            id=correction_id,
            tape_id=tape_id,
            person_id=viewer.person_id,
            at=max(now, latest + 1),  # what is decided last holds, and for no pass that was locked before
            kind="role",
            utterance_id="",
            sealed_payload=room.home.vault.seal(tape_id, json.dumps(payload).encode(), named_roles.PAYLOAD_FIELD),
            undoes=last[0] if undo and last else None,
        )
        database.add(row)
        audit_log.record(database, now, viewer.person_id, "correction.role", tape_id, thing=row.id)
    return seeing(f"/tapes/{tape_id}/voices" if undo else f"/tapes/{tape_id}", "saved")


def _result_files(database: Session, home: Home, tape_id: str) -> dict[str, bytes]:
    """The result files as the run wrote them: name -> content."""
    items = database.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind.in_(results.FILES)))
    return {item.kind: home.vault.read(item) for item in items}


def _named(speakers: Sequence[TapeVoice], interviewer: str | None, roles: Mapping[str, Role]) -> dict[str, Role]:
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
    named: dict[str, Role] = dict.fromkeys(others, "unknown")
    named |= dict.fromkeys(others[:1], "client")
    return named | {interviewer: "interviewer"}


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


def _ready(database: Session, viewer: SignedIn, tape_id: str, now: int) -> Tape:
    return authorization.in_state(authorization.own_tape(database, viewer, tape_id, "play", now), "ready")


def heard_right(database: Session, home: Home, tape: Tape) -> bool:
    """Whether the machine's codes are for the roles that somebody named: taken right, or made again for them."""
    named = named_roles.named_roles(database, home, tape.id)
    if named is None or "pretags" in named[1]:
        return True
    taken = tape.speakers.get("roles", {})
    return all(
        (role == "interviewer") == (taken.get(voice) == "interviewer") for voice, role in named[1]["roles"].items()
    )
