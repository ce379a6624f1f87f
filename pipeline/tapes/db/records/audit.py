"""The audit: rows in a chain, and its signed head."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer

from pipeline.tapes.db.records.base import Mapped, Record, mapped_column


class AuditRow(Record):
    """Who did what to which tape, and why. Its hash covers the row before.

    ``source``: the address that a request came from. ``times``: how many alike it stands for; None for one.
    """

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[int]
    actor_id: Mapped[str | None] = mapped_column(default=None)
    action: Mapped[str]
    tape_id: Mapped[str | None] = mapped_column(index=True, default=None)
    thing: Mapped[str] = mapped_column(default="")
    span_start: Mapped[int | None] = mapped_column(default=None)
    span_end: Mapped[int | None] = mapped_column(default=None)
    why: Mapped[str] = mapped_column(default="")
    previous_hash: Mapped[str]
    hash: Mapped[str]
    source: Mapped[str | None] = mapped_column(default=None)
    times: Mapped[int | None] = mapped_column(default=None)


class AuditHead(Record):
    """The last row's number and hash, with a keyed hash over both: a chain that was cut off at its end shows."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str]
    mac: Mapped[str]
