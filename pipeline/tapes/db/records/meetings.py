"""How a group goes through a tape: the interviewer first, strengths first, at most one suggestion."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ForeignKey, Index, UniqueConstraint

from pipeline.tapes.db.records.base import Mapped, Record, Sealed, key, mapped_column, of, one_of, tape_id

FeedbackKind = Literal["strength", "suggestion"]


class Review(Record):
    """The group's work on one tape."""

    __tablename__ = "reviews"
    __table_args__ = (UniqueConstraint("tape_id"),)

    id: Mapped[str] = key()
    tape_id: Mapped[str] = of("tapes.id", index=False, dies_with=True)
    stage: Mapped[str]
    interviewer_done_at: Mapped[int | None] = mapped_column(default=None)
    waived_at: Mapped[int | None] = mapped_column(default=None)
    closed_at: Mapped[int | None] = mapped_column(default=None)


class Form(Record):
    """A filled-in form: session review, self-appraisal, a global rating."""

    __tablename__ = "forms"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    person_id: Mapped[str] = of("people.id")
    kind: Mapped[str]
    sealed_answers: Mapped[Sealed]
    at: Mapped[int]


class Feedback(Record):
    """One strength or one suggestion from one person."""

    __tablename__ = "feedback"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    person_id: Mapped[str] = of("people.id")
    kind: Mapped[FeedbackKind] = one_of(FeedbackKind, "kind")
    sealed_text: Mapped[Sealed]
    position: Mapped[int] = mapped_column(default=0)
    at: Mapped[int]
    moment: Mapped[int | None] = mapped_column(default=None)


class TapeNote(Record):
    """A member's note on a moment of a tape: theirs alone until they share it.

    ``moment``, here and in feedback: milliseconds of the tape; of one coded from text, the number of an utterance.
    """

    __tablename__ = "notes"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    person_id: Mapped[str] = of("people.id")
    moment: Mapped[int]
    sealed_text: Mapped[Sealed]
    at: Mapped[int]
    shared_at: Mapped[int | None] = mapped_column(default=None)


class Meeting(Record):
    """The group comes together, often over one tape.

    ``location``: a place, or the address of a video call. ``sequence`` counts the changes that calendars must know, and
    ``changed_at`` is the last of them.
    """

    __tablename__ = "meetings"
    __table_args__ = (Index("ix_meetings_group_id_at", "group_id", "at"),)

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    at: Mapped[int]
    minutes: Mapped[int] = mapped_column(default=90)
    tape_id: Mapped[str | None] = mapped_column(ForeignKey("tapes.id", ondelete="SET NULL"), index=True, default=None)
    sealed_notes: Mapped[Sealed | None] = mapped_column(default=None)
    ended_at: Mapped[int | None] = mapped_column(default=None)
    location: Mapped[str] = mapped_column(default="")
    sequence: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[int] = mapped_column(default=0)


class CalendarFeed(Record):
    """A secret address at which somebody's calendar reads a group's meetings; known by the hash of its token."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (UniqueConstraint("person_id", "group_id"),)

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = of("people.id", index=False)
    group_id: Mapped[str] = of("groups.id")
    made_at: Mapped[int]


class MeetingRole(Record):
    """Who takes which role at one meeting; roles rotate."""

    __tablename__ = "meeting_roles"

    id: Mapped[str] = key()
    meeting_id: Mapped[str] = of("meetings.id", dies_with=True)
    person_id: Mapped[str] = of("people.id")
    role: Mapped[str]


class TapeTurn(Record):
    """Somebody brought a tape to a group. It names no tape and outlives it: whose tape is next depends on it."""

    __tablename__ = "tape_turns"

    id: Mapped[str] = key()
    group_id: Mapped[str] = of("groups.id")
    person_id: Mapped[str] = of("people.id")
    at: Mapped[int]
