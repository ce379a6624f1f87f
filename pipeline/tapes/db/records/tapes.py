"""Tapes, the permission under which they are kept, the files that belong to them, and their end."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, ForeignKey, Index, event, func, select
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapper, object_session, relationship

from pipeline.tapes.db.records.base import Mapped, Record, Sealed, key, mapped_column, of, one_of, tape_id

TapeState = Literal["draft", "queued", "running", "ready", "failed", "destroyed"]
Signature = Literal["written", "spoken_on_tape", "electronic"]
ConsentUse = Literal["group_review", "coach_check", "adapt_tagger"]
"""What a client can allow; each covers what `tapes.consent.consent` says."""


class Tape(Record):
    """One submitted recording segment, or a transcript without its sound.

    Two facts about it cannot be taken back, and the database itself refuses to (`tapes.db.schema`): that the client
    withdrew the permission (``withdrawn_at`` is not null), and that it is destroyed: dead for everybody from the moment
    its state says so, while its destruction removes what is left, the row last.
    """

    __tablename__ = "tapes"

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    interviewer_id: Mapped[str] = of("people.id")
    state: Mapped[TapeState] = one_of(TapeState, "state", default="draft")
    created_at: Mapped[int]
    start_ms: Mapped[int | None] = mapped_column(default=None)
    end_ms: Mapped[int | None] = mapped_column(default=None)
    duration_ms: Mapped[int | None] = mapped_column(default=None)
    # Who the machine heard: "roles" by voice, their "probability", and the "ghosts" among the voices.
    speakers: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    codebook: Mapped[str] = mapped_column(default="pretags")
    # Handed in as a transcript alone: it has no sound, and the times of its words are their places in the text.
    from_text: Mapped[bool] = mapped_column(default=False)
    withdrawn_at: Mapped[int | None] = mapped_column(default=None)


class Consent(Record):
    """The client's permission: for what, for whom, until when, and how it was signed. The client has a pseudonym only.

    Of a tape's consents the one with the highest ``number`` holds: clocks differ, the order of writing does not.
    """

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_order", "tape_id", "number", unique=True),)

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    uses: Mapped[list[str]]
    group_ids: AssociationProxy[list[str]] = association_proxy(
        "named_groups", "group_id", creator=lambda name: ConsentGroup(group_id=name), default_factory=list
    )
    person_ids: AssociationProxy[list[str]] = association_proxy(
        "named_people", "person_id", creator=lambda name: ConsentPerson(person_id=name), default_factory=list
    )
    destroy_by: Mapped[int]
    method: Mapped[str]
    signed_at: Mapped[int]
    signed_form: Mapped[Signature] = one_of(Signature, "signed_form")
    form_item_id: Mapped[str | None] = mapped_column(ForeignKey("items.id", ondelete="SET NULL"), default=None)
    pseudonym: Mapped[str]
    given_at: Mapped[int]
    number: Mapped[int] = mapped_column(init=False)
    named_groups: Mapped[list[ConsentGroup]] = relationship(
        init=False, cascade="all, delete-orphan", passive_deletes=True, order_by=lambda: ConsentGroup.group_id
    )
    named_people: Mapped[list[ConsentPerson]] = relationship(
        init=False, cascade="all, delete-orphan", passive_deletes=True, order_by=lambda: ConsentPerson.person_id
    )


class ConsentGroup(Record):
    """A group that a consent names. `tapes.checks.records` finds one that is not there."""

    __tablename__ = "consent_groups"

    consent_id: Mapped[str] = mapped_column(ForeignKey("consents.id", ondelete="CASCADE"), primary_key=True, init=False)
    group_id: Mapped[str] = mapped_column(primary_key=True, index=True)


class ConsentPerson(Record):
    """A person whom a consent names."""

    __tablename__ = "consent_people"

    consent_id: Mapped[str] = mapped_column(ForeignKey("consents.id", ondelete="CASCADE"), primary_key=True, init=False)
    person_id: Mapped[str] = mapped_column(primary_key=True, index=True)


@event.listens_for(Consent, "before_insert")
def _number(_: Mapper[Consent], connection: Connection, consent: Consent) -> None:
    """Put a consent behind those that its tape has. Writers take turns, so that no two get the same place."""
    written = connection.scalar(select(func.max(Consent.number)).where(Consent.tape_id == consent.tape_id)) or 0
    session = object_session(consent)
    coming = [
        row.number or 0
        for row in (session.new if session else ())
        if isinstance(row, Consent) and row.tape_id == consent.tape_id
    ]
    consent.number = max([written, *coming]) + 1


class TargetBehavior(Record):
    """The change that the session is about; the latest row holds."""

    __tablename__ = "target_behaviors"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    sealed_text: Mapped[Sealed]
    sealed_reason: Mapped[Sealed | None] = mapped_column(default=None)
    at: Mapped[int]


class Item(Record):
    """A file in the vault; the id names it.

    ``upload`` names the upload that it is a piece of, as long as that is not whole.
    """

    __tablename__ = "items"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    kind: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[int]
    upload: Mapped[str | None] = mapped_column(default=None)


class Job(Record):
    """The work on a tape, as its members see it."""

    __tablename__ = "jobs"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    workflow_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    stage: Mapped[str | None] = mapped_column(default=None)
    fraction: Mapped[float] = mapped_column(default=0.0)
    attempts: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class Worker(Record):
    """A process that works on jobs, and how often its heart has beaten."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    queues: Mapped[str]
    beats: Mapped[int]
    seen_at: Mapped[int]


class StageDuration(Record):
    """How many runs of a stage took at most so many seconds, and longer than the bound below; 0: longer than all."""

    __tablename__ = "stage_durations"

    stage: Mapped[str] = mapped_column(primary_key=True)
    bound: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int]
    total_ms: Mapped[int]


class Export(Record):
    """A copy that we wrote outside of the vault."""

    __tablename__ = "exports"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    path: Mapped[str]
    made_at: Mapped[int]


class Certificate(Record):
    """The signed word that a tape is destroyed; outlives it."""

    __tablename__ = "certificates"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = mapped_column(index=True)
    interviewer_id: Mapped[str | None] = mapped_column(default=None, index=True)
    """Who owes it to the client; not a reference, as accounts go and certificates stay."""
    at: Mapped[int]
    body: Mapped[str]
    signature: Mapped[bytes]


class Tombstone(Record):
    """A tape that must stay dead, whatever is restored."""

    __tablename__ = "tombstones"

    tape_id: Mapped[str] = mapped_column(primary_key=True)
    destroyed_at: Mapped[int]
    certificate: Mapped[str | None] = mapped_column(default=None)
