"""The main job: from a recording to a pre-coded, measured tape, stage by stage.

::

    decode ──┬── transcribe ──┬── attribute ── tag ── measure ── report
             └── diarize ─────┘

Transcription and diarization do not need each other and run side by side, one core each. Each result up to the tags is
kept on a bench until the results are published; a rerun takes finished stages from there. `process` does the whole job
in one folder; a durable job does the same `STEPS` of a `Run` one by one, with a bench in the vault (`pipeline.tapes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import pandas as pd

from pipeline import __version__
from pipeline.audio import recording
from pipeline.audio.recording import Recording
from pipeline.coding import volleys
from pipeline.errors import SpeechError
from pipeline.formats import codebook_files, tape_tables, time_origin
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.run import results, text_run
from pipeline.run.engines import Engines
from pipeline.run.output import Output
from pipeline.run.progress import STAGE_THREADS, Progress
from pipeline.run.results import Attribution, Heard, Measured, Results
from pipeline.run.stage_cache import Kept, Workbench
from pipeline.run.stage_keys import StageKeys
from pipeline.run.text_run import TextRun
from pipeline.settings import Settings
from pipeline.speech import roles, transcriber, transcript_attribution, turns
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import channels, manual
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from pipeline.speech.transcript_attribution import PlacedTranscript
from pipeline.timeline import UNKNOWN, Turn, to_seconds

STEPS: dict[str, tuple[str, ...]] = {
    "decode": ("decode",),
    "listen": ("transcribe", "diarize"),
    "attribute": ("attribute",),
    "tag": ("tag",),
    "report": ("measure", "report"),
}
"""What a durable job does in one go: step -> its stages.

Transcription and diarization are one step because they share a process: windows of speech take the core that
diarization leaves (`pipeline.speech.cores`), and a job counts the tries of one step at a time. Each stage's result is
kept as soon as it is there, so a step that is cut off repeats no more than the stages that were under way.
"""

STAGES = tuple(stage for stages in STEPS.values() for stage in stages)

LABELS = {
    "decode": "Reading the recording",
    "transcribe": "Transcribing the speech",
    "diarize": "Separating the voices",
    "attribute": "Assigning the words to the voices",
    "tag": "Suggesting codes",
    "measure": "Measuring",
    "report": "Writing the report",
}
"""Stage -> what people read while it works."""

STEP_LABELS = {step: " and ".join(LABELS[stage] for stage in stages).capitalize() for step, stages in STEPS.items()}
"""Step -> the same of its stages."""

T = TypeVar("T")

_UTTERANCES = "utterances.csv"
_RECORDING = Kept(recording.save, recording.load)
_TABLE = Kept[pd.DataFrame](
    lambda table: {_UTTERANCES: tape_tables.written(table, tape_tables.UTTERANCE_COLUMNS)},
    lambda files: tape_tables.parsed_utterances(files[_UTTERANCES], Path(_UTTERANCES)),
)


class Bench(Protocol):
    """Where finished stages are kept, as `pipeline.run.stage_cache.Workbench` does in a folder."""

    def has(self, stage: str, key: str) -> bool:
        """Whether this stage was finished with these inputs."""

    def result(self, stage: str, key: str, kept: Kept[T], compute: Callable[[], T]) -> T:
        """The stage's result: read back where it was finished before, else computed and kept."""


class Observer(Protocol):
    """Who watches a run: a progress display, a benchmark."""

    def started(self, stage: str) -> None:
        """The stage begins."""

    def progressed(self, stage: str, fraction: float) -> None:
        """The stage is done by this fraction, 0 to 1."""

    def finished(self, stage: str, reused: bool) -> None:
        """The stage is done; ``reused`` where an earlier run had finished it."""


@dataclass(frozen=True)
class Request:
    """What a member asks for.

    Times are milliseconds within the recording. ``speakers`` None lets the diarizer count the voices; the diarizer
    "auto" takes the channels where each holds one voice. ``turns`` is the RTTM file of the manual diarizer;
    ``interviewer`` a speaker such as "S1". ``transcript`` is one that somebody wrote: its words get the sound's times.
    """

    recording: Path
    target_behavior: str
    start: int | None = None
    end: int | None = None
    speakers: int | None = 2
    diarizer: Literal["auto", "pyannote", "channels", "manual"] = "auto"
    turns: Path | None = None
    interviewer: str | None = None
    tape_id: str | None = None
    transcript: WrittenTranscript | None = None


@dataclass(frozen=True)
class Tape:
    """Where the results lie, and whether an earlier run had already made them."""

    folder: Path
    unchanged: bool


def process(
    request: Request,
    settings: Settings,
    out: Path,
    observer: Observer,
    *,
    overwrite: bool = False,
    cores: Cores | None = None,
) -> Tape:
    """Run every stage and publish the results in ``out``: whole, or not at all.

    ``cores`` are those that the run works on; another thread may stop it through them.

    Raises
    ------
    TapeReviewError: in the recording (A), the models (M), the speech (P), the coding (C) or the output (O).
    StoppedError: the cores were stopped.
    """
    run, output = Run(request, settings, observer, cores=cores), Output(out)
    return _published(output, run.key, results.FILES, overwrite, lambda: run.finish(Workbench(output.partial))[1])


