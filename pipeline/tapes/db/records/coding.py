"""Transcripts, and what people and the machine said about them: words never change, events are only added."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import JSON, UniqueConstraint

from pipeline.tapes.db.records.base import Mapped, Record, Sealed, key, mapped_column, of, one_of, tape_id
from pipeline.timeline import Layer

CorrectionKind = Literal["text", "speaker", "merge", "split", "role", "mask"]
Action = Literal["set", "clear", "unsure"]


class Transcript(Record):
    """One engine's words, in a file of the vault."""

    __tablename__ = "transcripts"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    item_id: Mapped[str] = of("items.id", index=False, dies_with=True)
    engine: Mapped[str]
    created_at: Mapped[int]


class Utterance(Record):
    """Where an utterance lies, who speaks and in which language; what is said lies in the vault.

    ``language`` is empty on tapes of earlier versions, which took all speech for English.
    """

    __tablename__ = "utterances"
    __table_args__ = (UniqueConstraint("tape_id", "utterance_id"),)

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    utterance_id: Mapped[str]
    position: Mapped[int]
    turn_id: Mapped[str]
    role: Mapped[str]
    speaker: Mapped[str]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    language: Mapped[str] = mapped_column(default="")


class Pretag(Record):
    """The machine's proposal for an utterance."""

    __tablename__ = "pretags"
    __table_args__ = (UniqueConstraint("tape_id", "utterance_id"),)

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    utterance_id: Mapped[str]
    codes: Mapped[list[str]]
    probability: Mapped[float]
    needs_check: Mapped[bool]
    p: Mapped[dict[str, Any]]


class Correction(Record):
    """An overlay on the transcript; a later one may undo it."""

    __tablename__ = "corrections"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    person_id: Mapped[str] = of("people.id")
    at: Mapped[int]
    kind: Mapped[CorrectionKind] = one_of(CorrectionKind, "kind")
    utterance_id: Mapped[str]
    sealed_payload: Mapped[Sealed | None] = mapped_column(default=None)
    undoes: Mapped[str | None] = mapped_column(default=None)


class Pass(Record):
    """One coder's way through a tape."""

    __tablename__ = "passes"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    person_id: Mapped[str | None] = of("people.id", optional=True)
    layer: Mapped[Layer] = one_of(Layer, "layer")
    codebook: Mapped[str]
    codebook_version: Mapped[str]
    task: Mapped[str] = mapped_column(default="all")
    blind: Mapped[bool] = mapped_column(default=False)
    seed: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[int]
    locked_at: Mapped[int | None] = mapped_column(default=None)
    unlocked_at: Mapped[int | None] = mapped_column(default=None)


class PassView(Record):
    """Somebody else has seen codes of a locked pass, or a figure made from them: from then on the lock stays.

    Who it was is None for passes of the time before this was recorded.
    """

    __tablename__ = "pass_views"
    __table_args__ = (UniqueConstraint("pass_id", "person_id"),)

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    pass_id: Mapped[str] = of("passes.id", index=False, dies_with=True)
    person_id: Mapped[str | None] = of("people.id", optional=True)
    at: Mapped[int]


class GroupCodebook(Record):
    """A codebook that a group took in; once it is taken out, it is kept for the passes that use it."""

    __tablename__ = "codebooks"

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    sealed_text: Mapped[Sealed]
    added_by_id: Mapped[str | None] = of("people.id", optional=True)
    added_at: Mapped[int]
    removed_at: Mapped[int | None] = mapped_column(default=None)


class CodeEvent(Record):
    """A code given, taken away or doubted: by whom, when, at which moment of the sound, with or without the pre-tag."""

    __tablename__ = "code_events"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    pass_id: Mapped[str] = of("passes.id", dies_with=True)
    person_id: Mapped[str | None] = of("people.id", optional=True)
    utterance_id: Mapped[str]
    at: Mapped[int]
    audio_ms: Mapped[int | None] = mapped_column(default=None)
    action: Mapped[Action] = one_of(Action, "action")
    codes: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    pretag_shown: Mapped[bool] = mapped_column(default=False)
    client_event_id: Mapped[str] = mapped_column(unique=True)
    undoes: Mapped[str | None] = mapped_column(default=None)
