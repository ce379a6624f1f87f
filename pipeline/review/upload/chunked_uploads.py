"""Uploads: a recording comes in pieces, each encrypted as it arrives, and goes on where it was cut.

::

    draft ──PUT piece──> vault: "recording@000000000000", "recording@000004194304", …  ──last piece──> it is whole

A piece is whatever arrived before the connection ended or the piece was full. The first bytes are looked at at once,
the whole file by the decoder (in its sandbox, which reads the pieces from the vault) when all is there. Only then does
it take the place of an earlier one: the pieces stay as they are, and their rows say that they are whole. A refused file
leaves nothing of itself behind, and whatever else is here stays.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, and_, delete, or_, select, update

from pipeline.audio import recording as audio
from pipeline.audio import sniff
from pipeline.audio.file_layout import MOST_FILES, ONE_FILE, FileLayout
from pipeline.audio.file_times import FileTimes
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import AudioError, ReviewError
from pipeline.review.upload import quotas, surveys
from pipeline.review.upload.surveys import Survey
from pipeline.settings import AudioSettings
from pipeline.tapes import audit_log
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import Item, Tape, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.intake.submission import FORM
from pipeline.tapes.jobs.recording_files import in_order, recording_kind, times_kind, whole_files
from pipeline.tapes.jobs.steps import COMBINED, SURVEY, TRACKS
from pipeline.tapes.jobs.suggestions import of_suggestion
from pipeline.tapes.vault.joined_items import JoinedItems
from pipeline.tapes.vault.stage_store import item_row
from pipeline.tapes.vault.vault import StoredItem as Put

PIECE = 4 << 20
"""Bytes that are kept in memory before they go to the vault."""

SCAN_MB = 20
"""Megabytes of a scanned form at most."""

SCANS = (b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
"""How the files begin that a scanned form may be: PDF, PNG, JPEG, TIFF."""

UPLOAD, FORM_UPLOAD = "pieces", "form:"
"""The upload of a file that goes on where it was cut, and how those begin that a form sends at once."""

_HEAD = 64  # bytes: a file of fewer is too short to be called no recording before its end
_EARLY_MS, _EARLY_PIECES = 20_000, 4  # the beginning that is listened to while the rest is still on its way
_BESIDE = {SURVEY, COMBINED, TRACKS}
_checking = threading.Lock()
"""One recording is decoded at a time: to put several files together takes some hundred MB."""


def by_form() -> str:
    """The upload of one form."""
    return f"{FORM_UPLOAD}{new_id()}"


def offset(home: Home, tape_id: str, file: int = 1) -> int:
    """How many bytes of a recording's file are here that is still being sent."""
    with home.database.reading() as database:
        return sum(database.scalars(select(Item.size).where(Item.tape_id == tape_id, _of_upload(UPLOAD, file))))


def _of_file(file: int) -> ColumnElement[bool]:
    """The items of a recording's file, counted from 1."""
    return or_(Item.kind == recording_kind(file), Item.kind.startswith(f"{recording_kind(file)}@"))


def _of_upload(upload: str, file: int) -> ColumnElement[bool]:
    """The pieces of a file that one upload sends."""
    return and_(Item.upload == upload, _of_file(file))


