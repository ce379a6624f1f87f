"""Practice before the first tape: calibration tapes of a group, and what members coded on calibration tapes."""

from __future__ import annotations

from sqlalchemy import JSON

from pipeline.tapes.db.records.base import Mapped, Record, key, mapped_column, of, one_of, tape_id
from pipeline.tapes.db.records.coding import Action


class CalibrationTape(Record):
    """A tape of the group whose consensus newcomers can be measured by; it ends with the tape, or when a coach says
    so."""

    __tablename__ = "calibration_tapes"

    id: Mapped[str] = key()
    tape_id: Mapped[str] = tape_id()
    codebook: Mapped[str]
    chosen_by_id: Mapped[str | None] = of("people.id", optional=True)
    chosen_at: Mapped[int]
    ended_at: Mapped[int | None] = mapped_column(default=None)


class CalibrationPass(Record):
    """One person's way through a calibration tape: a role-play that comes with the program, by its name, or a tape of
    the group. It is no pass of the tape, so that no figure of the group can hold it."""

    __tablename__ = "calibration_passes"

    id: Mapped[str] = key()
    person_id: Mapped[str] = of("people.id")
    script: Mapped[str] = mapped_column(default="")
    calibration_id: Mapped[str | None] = of("calibration_tapes.id", optional=True, dies_with=True)
    codebook: Mapped[str]
    codebook_version: Mapped[str]
    blind: Mapped[bool] = mapped_column(default=True)
    started_at: Mapped[int]
    locked_at: Mapped[int | None] = mapped_column(default=None)


class CalibrationEvent(Record):
    """A code given, taken away or doubted in a calibration pass."""

    __tablename__ = "calibration_events"

    id: Mapped[str] = key()
    pass_id: Mapped[str] = of("calibration_passes.id", dies_with=True)
    utterance_id: Mapped[str]
    at: Mapped[int]
    action: Mapped[Action] = one_of(Action, "action")
    codes: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
    client_event_id: Mapped[str] = mapped_column(unique=True)
    undoes: Mapped[str | None] = mapped_column(default=None)
