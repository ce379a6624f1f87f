"""Uploads: a recording comes in pieces, each encrypted as it arrives, and goes on where it was cut.

::

    draft ──PUT piece──> vault: "upload:000000000000", "upload:000004194304", … ──last piece──> vault: "recording"

A piece is whatever arrived before the connection ended or the piece was full. The first bytes are looked at at once,
the whole file by the decoder (in its sandbox) when all is there. Only then does it take the place of an earlier one: a
refused file leaves nothing of itself behind, and whatever else is here stays.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ColumnElement, delete, or_, select

from pipeline.audio import recording as audio
from pipeline.audio import sniff
from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.errors import AudioError, ReviewError
from pipeline.review.upload import quotas, surveys
from pipeline.review.upload.surveys import Survey
from pipeline.settings import AudioSettings
from pipeline.tapes import audit_log
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import Item, Tape, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.intake.submission import FORM
from pipeline.tapes.jobs.steps import COMBINED, SURVEY, TRACKS, recording_kind
from pipeline.tapes.vault.scratch import named
from pipeline.tapes.vault.stage_store import item_row
from pipeline.tapes.vault.vault import StoredItem as Put

PIECE = 4 << 20
"""Bytes that are kept in memory before they go to the vault."""

MOST_FILES = 2
"""Files of one recording: one per person, or two parts."""

SCAN_MB = 20
"""Megabytes of a scanned form at most."""

SCANS = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
"""How the files begin that a scanned form may be: PDF, PNG, JPEG, TIFF."""

UPLOAD, FORM_UPLOAD = "upload:", "form:"
"""How the kinds of pieces begin: of an upload that goes on where it was cut, and of one that a form sends at once."""

_HEAD = 64  # bytes: a file of fewer is too short to be called no recording before its end
_EARLY_MS, _EARLY_PIECES = 20_000, 4  # the beginning that is listened to while the rest is still on its way
_BESIDE = {SURVEY, COMBINED, TRACKS}
_checking = threading.Lock()
"""One recording is decoded at a time: an hour of it takes some hundred MB."""


def by_form() -> str:
    """How the kinds of the pieces begin that one form sends."""
    return f"{FORM_UPLOAD}{new_id()}:"


def pieces_of(file: int) -> str:
    """How the kinds of the pieces of a recording's file begin, which is counted from 1."""
    return UPLOAD if file == 1 else f"upload{file}:"


def offset(home: Home, tape_id: str, file: int = 1) -> int:
    """How many bytes of a recording's file are here."""
    with home.database.reading() as database:
        query = select(Item.size).where(Item.tape_id == tape_id, Item.kind.startswith(pieces_of(file)))
        return sum(database.scalars(query))


def keep(
    home: Home, tape_id: str, start: int, content: bytes, now: int, upload: str = UPLOAD, quota: int | None = None
) -> int:
    """Encrypt and keep the bytes from ``start`` on; how many are here then.

    Parameters
    ----------
    upload: how the kinds of its pieces begin. quota: bytes that the interviewer's drafts may hold together.

    Raises
    ------
    AudioError: A04 the first bytes are those of no sound file.
    ReviewError: R02 they do not follow what is here, R09 the interviewer's drafts hold too much, or too many pieces.
    """
    if not content:
        return start
    if start == 0:
        _look(content)
    put = home.vault.put(tape_id, f"{upload}{start:012d}", content)
    try:
        with home.database.writing() as database:
            query = select(Item.size).where(Item.tape_id == tape_id, Item.kind.startswith(upload))
            sizes = database.scalars(query).all()
            tape = database.get_one(Tape, tape_id)
            if sum(sizes) != start or tape.state != "draft":
                raise out_of_step(tape_id, sum(sizes))
            quotas.require_pieces(len(sizes) + 1)
            if quota is not None:
                quotas.require_space(database, tape.interviewer_id, len(content), quota)
            database.add(item_row(put, now))
    except BaseException:
        home.vault.remove(put)
        raise
    return start + len(content)


def out_of_step(tape_id: str, received: int) -> ReviewError:
    """The error for a piece that does not follow."""
    return ReviewError("R02", f"upload for tape {tape_id}", f"continues at byte {received}", "send from there")


def beyond() -> ReviewError:
    """The error for a piece that goes on beyond the size that was announced."""
    remedy = "reload the page, and start over with the file that you want to upload"
    return ReviewError("R02", "recording", "is larger than announced", remedy)


def too_large(limit_mb: int) -> ReviewError:
    """The error for a recording beyond the limit."""
    remedy = f"send a recording of up to {limit_mb} MB: cut it, or export it as Opus, M4A or MP3"
    return ReviewError("R01", "recording", f"is larger than {limit_mb} MB", remedy)