def keep(
    home: Home,
    tape_id: str,
    start: int,
    content: bytes,
    now: int,
    upload: str = UPLOAD,
    file: int = 1,
    quota: int | None = None,
) -> int:
    """Encrypt and keep the bytes from ``start`` on; how many are here then.

    Parameters
    ----------
    file: which of the recording, from 1. quota: bytes that the interviewer's drafts may hold together.

    Raises
    ------
    AudioError: A04 the first bytes are those of no sound file.
    ReviewError: R02 they do not follow what is here, R09 the interviewer's drafts hold too much, or too many pieces.
    """
    if not content:
        return start
    if start == 0:
        _look(content)
    put = home.vault.put(tape_id, recording_kind(file, start), content)
    try:
        with home.database.writing() as database:
            sizes = database.scalars(select(Item.size).where(Item.tape_id == tape_id, _of_upload(upload, file))).all()
            tape = database.get_one(Tape, tape_id)
            if sum(sizes) != start or tape.state != "draft":
                raise out_of_step(tape_id, sum(sizes))
            quotas.require_pieces(len(sizes) + 1)
            if quota is not None:
                quotas.require_space(database, tape.interviewer_id, len(content), quota)
            database.add(item_row(put, now, upload))
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
    """Look the pieces over, and keep them as a whole in place of an earlier file; refused pieces are removed.

    Returns its survey; None where the member has to say something first: which sound track, or how this ``file``
    and the first belong together. Who lost the answer to the last piece asks again, perhaps while the first request is
    still here: it is waited for.

    Raises
    ------
    AudioError: A01 to A15.
    ReviewError: R02 the part of an earlier recording was chosen meanwhile.
    """
    with _checking:
        with home.database.reading() as database:
            query = select(Item).where(Item.tape_id == tape_id, _of_upload(upload, file)).order_by(Item.kind)
            pieces = list(database.scalars(query))
        if not pieces:
            if upload == UPLOAD and len(recordings(home, tape_id)) >= file:
                return survey(home, tape_id)
            raise AudioError("A02", "recording", "is empty", "send another file")
        try:
            with home.vault.locks.working(tape_id), JoinedItems(home.vault, pieces) as sound:
                contents = _looked_over(sound, settings, file)
            if file == 2:  # of a first file that stays alone, nobody asks when it began
                with JoinedItems(home.vault, recordings(home, tape_id)[0]) as first:
                    contents[times_kind(1)] = _packed(audio.times(first, settings))
            items = [home.vault.put(tape_id, kind, content) for kind, content in contents.items()]
        except AudioError:
            drop(home, tape_id, upload, file)
            raise
        _replaced(home, tape_id, pieces, items, now, file)
    return survey(home, tape_id)


def _looked_over(sound: SoundSource, settings: AudioSettings, file: int) -> dict[str, bytes]:
    """The items that a file brings along, by kind: its survey, or the tracks of which one is to be chosen."""
    if file > 1:
        return {times_kind(file): _packed(audio.times(sound, settings))}
    try:
        surveyed = surveys.of_files([sound], ONE_FILE, None, settings)
    except AudioError as error:
        if error.code != "TR-A16":
            raise
        return {TRACKS: surveys.packed_tracks(error)}
    return {SURVEY: surveyed.survey.packed()} | ({COMBINED: surveyed.sound} if surveyed.sound else {})


def _replaced(home: Home, tape_id: str, pieces: list[Item], beside: list[Put], now: int, file: int) -> None:
    """Keep a file's pieces as a whole, with what it brings along, in place of an earlier file.

    Another first file takes the others along, and another later file asks anew how they belong together.
    """
    numbers = range(file, MOST_FILES + 1)
    ours = [piece.id for piece in pieces]
    with home.database.writing() as database:
        tape = database.get_one(Tape, tape_id)
        is_draft = tape.state == "draft"
        gone = list(pieces)
        if is_draft:
            beside_files = {times_kind(number) for number in range(1 if file <= 2 else file, MOST_FILES + 1)}
            taken = or_(Item.kind.in_(_BESIDE | beside_files), of_suggestion(), *map(_of_file, numbers))
            query = select(Item).where(Item.tape_id == tape_id, taken, Item.id.not_in(ours))
            gone = [item for item in database.scalars(query) if not (item.upload or "").startswith(FORM_UPLOAD)]
            database.execute(update(Item).where(Item.id.in_(ours)).values(upload=None))
            database.add_all(item_row(item, now) for item in beside)
            audit_log.record(database, now, tape.interviewer_id, "upload", tape_id, thing=pieces[0].id)
        database.execute(delete(Item).where(Item.id.in_([item.id for item in gone])))
    _remove(home, gone)
    if not is_draft:  # a job has the earlier recording by now
        for item in beside:
            home.vault.remove(item)
        raise ReviewError("R02", f"upload for tape {tape_id}", "comes too late", "check the state of the tape")


