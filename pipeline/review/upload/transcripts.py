"""A transcript that a member brings to a draft: read when it comes, and kept encrypted as who says what."""

from __future__ import annotations

import threading

from sqlalchemy import delete, select

from pipeline.errors import FormatError, ReviewError, TableError
from pipeline.formats import transcript_process
from pipeline.formats.written_transcript import WrittenTranscript, unpacked
from pipeline.review.upload import quotas
from pipeline.run import text_run
from pipeline.tapes import audit_log
from pipeline.tapes.db.records import Item, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.jobs.steps import WRITTEN
from pipeline.tapes.vault.stage_store import item_row

MOST_MB = 5
"""Megabytes of a transcript's file at most: an hour of talk takes a tenth of one, a Word file with pictures more."""

_reading = threading.Lock()
"""One file is read at a time: what a hostile one takes, it takes once."""


def too_large() -> ReviewError:
    """The error for a file beyond the limit."""
    remedy = "save the words alone, as Word without pictures or as text"
    return ReviewError("R10", "transcript", f"the transcript is larger than {MOST_MB} MB", remedy)


def read(name: str, content: bytes) -> WrittenTranscript:
    """The transcript of a file, which its name says the kind of.

    Raises
    ------
    ReviewError: R10 it cannot be read as one, in words for a member.
    """
    try:
        with _reading:
            return transcript_process.read(name, content)
    except (FormatError, TableError) as error:
        value, remedy = f"the {error.thing} {error.value}", error.remedy
        if error.code in ("TR-F02", "TR-F04", "TR-F05"):
            value, remedy = "the file holds parts that could do harm, and was not opened", "save it as plain text"
        elif "`" in remedy or "--" in remedy:  # that is for who types commands
            remedy = "save it as Word (.docx), text, a spreadsheet or subtitles, with who speaks before each turn"
        raise ReviewError("R10", "transcript", value, remedy) from error


def require_speakers(written: WrittenTranscript) -> None:
    """Refuse to code a transcript without sound that does not tell who speaks.

    Raises
    ------
    ReviewError: R10, in words for a member.
    """
    try:
        text_run.require_speakers(written)
    except TableError as error:
        remedy = "write who speaks before each turn and upload it again, or bring the recording"
        value = f"without the sound, the transcript {error.value}".replace("whose role nothing tells", "only")
        raise ReviewError("R10", "transcript", value, remedy) from error


def keep(home: Home, tape_id: str, written: WrittenTranscript, now: int, quota: int) -> None:
    """Keep a transcript in place of an earlier one, encrypted with the tape's key.

    Raises
    ------
    ReviewError: R02 the tape is no draft any more, R09 the interviewer's drafts hold too much.
    """
    put = home.vault.put(tape_id, WRITTEN, written.packed())
    try:
        with home.database.writing() as database:
            tape = database.get_one(Tape, tape_id)
            if tape.state != "draft":
                raise ReviewError("R02", "transcript", "comes too late", "see how far the tape is")
            earlier = list(database.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind == WRITTEN)))
            more = put.size - sum(item.size for item in earlier)
            quotas.require_space(database, tape.interviewer_id, more, quota)
            database.execute(delete(Item).where(Item.id.in_([item.id for item in earlier])))
            database.add(item_row(put, now))
            audit_log.record(database, now, tape.interviewer_id, "upload.transcript", tape_id, thing=put.id)
    except BaseException:
        home.vault.remove(put)
        raise
    for item in earlier:
        home.vault.remove(item)


def stored(home: Home, tape_id: str) -> WrittenTranscript | None:
    """The transcript of a draft; None where none is here."""
    with home.database.reading() as database:
        item = database.scalar(select(Item).where(Item.tape_id == tape_id, Item.kind == WRITTEN))
    return unpacked(home.vault.read(item)) if item else None


def discard(home: Home, tape_id: str) -> None:
    """Take a draft's transcript back."""
    with home.database.writing() as database:
        if database.get_one(Tape, tape_id).state != "draft":
            return
        items = list(database.scalars(select(Item).where(Item.tape_id == tape_id, Item.kind == WRITTEN)))
        database.execute(delete(Item).where(Item.id.in_([item.id for item in items])))
    for item in items:
        home.vault.remove(item)
