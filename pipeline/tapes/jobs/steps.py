"""One step of a job, done in a process of its own (`runner`): inputs from the vault, results into the vault."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from typing import Literal

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.errors import JobError
from pipeline.formats.written_transcript import WrittenTranscript, unpacked
from pipeline.run import text_run
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress
from pipeline.run.stage_keys import versions
from pipeline.run.text_run import TextRun
from pipeline.settings import Settings, with_language, with_terms
from pipeline.stages import STAGES, STEPS, ProcessRequest, Run
from pipeline.tapes import audit_log
from pipeline.tapes.clock import Clock
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import Item, Job, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.intake import importing
from pipeline.tapes.intake.importing import Imported
from pipeline.tapes.jobs import recording_files
from pipeline.tapes.vault.joined_items import JoinedItems
from pipeline.tapes.vault.stage_store import VaultStageStore
from pipeline.timeline import Role

ASKED = "asked"
"""The kind of the item that holds what was asked for."""

WRITTEN = "written"
"""The kind of the item that holds a transcript that somebody wrote (`formats.written_transcript`)."""

SURVEY, COMBINED, TRACKS = "survey", "combined", "tracks"
"""The kinds of the items that a draft has beside its recording: how the whole looks, the whole of several files as one
sound, and the sound tracks of which one is to be chosen."""


_LISTEN = {"transcribe": 0.7, "diarize": 0.3}  # shares of the time that both take


@dataclass(frozen=True)
class JobOptions:
    """A member's request, kept in the vault: even the digest of a recording belongs to the client.

    ``source`` is the SHA-256 of the recording (`file_layout.together` of several files'), or of the transcript where
    there is none; times are milliseconds within the recording. ``language`` None leaves it to the settings.
    ``terms`` are names and terms that the recognizer listens for; ``order`` are the numbers of the files as they follow
    each other, where that is not the order in which they came.
    """

    source: str
    start: int | None = None
    end: int | None = None
    speakers: int | None = 2
    interviewer: str | None = None
    diarizer: Literal["auto", "channels"] = "auto"
    layout: FileLayout = ONE_FILE
    terms: tuple[str, ...] = ()
    roles: Mapping[str, Role] | None = None
    language: str | None = None
    order: tuple[int, ...] = ()

    def packed(self) -> bytes:
        """As JSON."""
        return _JOB_OPTIONS.dump_json(self)


_JOB_OPTIONS = TypeAdapter(JobOptions)
_RUN_OPTIONS = [
    field.name for field in fields(JobOptions) if field.name not in ("source", "language", "terms", "order")
]
"""What is an option of a run; the language and the terms are settings of its transcription, which engines read, and the
files come in their order."""


def perform(
    home: Home,
    settings: Settings,
    engines: Callable[[Settings], Engines],
    job_id: str,
    step: str,
    progress: Progress,
    clock: Clock,
) -> None:
    """Do a step of a job; done before, it is read back at once.

    Raises
    ------
    TapeReviewError: whatever keeps the stages from their result, and V and K where vault or records cannot be used.
    """
    with home.database.reading() as session:
        job = session.get(Job, job_id)
        if job is None:
            raise JobError("J01", f"job {job_id}", "is not known", "`tape-review status` lists the jobs")
        tape = session.get_one(Tape, job.tape_id)
        wanted = select(Item).where(Item.tape_id == tape.id, Item.upload.is_(None))
        items = {item.kind: item for item in session.scalars(wanted)}
        target = target_behavior.read(session, home.vault, tape.id)
        written = unpacked(home.vault.read(items[WRITTEN])) if WRITTEN in items else None
    job_options = _JOB_OPTIONS.validate_json(home.vault.read(items[ASKED])) if ASKED in items else None
    if job_options is not None:
        settings = with_terms(with_language(settings, job_options.language), job_options.terms)
    watch = _StepProgress(STEPS[step], progress)
    with home.vault.locks.working(tape.id):
        if job_options is not None and not tape.from_text:
            store = VaultStageStore(home, tape.id, clock)
            imported = _of_recording(
                home, settings, engines, job_options, items, target, written, step, store, watch, clock
            )
        elif step == "report" and written is not None:
            watch = _StepProgress([stage.name for stage in text_run.STAGES], progress)
            run = TextRun(written, target, settings, engines(settings), versions(STAGES), tape.id)
            imported = importing.of_text(run.finish(watch))
        else:
            imported = None  # a text takes moments: its last step does all
        if imported is not None:
            importing.publish(home, job, imported, clock())


def _of_recording(
    home: Home,
    settings: Settings,
    engines: Callable[[Settings], Engines],
    job_options: JobOptions,
    items: Mapping[str, Item],
    target: str,
    written: WrittenTranscript | None,
    step: str,
    store: VaultStageStore,
    watch: _StepProgress,
    clock: Clock,
) -> Imported | None:
    """Do a step with a recording; what is to be published, after the last one."""
    files = recording_files.in_order(recording_files.whole_files(items.values()), job_options.order)
    with ExitStack() as opened:
        request = ProcessRequest(
            recordings=tuple(opened.enter_context(JoinedItems(home.vault, pieces)) for pieces in files),
            target_behavior=target,
            **{name: getattr(job_options, name) for name in _RUN_OPTIONS},
            tape_id=items[ASKED].tape_id,
            transcript=written,
        )
        run = Run(request, settings, watch, engines=engines(settings), source=job_options.source)
        if not files and run.needs_recording(store) and (segment := store.latest("decode")) is not None:
            run.adopt_recording(store, segment)
        imported = importing.of_recording(*run.finish(store)) if step == "report" else None
        if imported is None:
            run.results(store, STEPS[step])
    if files:
        _forget(home, items[ASKED].tape_id, clock())
    return imported


def _forget(home: Home, tape_id: str, now: int) -> None:
    """Remove what was handed in: the segment is cut out of it, and nobody agreed to more."""
    with home.database.writing() as session:
        items = session.scalars(select(Item).where(Item.tape_id == tape_id)).all()
        cut = [item for item in items if _is_cut(item.kind)]
        session.execute(delete(Item).where(Item.id.in_([item.id for item in cut])))
        audit_log.record(session, now, None, "recording.cut", tape_id)
    for item in cut:
        home.vault.remove(item)


def _is_cut(kind: str) -> bool:
    beside = kind in (SURVEY, COMBINED) or recording_files.is_beside(kind)
    return beside or recording_files.is_recording(kind)


class _StepProgress:
    """Turns the progress of a step's stages into the step's; an `Observer` of the run."""

    def __init__(self, stages: Collection[str], progress: Progress) -> None:
        self._progress = progress
        self._done: dict[str, float] = dict.fromkeys(stages, 0.0)
        self._share = _LISTEN if _LISTEN.keys() == self._done.keys() else dict.fromkeys(stages, 1 / len(stages))

    def started(self, stage: str) -> None:
        """Nothing to tell."""

    def progressed(self, stage: str, fraction: float) -> None:
        """A stage of this step, or one before that had to be repeated, is done by a fraction."""
        if stage in self._done:
            self._done[stage] = fraction
            self._progress(sum(self._share[each] * done for each, done in self._done.items()))

    def finished(self, stage: str, reused: bool) -> None:
        """A stage is done."""
        self.progressed(stage, 1.0)