def settle(
    home: Home,
    settings: AudioSettings,
    tape_id: str,
    layout: FileLayout,
    voice: str | None,
    now: int,
    order: tuple[int, ...] = (),
) -> Survey:
    """Survey the files of a draft as a member says that they belong together, in place of an earlier survey.

    ``order`` are the numbers of the files as they follow each other, where that is not the order in which they came.

    Raises
    ------
    AudioError: A01 to A18: then nothing has changed.
    ReviewError: R02 the part was chosen meanwhile.
    """
    with _checking:
        files = in_order(recordings(home, tape_id), order)
        surveyed = surveys.make(home, files, layout, voice, settings)
        items = [home.vault.put(tape_id, SURVEY, replace(surveyed.survey, order=order).packed())]
        items += [home.vault.put(tape_id, COMBINED, surveyed.sound)] if surveyed.sound else []
        with home.database.writing() as database:
            is_draft = database.get_one(Tape, tape_id).state == "draft"
            taken = or_(Item.kind.in_((SURVEY, COMBINED)), of_suggestion())
            query = select(Item).where(Item.tape_id == tape_id, taken)
            gone = list(database.scalars(query)) if is_draft else []
            database.execute(delete(Item).where(Item.id.in_([item.id for item in gone])))
            database.add_all(item_row(item, now) for item in items if is_draft)
        for item in (*gone, *(() if is_draft else items)):
            home.vault.remove(item)
    if not is_draft:
        raise ReviewError("R02", f"upload for tape {tape_id}", "comes too late", "check the state of the tape")
    return replace(surveyed.survey, order=order)


def early_words(home: Home, settings: AudioSettings, tape_id: str, file: int) -> tuple[str, ...]:
    """Return what is wrong with the sound of an upload that still goes on: its level, and whether anybody speaks."""
    with home.database.reading() as database:
        chosen = _of_upload(UPLOAD, file)
        query = select(Item).where(Item.tape_id == tape_id, chosen).order_by(Item.kind).limit(_EARLY_PIECES)
        pieces = list(database.scalars(query))
    if not pieces or not _checking.acquire(blocking=False):
        return ()
    try:
        with home.vault.locks.working(tape_id), JoinedItems(home.vault, pieces) as sound:
            return surveys.early_words(sound, settings, _EARLY_MS)
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


def recordings(home: Home, tape_id: str) -> list[list[Item]]:
    """Return the files of a draft's recording that are here whole, in order, each as its pieces."""
    with home.database.reading() as database:
        return whole_files(database.scalars(select(Item).where(Item.tape_id == tape_id)))


def sound(home: Home, tape_id: str) -> JoinedItems | None:
    """Open the sound of a draft's whole recording, to choose a part of it by ear."""
    with home.database.reading() as database:
        combined = database.scalar(select(Item).where(Item.tape_id == tape_id, Item.kind == COMBINED))
    pieces = [combined] if combined else next(iter(recordings(home, tape_id)), [])
    return JoinedItems(home.vault, pieces) if pieces else None


def discard(home: Home, tape_id: str, file: int = 1) -> None:
    """Remove the files that were uploaded for a draft, from one on, and what was said about them together."""
    numbers = range(file, MOST_FILES + 1)
    taken = [*map(_of_file, numbers), Item.kind.in_([times_kind(number) for number in numbers])]
    if file == 1 or len(recordings(home, tape_id)) >= file:
        taken += [Item.kind.in_(_BESIDE), of_suggestion()]
    _discard(home, Item.tape_id == tape_id, or_(*taken))


def file_times(home: Home, tape_id: str) -> list[FileTimes | None]:
    """Return how long each of several files is, and when it says that it was recorded."""
    contents = [_content(home, tape_id, times_kind(number + 1)) for number in range(len(recordings(home, tape_id)))]
    return [FileTimes(**json.loads(content)) if content else None for content in contents]


def _packed(times: FileTimes) -> bytes:
    return json.dumps(asdict(times)).encode()


def _content(home: Home, tape_id: str, kind: str) -> bytes | None:
    with home.database.reading() as database:
        item = database.scalar(select(Item).where(Item.tape_id == tape_id, Item.kind == kind))
    return home.vault.read(item) if item else None


def drop(home: Home, tape_id: str, upload: str, file: int = 1) -> None:
    """Remove the pieces of one upload."""
    _discard(home, Item.tape_id == tape_id, _of_upload(upload, file))


def drop_forms(home: Home, tape_id: str, before: int) -> None:
    """Remove what is left of forms whose server died while they were sent, before a moment."""
    _discard(home, Item.tape_id == tape_id, Item.upload.startswith(FORM_UPLOAD), Item.created_at < before)


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


def _remove(home: Home, items: Iterable[Item]) -> None:
    for item in items:
        home.vault.remove(item)
