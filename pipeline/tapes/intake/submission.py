"""How a tape comes in, and how it leaves when the client wants it back.

A recording is looked over before anything of it is kept. Then its key and files go into the vault, and after them, in
one transaction, all rows: a tape is there with its consent and its job, or it is not there. What a process left that
was killed on the way has no row, and is swept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from pipeline.audio import recording as audio
from pipeline.errors import ConsentError
from pipeline.files import Digesting
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.run import text_run
from pipeline.settings import Settings
from pipeline.tapes import audit_log, people, reserve
from pipeline.tapes.clock import Clock
from pipeline.tapes.clock import now as real_time
from pipeline.tapes.consent import consent, consent_form, target_behavior
from pipeline.tapes.consent.consent_form import Terms
from pipeline.tapes.db.records import Item, Person, Review, Tape, TapeTurn, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.steps import ASKED, RECORDING, WRITTEN, Asked
from pipeline.tapes.retention import destruction
from pipeline.tapes.vault.stage_store import item_row

FORM = "form"

_HALF_IMPORTED_AFTER = 600.0
"""Seconds after which what has no row is left over, not on its way."""


@dataclass(frozen=True)
class Submission:
    """A tape as a member hands it in.

    ``recording`` None hands in the ``transcript`` alone. Times are milliseconds within the recording. ``speakers`` None
    lets the machine count the voices; ``voice`` names the interviewer's, such as "S1". ``form`` is the scanned consent
    form, ``transcript`` one that somebody wrote.
    """

    recording: Path | None
    terms: Terms
    target_behavior: str
    group: str
    interviewer: str
    start: int | None = None
    end: int | None = None
    speakers: int | None = 2
    voice: str | None = None
    form: Path | None = None
    transcript: WrittenTranscript | None = None


def submit(
    home: Home, settings: Settings, given: Submission, actor_id: str | None = None, clock: Clock = real_time
) -> str:
    """Take a tape in and queue its job; the tape's id.

    Raises
    ------
    AudioError: A01 to A15, the recording is not one. TableError: T08 a transcript alone does not tell who speaks.
    ConsentError: D07, D11. TapesError: K07 group or person unknown.
    VaultError: V08 it cannot be stored. JobError: J05 the queue cannot be used: the job waits in the records.
    """
    if given.recording is not None:
        audio.decode(given.recording, settings.audio, given.start, given.end)
    elif given.transcript is not None:
        text_run.require_speakers(given.transcript)
    else:
        raise ValueError("neither a recording nor a transcript is given")
    tape_id = new_id()
    with _stored(home, tape_id):
        items = []
        if given.recording is not None:
            with given.recording.open("rb") as file:
                recording = Digesting(file)
                items.append(home.vault.put(tape_id, RECORDING, recording))
            asked = Asked(recording.digest(), given.start, given.end, given.speakers, given.voice)
            items.append(home.vault.put(tape_id, ASKED, asked.packed()))
        if given.transcript is not None:
            items.append(home.vault.put(tape_id, WRITTEN, given.transcript.packed()))
        if given.form is not None:
            items.append(home.vault.put(tape_id, FORM, given.form))
        with home.database.writing() as session:
            now = clock()
            group, interviewer = people.find_group(session, given.group), people.find(session, given.interviewer)
            tape = Tape(
                id=tape_id,
                group_id=group.id,
                interviewer_id=interviewer.id,
                state="queued",
                created_at=now,
                start_ms=given.start,
                end_ms=given.end,
                from_text=given.recording is None,
            )
            session.add(tape)
            session.flush()
            session.add_all(item_row(item, now) for item in items)
            session.flush()
            form_item = next((item.id for item in items if item.kind == FORM), None)
            granted = consent_form.give(session, tape, given.terms, now, actor_id, form_item)
            if group.id not in granted.group_ids and not granted.person_ids:
                remedy = "name the group in the consent, or submit the tape to one that it names"
                raise ConsentError("D07", f"consent for group {group.name!r}", "does not name this group", remedy)
            session.flush()
            consent.allows(session, None, "store", tape, now).require()
            consent.allows(session, None, "process", tape, now).require()
            target_behavior.name(session, home.vault, tape_id, given.target_behavior, now)
            session.add(Review(tape_id=tape_id, stage="interviewer"))
            session.add(TapeTurn(group_id=group.id, person_id=interviewer.id, at=now))
            job = job_state.add(session, tape_id, now)
            audit_log.record(session, now, actor_id, "tape.submit", tape_id)
    queue = job_state.queue_of(home)
    try:
        queue.create()
        job_state.enqueue(home, queue, job)
    finally:
        queue.close()
    return tape_id


@contextmanager
def _stored(home: Home, tape_id: str) -> Iterator[None]:
    """A tape's key and files, that go again where something fails before their rows are there."""
    home.vault.create_key(tape_id)
    try:
        yield
    except BaseException:
        home.vault.destroy_key(tape_id)
        home.vault.destroy_files(tape_id)
        raise


def half_imported(home: Home, older_than: float = _HALF_IMPORTED_AFTER) -> list[str]:
    """The tapes that have a key but no row, because whoever submitted them was killed."""
    with home.database.reading() as session:
        known = set(session.scalars(select(Tape.id)))
    limit = time.time() - older_than
    keys = home.vault.tape_keys.folder
    return [tape_id for tape_id in home.vault.tapes() if tape_id not in known and _made(keys / tape_id) < limit]


def rowless(home: Home, older_than: float = _HALF_IMPORTED_AFTER) -> list[Path]:
    """The vault's files that have no row, because whoever put them there was killed."""
    limit = time.time() - older_than
    files = [path for tape_id in home.vault.tapes() for path in home.vault.files(tape_id) if _made(path) < limit]
    with home.database.reading() as session:
        known = set(session.scalars(select(Item.id)))
    return [path for path in files if path.name not in known]


def sweep(home: Home, older_than: float = _HALF_IMPORTED_AFTER) -> int:
    """Remove both; how many."""
    half = half_imported(home, older_than)
    for tape_id in half:
        home.vault.destroy_key(tape_id)
        home.vault.destroy_files(tape_id)
    files = rowless(home, older_than)
    for path in files:
        path.unlink(missing_ok=True)
    return len(half) + len(files)


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


def withdraw(
    home: Home, tape_id: str, person: Person | None = None, why: str = "client", clock: Clock = real_time
) -> None:
    """The client wants the tape back: its access, its work and its life end in one transaction.

    From its commit on the tape is withdrawn and being destroyed; `destruction.resume` removes what is left of it, in
    whichever process comes first.

    Raises
    ------
    ConsentError: D01 destroyed, D08 it is not for this person to do.
    """

    def withdrawn() -> None:
        with home.database.writing() as session:
            now = clock()
            tape = session.get(Tape, tape_id)
            if tape is None:
                raise ConsentError("D01", f"tape {tape_id}", "is unknown or destroyed", "see `tape-review status`")
            consent.allows(session, person, "withdraw", tape, now).require()
            actor_id = person.id if person else None
            consent_form.withdraw(session, tape, now, actor_id, why)
            destruction.start(session, tape, "withdrawn", now, actor_id)

    reserve.spent_on(home.folder, withdrawn)
