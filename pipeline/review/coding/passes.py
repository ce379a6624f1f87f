"""Passes: starting one, storing what its coder does, locking it.

A change is stored once, however often it is sent: its name, which the page makes up, is unique within the pass. Times
of a pass's changes never repeat, so that their order is theirs.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func, select

from pipeline.coding.codebook import Codebook
from pipeline.review.coding import blindness
from pipeline.review.coding.admission import Admitted
from pipeline.review.coding.events import Event, fold
from pipeline.review.coding.transcripts import PAYLOAD
from pipeline.tapes.records import AuditRow, CodeEvent, Correction, Membership, Pass, Pretag, Utterance

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_~+.-]{1,80}$")]
Kind = Literal["code", "text", "speaker", "merge", "split", "mask"]

SEEN = "codes.show"
"""What the audit calls it when somebody sees other people's codes."""

_WORDS = 200


class Change(BaseModel):
    """One change as a page sends it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name
    kind: Kind
    utterance_id: Name
    undoes: Name | None = None
    action: Literal["set", "clear", "unsure"] = "set"
    codes: list[Name] = Field(default_factory=list, max_length=40)
    audio_ms: int | None = Field(default=None, ge=0, le=2**40)
    payload: dict[str, Any] = Field(default_factory=dict)


class Changes(BaseModel):
    """What a page sends at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: list[Change] = Field(max_length=200)


def start(admitted: Admitted, book: Codebook, codebook: str, task: str) -> Pass:
    """A new pass; whoever has seen other people's codes on this tape before is not blind to them."""
    seen = select(AuditRow.seq).where(
        AuditRow.tape_id == admitted.tape.id, AuditRow.actor_id == admitted.person.id, AuditRow.action == SEEN
    )
    coaches = select(Membership.id).where(
        *(Membership.person_id == admitted.person.id, Membership.group_id == admitted.tape.group_id),
        *(Membership.role == "coach", Membership.until.is_(None)),
    )
    made = Pass(
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        layer="coach" if admitted.session.scalars(coaches.limit(1)).first() else "member",
        codebook=codebook,
        codebook_version=book.version,
        task=task,
        blind=admitted.session.scalars(seen.limit(1)).first() is None,
        seed=secrets.randbelow(2**31),
        started_at=admitted.now,
    )
    admitted.session.add(made)
    admitted.session.flush()
    admitted.record("pass.start", made.id)
    return made


def hidden(admitted: Admitted, one: Pass) -> frozenset[str]:
    """The utterances whose suggestion this pass does not show; none once it is locked."""
    if one.locked_at is not None:
        return frozenset()
    ids = admitted.session.scalars(select(Utterance.utterance_id).where(Utterance.tape_id == admitted.tape.id)).all()
    return blindness.hidden(one.seed, ids)


def events(admitted: Admitted, one: Pass) -> list[CodeEvent]:
    """A pass's events in order of time."""
    query = select(CodeEvent).where(CodeEvent.pass_id == one.id).order_by(CodeEvent.at, CodeEvent.id)
    return list(admitted.session.scalars(query))


def folded(admitted: Admitted, one: Pass) -> dict[str, Any]:
    """Utterance -> what it carries in a pass."""
    return dict(fold(as_event(event) for event in events(admitted, one)))


def as_event(row: CodeEvent) -> Event:
    """A row as the fold takes it, under the name that its page gave it."""
    prefix = f"{row.pass_id}:"
    undoes = row.undoes.removeprefix(prefix) if row.undoes else None
    return Event(
        row.client_event_id.removeprefix(prefix), row.utterance_id, row.action, tuple(row.codes), undoes
    )


def store(admitted: Admitted, one: Pass, book: Codebook, changes: Sequence[Change]) -> list[dict[str, str]]:
    """Store what is new; the ones that cannot be, and why."""
    session = admitted.session
    coded = {f"{one.id}:{change.id}" for change in changes if change.kind == "code"}
    mended = {correction_id(admitted, change.id) for change in changes if change.kind != "code"}
    known = set(session.scalars(select(CodeEvent.client_event_id).where(CodeEvent.client_event_id.in_(coded))))
    known |= set(session.scalars(select(Correction.id).where(Correction.id.in_(mended))))
    at = _after(admitted, one)
    unseen = hidden(admitted, one)
    tagged = set(session.scalars(select(Pretag.utterance_id).where(Pretag.tape_id == admitted.tape.id)))
    codes = {code.name for code in book.codes}
    refused = []
    for change in changes:
        name = f"{one.id}:{change.id}" if change.kind == "code" else correction_id(admitted, change.id)
        if name in known:
            continue
        reason = _wrong(change, codes) or _unmasks(admitted, change)
        if reason:
            refused.append({"id": change.id, "reason": reason})
            continue
        known.add(name)
        at += 1
        if change.kind == "code":
            shown = change.utterance_id in tagged and change.utterance_id not in unseen
            session.add(_event(admitted, one, change, name, at, shown))
        else:
            session.add(_correction(admitted, change, name, at))
        admitted.record(f"change.{change.kind}", one.id, (change.audio_ms or 0,) * 2 if change.kind == "code" else None)
    return refused


