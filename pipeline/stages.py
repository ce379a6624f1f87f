"""The main job: from a recording to a pre-coded, measured tape, stage by stage.

::

    decode ──┬── transcribe ──┬── attribute ── tag ── measure ── report
             └── diarize ─────┘

`STAGES` lists them with everything that decides their results. Transcription and diarization do not need each other and
run side by side, one core each. Each result up to the tags is stored until the results are published; a rerun takes
finished stages from there. `process` does the whole job in one folder; a durable job does the same stages step by step
(`STEPS`), with its store in the vault (`pipeline.tapes`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from pipeline import __version__
from pipeline.audio import assembly, recording
from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.audio.source_bytes import SoundSource
from pipeline.audio.source_file import printable
from pipeline.formats import codebook_files, tape_tables
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.run import results, stage_functions, text_run
from pipeline.run.engines import Engines
from pipeline.run.output import Output
from pipeline.run.results import Attribution, Results
from pipeline.run.stage import Stage
from pipeline.run.stage_cache import FolderStageStore, ResultFormat, StageStore
from pipeline.run.stage_functions import ManualTurns
from pipeline.run.stage_keys import RunInputs, decisive, stage_keys, versions
from pipeline.run.stage_runner import Observer, StageRunner
from pipeline.run.text_run import TextRun
from pipeline.settings import Settings, with_terms
from pipeline.speech.cores import Cores
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.transcriber import Transcript
from pipeline.timeline import Role

_UTTERANCES = "utterances.csv"
_TABLE = ResultFormat[pd.DataFrame](
    lambda table: {_UTTERANCES: tape_tables.written(table, tape_tables.UTTERANCE_COLUMNS)},
    lambda files: tape_tables.parsed_utterances(files[_UTTERANCES], Path(_UTTERANCES)),
)

STAGES: tuple[Stage[Any], ...] = (
    Stage(
        "decode",
        "Reading the recording",
        stage_functions.decode,
        inputs=("recordings", "layout", "start", "end", "settings.audio"),
        packages=("av", "scipy", "soundfile", "soxr"),
        format=ResultFormat(recording.save, recording.load),
    ),
    Stage(
        "transcribe",
        "Transcribing the speech",
        stage_functions.transcribe,
        takes=("decode",),
        inputs=("diarizer", "settings.engines", "settings.transcription", "model.transcriber"),
        packages=("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers"),
        format=ResultFormat.dataclass(Transcript),
    ),
    Stage(
        "diarize",
        "Separating the voices",
        stage_functions.diarize,
        takes=("decode",),
        inputs=(
            *("diarizer", "speakers", "turns", "settings.engines", "settings.diarization"),
            *("model.segmentation", "model.embedding", "model.diarizer"),
        ),
        packages=("pyannote.audio", "torch", "scipy", "faster-whisper", "onnxruntime"),
        format=ResultFormat.dataclass(Diarization),
    ),
    Stage(
        "attribute",
        "Assigning the words to the voices",
        stage_functions.attribute,
        takes=("decode", "transcribe", "diarize"),
        inputs=(
            "interviewer",
            "roles",
            "speakers",
            "transcript",
            "settings.transcription",
            "model.roles",
            "model.sentences",
        ),
        packages=("spacy", "py3langid"),
        format=ResultFormat.dataclass(Attribution),
    ),
    Stage(
        "tag",
        "Suggesting codes",
        stage_functions.tag,
        takes=("attribute",),
        inputs=("tape_id", "target_behavior", "model.tagger", "model.adaptation"),
        packages=("onnxruntime", "tokenizers"),
        format=_TABLE,
    ),
    Stage(
        "measure",
        "Measuring",
        stage_functions.measure,
        takes=("tag",),
        inputs=("codebook", "settings.measures", "model.tagger", "model.adaptation"),
        packages=("numpy", "pandas", "scipy"),
    ),
    Stage(
        "report",
        "Writing the report",
        stage_functions.report,
        takes=("decode", "transcribe", "diarize", "attribute", "tag", "measure"),
        inputs=("tape_id", "target_behavior", "codebook", "provenance"),
    ),
)

STEPS: dict[str, tuple[str, ...]] = {
    "decode": ("decode",),
    "listen": ("transcribe", "diarize"),
    "attribute": ("attribute",),
    "tag": ("tag",),
    "report": ("measure", "report"),
}
"""Step of a durable job -> the stages that it does in one go.