def finish(
    home: Home, settings: AudioSettings, tape_id: str, now: int, upload: str = UPLOAD, file: int = 1
) -> Survey | None:
    """Join the pieces, look the recording over, and keep it in place of an earlier one; refused pieces are removed.

    Returns its survey; None where the member has to say something first: which sound track, or how the second ``file``
    and the first belong together. Who lost the answer to the last piece asks again, perhaps while the first request is
    still here: it is waited for.

    Raises
    ------
    AudioError: A01 to A15.
    ReviewError: R02 the part of an earlier recording was chosen meanwhile.
    """
    with _checking:
        with home.database.reading() as database:
            query = select(Item).where(Item.tape_id == tape_id, Item.kind.startswith(upload)).order_by(Item.kind)
            pieces = list(database.scalars(query))
        if not pieces:
            if upload == pieces_of(file) and recording_kind(file) in {item.kind for item in recordings(home, tape_id)}:
                return survey(home, tape_id)
            raise AudioError("A02", "recording", "is empty", "send another file")
        try:
            with home.vault.locks.working(tape_id), home.vault.scratch.file() as sound:
                _join(home, pieces, sound)
                contents = _looked_over(named(sound), settings, file)
                sound.seek(0)
                items = [home.vault.put(tape_id, recording_kind(file), sound)]
            items += [home.vault.put(tape_id, kind, content) for kind, content in contents.items()]
        except AudioError:
            drop(home, tape_id, upload)
            raise
        _replaced(home, tape_id, pieces, items, now, file)
    return survey(home, tape_id)


def _looked_over(path: Path, settings: AudioSettings, file: int) -> dict[str, bytes]:
    """The items that a file brings along, by kind: its survey, or the tracks of which one is to be chosen."""
    if file > 1:
        audio.duration(path, settings)
        return {}
    try:
        surveyed = surveys.of_paths([path], ONE_FILE, None, settings)
    except AudioError as error:
        if error.code != "TR-A16":
            raise
        return {TRACKS: surveys.packed_tracks(error)}
    return {SURVEY: surveyed.survey.packed()} | ({COMBINED: surveyed.sound} if surveyed.sound else {})


def _replaced(home: Home, tape_id: str, pieces: list[Item], items: list[Put], now: int, file: int) -> None:
    """Keep a whole file and what it brings along in place of its pieces and of an earlier one.

    Another first file takes the second along, and another second file asks anew how the two belong together.
    """
    kinds = _BESIDE | {recording_kind(number) for number in range(file, MOST_FILES + 1)}
    with home.database.writing() as database:
        tape = database.get_one(Tape, tape_id)
        is_draft = tape.state == "draft"
        gone = list(pieces)
        if is_draft:
            uploads = (Item.kind.startswith(pieces_of(number)) for number in range(file, MOST_FILES + 1))
            query = select(Item).where(Item.tape_id == tape_id, or_(Item.kind.in_(kinds), *uploads))
            gone += [item for item in database.scalars(query) if item.id not in {piece.id for piece in pieces}]
            database.add_all(item_row(item, now) for item in items)
            audit_log.record(database, now, tape.interviewer_id, "upload", tape_id, thing=items[0].id)
        database.execute(delete(Item).where(Item.id.in_([item.id for item in gone])))
    _remove(home, gone)
    if not is_draft:  # a job has the earlier recording by now
        for item in items:
            home.vault.remove(item)
        raise ReviewError("R02", f"upload for tape {tape_id}", "comes too late", "check the state of the tape")


def settle(
    home: Home, settings: AudioSettings, tape_id: str, layout: FileLayout, voice: str | None, now: int
) -> Survey:
    """Survey the files of a draft as a member says that they belong together, in place of an earlier survey.

    Raises
    ------
    AudioError: A01 to A18: then nothing has changed.
    ReviewError: R02 the part was chosen meanwhile.
    """
    with _checking:
        files = recordings(home, tape_id)
        surveyed = surveys.make(home, files, layout, voice, settings)
        items = [home.vault.put(tape_id, SURVEY, surveyed.survey.packed())]
        items += [home.vault.put(tape_id, COMBINED, surveyed.sound)] if surveyed.sound else []
        with home.database.writing() as database:
            is_draft = database.get_one(Tape, tape_id).state == "draft"
            query = select(Item).where(Item.tape_id == tape_id, Item.kind.in_((SURVEY, COMBINED)))
            gone = list(database.scalars(query)) if is_draft else []
            database.execute(delete(Item).where(Item.id.in_([item.id for item in gone])))
            database.add_all(item_row(item, now) for item in items if is_draft)
        for item in (*gone, *(() if is_draft else items)):
            home.vault.remove(item)
    if not is_draft:
        raise ReviewError("R02", f"upload for tape {tape_id}", "comes too late", "check the state of the tape")
    return surveyed.survey


def early_words(home: Home, settings: AudioSettings, tape_id: str, file: int) -> tuple[str, ...]:
    """Return what is wrong with the sound of an upload that still goes on: its level, and whether anybody speaks."""
    with home.database.reading() as database:
        chosen = Item.kind.startswith(pieces_of(file))
        query = select(Item).where(Item.tape_id == tape_id, chosen).order_by(Item.kind).limit(_EARLY_PIECES)
        pieces = list(database.scalars(query))
    if not pieces or not _checking.acquire(blocking=False):
        return ()
    try:
        with home.vault.locks.working(tape_id), home.vault.scratch.file() as sound:
            _join(home, pieces, sound)
            return surveys.early_words(named(sound), settings, _EARLY_MS)
    finally:
        _checking.release()


