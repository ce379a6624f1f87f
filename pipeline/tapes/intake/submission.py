"""How a tape comes in, and how it leaves when the client wants it back.

There is one way in: `begin` records the consent and the target behavior of a `Submission`, `queue` the job once the
sound or the text is there. `tape-review submit` does both in one transaction (`submit`); the review room begins a
draft, takes its files, and queues it later.

A recording is looked over before anything of it is kept. Then its key and files go into the vault, and after them, in
one transaction, all rows: a tape is there with its consent and its job, or it is not there. What a process left that
was killed on the way has no row, and is swept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.audio import assembly, file_layout
from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.errors import ConsentError
from pipeline.files import Digesting
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.run import text_run
from pipeline.settings import Settings, with_terms
from pipeline.tapes import audit_log, group_terms, people, reserve
from pipeline.tapes.clock import Clock
from pipeline.tapes.clock import now as real_time
from pipeline.tapes.consent import consent, consent_form, target_behavior
from pipeline.tapes.consent.consent_form import Terms
from pipeline.tapes.db.records import Item, Job, Person, Review, Tape, TapeTurn, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.recording_files import recording_kind
from pipeline.tapes.jobs.steps import ASKED, WRITTEN, JobOptions
from pipeline.tapes.retention import destruction
from pipeline.tapes.vault.stage_store import item_row
from pipeline.timeline import Role

FORM = "form"

_HALF_IMPORTED_AFTER = 600.0
"""Seconds after which what has no row is left over, not on its way."""


@dataclass(frozen=True)
class Submission:
    """A tape as a member hands it in.

    ``recordings`` are the files of one recording, and ``layout`` says how they belong together; without any, the
    ``transcript`` alone is handed in; a draft has neither yet. Times are milliseconds within the recording.
    ``speakers`` None lets the machine count the voices; ``voice`` names the interviewer's, such as "S1", ``roles`` says
    who each voice is instead, and ``diarizer`` "channels" takes each file or channel for one voice. ``form`` is the
    scanned consent form, ``transcript`` one that somebody wrote. ``listen_for`` are names and terms that may be spoken
    besides those of the group.
    ``language`` is the code of the one spoken, or "auto"; None leaves it to the settings.
    """

    recordings: tuple[Path, ...]
    terms: Terms
    target_behavior: str
    group: str
    interviewer: str
    start: int | None = None
    end: int | None = None
    speakers: int | None = 2
    voice: str | None = None
    roles: Mapping[str, Role] | None = None
    form: Path | None = None
    transcript: WrittenTranscript | None = None
    layout: FileLayout = ONE_FILE
    diarizer: Literal["auto", "channels"] = "auto"
    listen_for: tuple[str, ...] = ()
    language: str | None = None


def submit(
    home: Home, settings: Settings, given: Submission, actor_id: str | None = None, clock: Clock = real_time
) -> str:
    """Take a tape in and queue its job; the tape's id.

    Raises
    ------
    AudioError: A01 to A18, the recording is not one. TableError: T08 a transcript alone does not tell who speaks.
    ConsentError: D07, D11. TapesError: K07 group or person unknown.
    SettingsError: S03 there are too many names and terms, with those of the group.
    VaultError: V08 it cannot be stored. JobError: J05 the queue cannot be used: the job waits in the records.
    """
    with_terms(settings, given.listen_for)
    if given.recordings:
        assembly.decode(given.recordings, given.layout, settings.audio, given.start, given.end)
    elif given.transcript is not None:
        text_run.require_speakers(given.transcript)
    else:
        raise ValueError("neither a recording nor a transcript is given")
    with home.database.reading() as session:
        listen_for = group_terms.joined(home.vault, people.find_group(session, given.group), given.listen_for, settings)
    tape_id = new_id()
    with _stored(home, tape_id):
        items, job_options = [], None
        if given.recordings:
            digests = []
            for number, path in enumerate(given.recordings, 1):
                with path.open("rb") as file:
                    recording = Digesting(file)
                    items.append(home.vault.put(tape_id, recording_kind(number), recording))
                digests.append(recording.digest())
            job_options = JobOptions(
                file_layout.together(digests),
                given.start,
                given.end,
                given.speakers,
                given.voice,
                given.diarizer,
                given.layout,
                listen_for,
                given.roles,
                given.language,
            )
            items.append(home.vault.put(tape_id, ASKED, job_options.packed()))
        elif given.transcript is not None and given.language:
            of_text = JobOptions(given.transcript.digest(), language=given.language)
            items.append(home.vault.put(tape_id, ASKED, of_text.packed()))
        if given.transcript is not None:
            items.append(home.vault.put(tape_id, WRITTEN, given.transcript.packed()))
        if given.form is not None:
            items.append(home.vault.put(tape_id, FORM, given.form))
        with home.database.writing() as session:
            now = clock()
            form_item = next((item.id for item in items if item.kind == FORM), None)
            tape = begin(
                session, home, tape_id, given, now, actor_id, [item_row(item, now) for item in items], form_item
            )
            job = queue(session, tape, job_options, now, actor_id)
    enqueue(home, job)
    return tape_id


def begin(
    session: Session,
    home: Home,
    tape_id: str,
    given: Submission,
    now: int,
    actor_id: str | None,
    items: Sequence[Item] = (),
    form_item_id: str | None = None,
) -> Tape:
    """Record a tape as a draft, with its consent and its target behavior.

    ``items`` are the rows of the files that are in the vault already, ``form_item_id`` that of the consent form.

    Raises
    ------
    ConsentError: D07 the consent does not name the group, D11. TapesError: K07 group or person unknown.
    """
    group, interviewer = people.find_group(session, given.group), people.find(session, given.interviewer)
    tape = Tape(id=tape_id, group_id=group.id, interviewer_id=interviewer.id, state="draft", created_at=now)
    session.add(tape)
    session.flush()
    session.add_all(items)
    session.flush()
    granted = consent_form.give(session, tape, given.terms, now, actor_id, form_item_id)
    if group.id not in granted.group_ids and not granted.person_ids:
        remedy = "name the group in the consent, or submit the tape to one that it names"
        raise ConsentError("D07", f"consent for group {group.name!r}", "does not name this group", remedy)
    target_behavior.name(session, home.vault, tape_id, given.target_behavior, now)
    return tape


def queue(session: Session, tape: Tape, job_options: JobOptions | None, now: int, actor_id: str | None) -> Job:
    """Record the job of a draft whose sound or text is there, and the interviewer's turn; `enqueue` it afterwards.

    ``job_options`` None codes the transcript alone.

    Raises
    ------
    ConsentError: D03 to D07, the program may not keep or process the tape.
    """
    session.flush()
    consent.allows_all(session, None, ("store", "process"), tape, now).require()
    tape.state, tape.from_text = "queued", job_options is None
    if job_options is not None:
        tape.start_ms, tape.end_ms = job_options.start, job_options.end
    if session.scalar(select(Review).where(Review.tape_id == tape.id)) is None:
        session.add(Review(tape_id=tape.id, stage="interviewer"))
    session.add(TapeTurn(group_id=tape.group_id, person_id=tape.interviewer_id, at=now))
    job = job_state.add(session, tape.id, now)
    audit_log.record(session, now, actor_id, "tape.submit", tape.id)
    return job


def enqueue(home: Home, job: Job) -> None:
    """Put a recorded job on the queue.

    Raises
    ------
    JobError: J05 the queue cannot be used; the job waits in the records, and a worker enqueues it.
    """
    jobs = job_state.queue_of(home)
    try:
        jobs.create()
        job_state.enqueue(home, jobs, job)
    finally:
        jobs.close()


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
    return [tape_id for tape_id in home.vault.tapes() if tape_id not in known and _modified_at(keys / tape_id) < limit]


def rowless(home: Home, older_than: float = _HALF_IMPORTED_AFTER) -> list[Path]:
    """The vault's files that have no row, because whoever put them there was killed."""
    limit = time.time() - older_than
    files = [path for tape_id in home.vault.tapes() for path in home.vault.files(tape_id) if _modified_at(path) < limit]
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


def _modified_at(path: Path) -> float:
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