Transcription and diarization are one step because they share a process: windows of speech take the core that
diarization leaves (`pipeline.speech.cores`), and a job counts the tries of one step at a time. Each stage's result is
stored as soon as it is there, so a step that is cut off repeats no more than the stages that were under way.
"""

LABELS = {stage.name: stage.label for stage in STAGES}
"""Stage -> what people read while it works."""

STEP_LABELS = {step: " and ".join(LABELS[stage] for stage in stages).capitalize() for step, stages in STEPS.items()}
"""Step -> the same of its stages."""


@dataclass(frozen=True)
class ProcessRequest:
    """The options of one run, as a member gives them.

    ``recordings`` are the files of one recording, in order, and ``layout`` says how they belong together. Times are
    milliseconds within the recording. ``speakers`` None lets the diarizer count the voices; the diarizer "auto" takes
    the channels where each holds one voice. ``turns`` is the RTTM file of the manual diarizer; ``interviewer`` a
    speaker such as "S1", and ``roles`` says who each voice is instead. ``transcript`` is one that somebody wrote: its
    words get the sound's times. ``terms`` are names and terms that the recognizer listens for besides those of the
    settings.
    """

    recordings: tuple[SoundSource, ...]
    target_behavior: str
    start: int | None = None
    end: int | None = None
    speakers: int | None = 2
    diarizer: Literal["auto", "pyannote", "channels", "manual"] = "auto"
    turns: Path | None = None
    interviewer: str | None = None
    roles: Mapping[str, Role] | None = None
    tape_id: str | None = None
    transcript: WrittenTranscript | None = None
    terms: tuple[str, ...] = ()
    layout: FileLayout = ONE_FILE


@dataclass(frozen=True)
class ProcessedTape:
    """The folder of the results, and whether an earlier run had already written them."""

    folder: Path
    unchanged: bool


def process(
    request: ProcessRequest,
    settings: Settings,
    out: Path,
    observer: Observer,
    *,
    overwrite: bool = False,
    cores: Cores | None = None,
) -> ProcessedTape:
    """Run every stage and publish the results in ``out``: whole, or not at all.

    ``cores`` are those that the run works on; another thread may stop it through them.

    Raises
    ------
    TapeReviewError: in the recording (A), the models (M), the speech (P), the coding (C) or the output (O).
    StoppedError: the cores were stopped.
    """
    run, output = Run(request, settings, observer, cores=cores), Output(out)
    if output.holds(run.key, results.FILES, overwrite=overwrite):
        return ProcessedTape(output.folder, unchanged=True)
    with output.opened():
        _, files = run.finish(FolderStageStore(output.partial))
        return _published(output, files)


def process_text(request: TextRun, out: Path, observer: Observer, *, overwrite: bool = False) -> ProcessedTape:
    """Code a transcript without sound; publishes and raises as `process` does, and T08 where nobody is named."""
    output = Output(out)
    if output.holds(request.key, text_run.FILES, overwrite=overwrite):
        return ProcessedTape(output.folder, unchanged=True)
    with output.opened():
        return _published(output, request.finish(observer).files)


def _published(output: Output, files: Mapping[str, bytes]) -> ProcessedTape:
    folder = output.fresh()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    output.publish()
    return ProcessedTape(output.folder, unchanged=False)


class Run:
    """One run of the stages; its ``key`` is a digest of all that decides the results.

    Parameters
    ----------
    engines: those that the settings name, unless a test brings its own.
    source: SHA-256 of the recording's file, or `file_layout.together` of those of several, where it is known; `decode`
        alone reads them then.
    """

    def __init__(
        self,
        request: ProcessRequest,
        settings: Settings,
        observer: Observer,
        *,
        engines: Engines | None = None,
        source: str | None = None,
        cores: Cores | None = None,
    ) -> None:
        settings = with_terms(settings, request.terms)
        engines = engines or Engines(settings)
        codebook = codebook_files.read(settings.coding.codebook)
        source = source or assembly.fingerprint(request.recordings, settings.audio)
        options = {field: getattr(request, field) for field in _OPTIONS}
        options["roles"] = dict(request.roles) if request.roles else None
        options["tape_id"] = tape_id = request.tape_id or f"tape-{source[:8]}"
        turns = ManualTurns(request.turns, tape_id, printable(request.recordings[0])) if request.turns else None
        identity = turns.identity() if turns else None
        request_values = options | {
            "layout": asdict(request.layout),
            "turns": identity[0] if identity else None,
            "transcript": request.transcript.digest() if request.transcript else None,
        }
        sections, models = decisive(settings), engines.models(request.diarizer)
        inputs = RunInputs(source, request_values, sections, models, asdict(codebook), identity)
        self.key = inputs.key(STAGES)
        self.keys = stage_keys(STAGES, inputs.named() | {"provenance": self.key})
        provenance = {
            "run": self.key,
            "tape_review": __version__,
            "asked": request_values,
            "settings": sections,
            "versions": versions(STAGES),
            "models": models,
        }
        values = inputs.named() | options
        values |= {f"settings.{section}": getattr(settings, section) for section in sections}
        values |= {"recordings": request.recordings, "layout": request.layout, "turns": turns, "codebook": codebook}
        values |= {"provenance": provenance}
        self.cores = cores or Cores(settings.engines.cores)
        self._runner = StageRunner(STAGES, self.keys, values, engines, self.cores, observer)

    def needs_recording(self, store: StageStore) -> bool:
        """Return whether the recording itself will be read: it was not decoded before."""
        return not store.has("decode", self.keys["decode"])

    def adopt_recording(self, store: StageStore, files: Mapping[str, bytes]) -> None:
        """Take the files of a decoded segment for the first stage's: its recording is not there any more."""
        store.write("decode", self.keys["decode"], files)

    def results(self, store: StageStore, stages: Collection[str]) -> dict[str, Any]:
        """Return stage -> result of these stages at least; what they take is read back, or computed first.

        Raises
        ------
        TapeReviewError, StoppedError: see `process`.
        """
        return self._runner.results(store, stages)

    def finish(self, store: StageStore) -> tuple[Results, dict[str, bytes]]:
        """Return all results, and the result files (name -> content)."""
        tape: tuple[Results, dict[str, bytes]] = self._runner.results(store, ("report",))["report"]
        return tape


_OPTIONS = (
    *("target_behavior", "tape_id", "start", "end", "speakers", "diarizer", "turns"),
    *("interviewer", "roles", "transcript", "layout"),
)
"""The options besides the recording, in the order of the provenance."""