def keep_scan(home: Home, tape_id: str, content: bytes, now: int, quota: int) -> None:
    """Keep the scanned consent form of a draft in place of an earlier one.

    Raises
    ------
    ReviewError: R06 it is not a PDF or a picture, R09 the interviewer's drafts hold too much.
    """
    if not content.startswith(SCANS):
        raise ReviewError("R06", "consent form", "is not a PDF or a picture", "send a PDF, PNG, JPEG or TIFF file")
    put = home.vault.put(tape_id, FORM, content)
    try:
        with home.database.writing() as database:
            tape = database.get_one(Tape, tape_id)
            query = select(Item).where(Item.tape_id == tape_id, Item.kind == FORM)
            earlier = list(database.scalars(query))
            quotas.require_space(
                database, tape.interviewer_id, len(content) - sum(item.size for item in earlier), quota
            )
            database.add(item_row(put, now))
            database.flush()
            consent = consent_form.latest(database, tape_id)
            if consent is not None:
                consent.form_item_id = put.id
            database.flush()
            database.execute(delete(Item).where(Item.id.in_([item.id for item in earlier])))
            audit_log.record(database, now, tape.interviewer_id, "consent.form", tape_id, thing=put.id)
    except BaseException:
        home.vault.remove(put)
        raise
    _remove(home, earlier)


def has_scan(home: Home, tape_id: str) -> bool:
    """Whether the scanned consent form is here."""
    with home.database.reading() as database:
        query = select(Item.id).where(Item.tape_id == tape_id, Item.kind == FORM)
        return database.scalar(query.limit(1)) is not None


def survey(home: Home, tape_id: str) -> Survey | None:
    """Return the survey of a recording that is here whole; None where it is not, or a question is open."""
    content = _content(home, tape_id, SURVEY)
    return surveys.unpacked(content) if content else None


def tracks(home: Home, tape_id: str) -> tuple[surveys.TrackOption, ...]:
    """Return the sound tracks of which one is to be chosen; none where a recording has no such question."""
    content = _content(home, tape_id, TRACKS)
    return surveys.track_list(content) if content else ()


def recordings(home: Home, tape_id: str) -> list[Item]:
    """Return the files of a draft's recording that are here whole, in order."""
    kinds = [recording_kind(number) for number in range(1, MOST_FILES + 1)]
    with home.database.reading() as database:
        query = select(Item).where(Item.tape_id == tape_id, Item.kind.in_(kinds)).order_by(Item.kind)
        return list(database.scalars(query))


def recording(home: Home, tape_id: str) -> Item | None:
    """Return the sound of a draft's whole recording, to choose a part of it by ear."""
    with home.database.reading() as database:
        combined = select(Item).where(Item.tape_id == tape_id, Item.kind == COMBINED)
        if (item := database.scalar(combined)) is not None:
            return item
    return next(iter(recordings(home, tape_id)), None)


def discard(home: Home, tape_id: str, file: int = 1) -> None:
    """Remove the files that were uploaded for a draft, from one on."""
    numbers = range(file, MOST_FILES + 1)
    kinds = _BESIDE | {recording_kind(number) for number in numbers}
    pieces = [Item.kind.startswith(pieces_of(number)) for number in numbers]
    pieces += [Item.kind.startswith(FORM_UPLOAD)] if file == 1 else []
    _discard(home, Item.tape_id == tape_id, or_(Item.kind.in_(kinds), *pieces))


def _content(home: Home, tape_id: str, kind: str) -> bytes | None:
    with home.database.reading() as database:
        item = database.scalar(select(Item).where(Item.tape_id == tape_id, Item.kind == kind))
    return home.vault.read(item) if item else None


def drop(home: Home, tape_id: str, upload: str) -> None:
    """Remove the pieces of one upload."""
    _discard(home, Item.tape_id == tape_id, Item.kind.startswith(upload))


def drop_forms(home: Home, tape_id: str, before: int) -> None:
    """Remove what is left of forms whose server died while they were sent, before a moment."""
    _discard(home, Item.tape_id == tape_id, Item.kind.startswith(FORM_UPLOAD), Item.created_at < before)


def _discard(home: Home, *chosen: ColumnElement[bool]) -> None:
    with home.database.writing() as database:
        items = database.scalars(select(Item).where(*chosen)).all()
        database.execute(delete(Item).where(Item.id.in_([item.id for item in items])))
    _remove(home, items)


def _look(content: bytes) -> None:
    """Refuse at the first bytes what is no sound file; tags, zeros and junk in front may hide one until the end."""

    def read(start: int, count: int) -> bytes:
        return content[start : start + count]

    hidden = content.startswith((b"ID3", bytes(16)))
    if sniff.identify(read) is None and not (hidden or len(content) < _HEAD):
        raise sniff.refusal(read, "recording")


def _join(home: Home, pieces: Iterable[Item], file: BinaryIO) -> None:
    for piece in pieces:
        file.write(home.vault.read(piece))


def _remove(home: Home, items: Iterable[Item]) -> None:
    for item in items:
        home.vault.remove(item)