def lock(admitted: Admitted, one: Pass) -> None:
    """End a pass: its codes stay as they are, and its coder may see the others'."""
    if one.locked_at is None:
        one.locked_at = admitted.now
        admitted.record("pass.lock", one.id)


def correction_id(admitted: Admitted, name: str) -> str:
    """A correction's id: one's own names cannot meet another's."""
    return f"{name}-{admitted.person.id}"


def own_corrections(admitted: Admitted) -> list[tuple[str, str, str, str | None]]:
    """Name, kind, utterance and what it takes back, of each of one's own corrections in order of time."""
    query = select(Correction).where(
        Correction.tape_id == admitted.tape.id, Correction.person_id == admitted.person.id
    )
    end = f"-{admitted.person.id}"
    return [
        (row.id.removesuffix(end), row.kind, row.utterance_id, row.undoes.removesuffix(end) if row.undoes else None)
        for row in admitted.session.scalars(query.order_by(Correction.at, Correction.id))
    ]


def _after(admitted: Admitted, one: Pass) -> int:
    """The time of the last change that must come before: the pass's codes, the tape's corrections."""
    session = admitted.session
    last = session.scalar(select(func.max(CodeEvent.at)).where(CodeEvent.pass_id == one.id)) or 0
    mended = session.scalar(select(func.max(Correction.at)).where(Correction.tape_id == admitted.tape.id)) or 0
    return max(last, mended, admitted.now - 1)


def _wrong(change: Change, codes: set[str]) -> str:
    if change.kind == "code":
        unknown = [code for code in change.codes if code not in codes]
        return f"the codebook has no code {unknown[0]}" if unknown else ""
    payload = change.payload
    if change.undoes is not None or change.kind in ("speaker", "merge"):
        return "" if not payload or change.undoes is not None else "it says too much"
    if change.kind == "split":
        return "" if set(payload) == {"word_id"} and _is_name(payload["word_id"]) else "it names no word"
    if change.kind == "mask":
        fits = set(payload) == {"words", "on"} and _names(payload["words"]) and isinstance(payload["on"], bool)
        return "" if fits else "it names no words"
    texts = payload.get("with")
    fits = set(payload) == {"replace", "after", "with"} and _names(payload["replace"])
    fits = fits and (payload["after"] is None or _is_name(payload["after"]))
    fits = fits and isinstance(texts, list) and len(texts) <= _WORDS
    return "" if fits and all(isinstance(text, str) and 0 < len(text) <= 200 for text in texts or ()) else "no words"


def _unmasks(admitted: Admitted, change: Change) -> str:
    """Only the interviewer, who knows the names, shows them again."""
    shows = change.kind == "mask" and change.undoes is None and not change.payload["on"]
    return "only the interviewer shows a masked name" if shows and not admitted.is_interviewer else ""


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 80


def _names(values: Any) -> bool:
    return isinstance(values, list) and len(values) <= _WORDS and all(_is_name(value) for value in values)


def _event(admitted: Admitted, one: Pass, change: Change, name: str, at: int, shown: bool) -> CodeEvent:
    return CodeEvent(
        tape_id=admitted.tape.id,
        pass_id=one.id,
        person_id=admitted.person.id,
        utterance_id=change.utterance_id,
        at=at,
        audio_ms=change.audio_ms,
        action=change.action,
        codes=list(dict.fromkeys(change.codes)),
        pretag_shown=shown,
        client_event_id=name,
        undoes=f"{one.id}:{change.undoes}" if change.undoes else None,
    )


def _correction(admitted: Admitted, change: Change, name: str, at: int) -> Correction:
    sealed = admitted.home.vault.seal(admitted.tape.id, json.dumps(change.payload).encode(), PAYLOAD)
    return Correction(
        id=name,
        tape_id=admitted.tape.id,
        person_id=admitted.person.id,
        at=at,
        kind=change.kind,  # type: ignore[arg-type]
        utterance_id=change.utterance_id,
        sealed_payload=sealed,
        undoes=correction_id(admitted, change.undoes) if change.undoes else None,
    )