def process_text(request: TextRun, out: Path, observer: Observer, *, overwrite: bool = False) -> Tape:
    """Code a transcript without sound; publishes and raises as `process` does, and T08 where nobody is named."""
    progress = {stage: partial(observer.progressed, stage) for stage in ("attribute", "tag")}
    return _published(Output(out), request.key, text_run.FILES, overwrite, lambda: request.finish(progress))


def _published(
    output: Output, key: str, names: Sequence[str], overwrite: bool, finish: Callable[[], Mapping[str, bytes]]
) -> Tape:
    if output.holds(key, names, overwrite=overwrite):
        return Tape(output.folder, unchanged=True)
    with output.opened():
        files, folder = finish(), output.fresh()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        output.publish()
    return Tape(output.folder, unchanged=False)


class Run:
    """One run of the stages; its key stands for all that decides the results.

    Each of `decode`, `listen`, `attribute` and `tag` gives the result of its stages: from the bench where it is there,
    else worked out from the results before it.

    Parameters
    ----------
    engines: those that the settings name, unless a test brings its own.
    source: SHA-256 of the recording, where it is known; the recording is then read by `decode` alone.
    """

    def __init__(
        self,
        request: Request,
        settings: Settings,
        observer: Observer,
        *,
        engines: Engines | None = None,
        source: str | None = None,
        cores: Cores | None = None,
    ) -> None:
        self.request, self.settings, self.observer = request, settings, observer
        self.engines = engines or Engines(settings)
        self.cores = cores or Cores(settings.engines.cores)
        self.book = codebook_files.read(settings.coding.codebook)
        self.source = source or recording.fingerprint(request.recording, settings.audio)
        self.tape_id = request.tape_id or f"tape-{self.source[:8]}"
        self.models = self.engines.models(request.diarizer)
        self.asked = {
            "target_behavior": request.target_behavior,
            "tape_id": self.tape_id,
            "start": request.start,
            "end": request.end,
            "speakers": request.speakers,
            "diarizer": request.diarizer,
            "turns": manual.checksum(request.turns) if request.turns else None,
            "interviewer": request.interviewer,
            "transcript": request.transcript.digest() if request.transcript else None,
        }
        self.keys = StageKeys(self.source, self.asked, settings, self.models, asdict(self.book))

    @property
    def key(self) -> str:
        """A digest of all that decides the results."""
        return self.keys.run

    def needs_recording(self, bench: Bench) -> bool:
        """Whether the recording itself will be read: it was not decoded before."""
        return not bench.has("decode", self.keys["decode"])

    def decode(self, bench: Bench) -> Recording:
        """The segment's samples."""
        return self._stage(bench, "decode", _RECORDING, self._decode)

    def listen(self, bench: Bench) -> Heard:
        """What is said, and who speaks when."""
        recording = self.decode(bench)
        return Heard(recording, *self._listen(bench, recording))

    def attribute(self, bench: Bench) -> tuple[Heard, Attribution]:
        """Who said what in which role."""
        heard = self.listen(bench)
        kept = Kept.dataclass(Attribution)
        return heard, self._stage(bench, "attribute", kept, partial(self._attribute, heard))

    def tag(self, bench: Bench) -> tuple[Heard, Attribution, pd.DataFrame]:
        """The utterances with the codes that the machine proposes."""
        heard, attribution = self.attribute(bench)
        return heard, attribution, self._stage(bench, "tag", _TABLE, partial(self._tag, attribution))

    def finish(self, bench: Bench) -> tuple[Results, dict[str, bytes]]:
        """Measure, and make the result files (name -> content); both take a moment and are not kept on the bench."""
        heard, attribution, table = self.tag(bench)
        self.observer.started("measure")
        measured = Measured.of(table, self.book, self.settings.measures, self.engines.tagger.spread)
        self.observer.finished("measure", reused=False)
        self.observer.started("report")
        provenance = self._provenance(heard, attribution.notes)
        found = Results(
            *(self.tape_id, self.request.target_behavior, heard, attribution, table, measured, self.book, provenance)
        )
        files = found.files()
        self.observer.finished("report", reused=False)
        return found, files

    def _stage(self, bench: Bench, name: str, kept: Kept[T], compute: Callable[[Progress], T]) -> T:
        key = self.keys[name]
        reused = bench.has(name, key)
        self.observer.started(name)
        result = bench.result(name, key, kept, lambda: compute(partial(self._progress, name)))
        self.observer.finished(name, reused)
        return result

    def _progress(self, stage: str, fraction: float) -> None:
        self.cores.go_on()
        self.observer.progressed(stage, fraction)

    def _decode(self, progress: Progress) -> Recording:
        request = self.request
        return self.engines.decode(request.recording, request.start, request.end, progress)

    def _listen(self, bench: Bench, recording: Recording) -> tuple[Transcript, Diarization]:
        """Transcribe and diarize side by side; the first that fails stops the other, and is what is raised.

        Turns that a human wrote are read first, as they may be faulty, and so are the voices of channels: what is
        transcribed of a channel is what its own speaker says.
        """
        kind = self._kind(recording)
        hear, tell = Kept.dataclass(Transcript), Kept.dataclass(Diarization)
        pool = ThreadPoolExecutor(2, thread_name_prefix=STAGE_THREADS)
        try:
            voices = pool.submit(self._stage, bench, "diarize", tell, partial(self._diarize, recording))
            first = voices.result() if kind != "pyannote" else None
            transcribe = partial(self._transcribe, recording, first if kind == "channels" else None)
            words = pool.submit(self._stage, bench, "transcribe", hear, transcribe)
            for done in as_completed((voices, words)):
                done.result()
            return words.result(), voices.result()
        except BaseException:
            self.cores.stop()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an engine that computes looks up in a moment, and ends

    def _kind(self, recording: Recording) -> Literal["pyannote", "channels", "manual"]:
        if self.request.diarizer != "auto":
            return self.request.diarizer
        return "channels" if recording.two_voices else "pyannote"

    def _diarize(self, recording: Recording, progress: Progress) -> Diarization:
        request = self.request
        engine = self.engines.diarizer(self._kind(recording), request.speakers, request.turns, self.tape_id)
        return engine.diarize(recording, self.cores, progress)

    def _transcribe(self, recording: Recording, by_channel: Diarization | None, progress: Progress) -> Transcript:
        engine = self.engines.transcriber()
        if by_channel is None:
            return engine.transcribe(recording.mono, self.cores, progress)
        parts = []
        for number, samples in enumerate(recording.samples):
            share = partial(_share, progress, number, len(recording.samples))
            speaker = channels.channel_speaker(number)
            spans = [segment.span for segment in by_channel.segments if segment.speaker == speaker]
            parts.append(engine.transcribe(channels.isolate(samples, spans), self.cores, share, spans).by(speaker))
        return transcriber.merged(parts)

    def _attribute(self, heard: Heard, progress: Progress) -> Attribution:
        if not heard.transcript.words:
            value = "has no words that could be recognized"
            raise SpeechError(
                "P01", "recording", value, "listen to it, and check that the speakers are near the microphone"
            )
        brought = self._brought(heard)
        words = brought.words if brought else turns.attribute(heard.transcript.words, heard.diarization)
        spoken = turns.turns(words)
        decided = (brought.roles if brought else None) or self._roles(spoken)
        progress(0.2)
        found = volleys.utterances(spoken, decided, self.engines.sentences())
        return Attribution(spoken, decided, found, brought.notes if brought else ())

    def _brought(self, heard: Heard) -> PlacedTranscript | None:
        """The transcript that somebody wrote, if one did, at the times of the sound."""
        if self.request.transcript is None:
            return None
        duration = heard.recording.duration
        return transcript_attribution.placed(self.request.transcript, heard.transcript, heard.diarization, duration)

    def _roles(self, spoken: Sequence[Turn]) -> Roles:
        asked, speakers = self.request.interviewer, sorted({turn.speaker for turn in spoken} - {UNKNOWN})
        if asked is None:
            return roles.decide(spoken, self.engines.roles())
        if asked not in speakers:
            raise SpeechError("P02", f"interviewer {asked}", "does not speak", f"name one of {', '.join(speakers)}")
        return Roles.given(asked, speakers)

    def _tag(self, attribution: Attribution, progress: Progress) -> pd.DataFrame:
        table = results.utterance_table(self.tape_id, attribution)
        tagged = self.engines.tagger.tag(table.assign(target_behavior=self.request.target_behavior), progress)
        return tagged[list(tape_tables.UTTERANCE_COLUMNS)]

    def _provenance(self, heard: Heard, notes: Sequence[str] = ()) -> dict[str, Any]:
        recording = heard.recording
        source = asdict(recording.source)
        del source["name"]
        return {
            "run": self.key,
            "tape_review": __version__,
            "tape_id": self.tape_id,
            "recording": source,
            "segment": {"start": to_seconds(recording.start), "end": to_seconds(recording.end)},
            "zero": time_origin.sentence(recording.start),
            "asked": self.asked,
            "settings": self.keys.settings,
            "versions": self.keys.versions,
            "engines": {"transcriber": heard.transcript.engine, "diarizer": heard.diarization.engine},
            "models": self.models,
            "codebook": {"name": self.book.name, "version": self.book.version, "counting": self.book.counting},
            "warnings": [*notes, *_warnings(heard)],
        }


def _warnings(heard: Heard) -> list[str]:
    """What to be careful about, in sentences: of the recording, and of voices that may be nobody's."""
    spurious = (
        f"another voice, {speaker}, is so brief, or so much like another one, that it may be an error: "
        "check by ear whether a third person speaks"
        for speaker in heard.diarization.spurious_speakers
    )
    return [*(warning.message for warning in heard.recording.warnings), *spurious]


def _share(progress: Progress, number: int, of: int, fraction: float) -> None:
    progress((number + fraction) / of)
