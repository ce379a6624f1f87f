"""The main job: from a recording to a pre-coded, measured tape, stage by stage.

::

    decode ──┬── transcribe ──┬── attribute ── tag ── measure ── report
             └── diarize ─────┘

Transcription and diarization do not need each other and run side by side, one core each. Each result up to the tags is
kept on the workbench until the results are published; a rerun takes finished stages from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import pandas as pd

from pipeline import __version__, audio, models, results
from pipeline.audio import Recording
from pipeline.coding import sentences, tagger, units
from pipeline.coding.tagger import Tagger
from pipeline.errors import SpeechError
from pipeline.formats import codebooks, tables
from pipeline.output import Output
from pipeline.progress import Progress
from pipeline.results import Attribution, Heard, Measured, Results
from pipeline.settings import Settings
from pipeline.speech import diarizer, roles, transcriber, turns
from pipeline.speech.cores import Cores
from pipeline.speech.diarizer import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from pipeline.timeline import Turn, to_seconds
from pipeline.workbench import Kept, Workbench, digest

STAGES = ("decode", "transcribe", "diarize", "attribute", "tag", "measure", "report")

T = TypeVar("T")

_DIARIZATION_MODELS = ("model.segmentation", "model.embedding", "model.diarizer")
_LATER = ("target_behavior", "tape_id", "settings.measures", "model.encoder", "model.tagger")
"""What only the stages after attribution depend on."""

_RECORDING = Kept(audio.save, audio.load)
_TABLE = Kept[pd.DataFrame](
    lambda table, folder: tables.write_utterances(table, folder / "utterances.csv"),
    lambda folder: tables.read_utterances(folder / "utterances.csv"),
)


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
    ``interviewer`` a speaker such as "S1".
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


@dataclass(frozen=True)
class Tape:
    """Where the results lie, and whether an earlier run had already made them."""

    folder: Path
    unchanged: bool


def process(request: Request, settings: Settings, out: Path, observer: Observer, *, overwrite: bool = False) -> Tape:
    """Run every stage and publish the results in ``out``: whole, or not at all.

    Raises
    ------
    TapeReviewError: in the recording (A), the models (M), the speech (P), the coding (C) or the output (O).
    """
    run = _Run(request, settings, observer)
    output = Output(out)
    if output.holds(run.key, overwrite):
        return Tape(output.folder, unchanged=True)
    with output.opened():
        run.work(Workbench(output.partial), output.fresh())
        output.publish()
    return Tape(output.folder, unchanged=False)


class _Run:
    """One run of the stages; its key stands for all that decides the results."""

    def __init__(self, request: Request, settings: Settings, observer: Observer) -> None:
        self.request, self.settings, self.observer = request, settings, observer
        self.cores = Cores(settings.engines.cores)
        self.book = codebooks.read(settings.coding.codebook)
        self.source = audio.fingerprint(request.recording, settings.audio)
        self.tape_id = request.tape_id or f"tape-{self.source[:8]}"
        self.models = _models(request, settings)
        self.asked = {
            "target_behavior": request.target_behavior,
            "tape_id": self.tape_id,
            "start": request.start,
            "end": request.end,
            "speakers": request.speakers,
            "diarizer": request.diarizer,
            "turns": diarizer.fingerprint(request.turns) if request.turns else None,
            "interviewer": request.interviewer,
        }
        # Where the weights lie and how many cores work does not change what comes out.
        self.options = settings.model_dump(mode="json", exclude={"models": True, "engines": {"cores"}})
        self.inputs = {
            **self.asked,
            **{f"settings.{section}": values for section, values in self.options.items()},
            **{f"model.{part}": model for part, model in self.models.items()},
        }
        self.key = self._keyed("run", *self.inputs)

    @cached_property
    def tagger(self) -> Tagger:
        """Loaded when it is needed: a run that finds its results there never does."""
        return tagger.load(self.settings)

    def work(self, bench: Workbench, place: Path) -> None:
        """Run the stages and write every result into ``place``."""
        key = self._keyed("decode", "start", "end", "settings.audio")
        recording = self._stage(bench, "decode", key, _RECORDING, self._decode)
        transcript, diarization = self._listen(bench, recording)
        heard = Heard(recording, transcript, diarization)
        key = self._keyed("attribute", *(part for part in self.inputs if part not in _LATER))
        attribution = self._stage(bench, "attribute", key, Kept.dataclass(Attribution), partial(self._attribute, heard))
        table = self._stage(bench, "tag", self.key, _TABLE, partial(self._tag, attribution))
        self._finish(heard, attribution, table, place)

    def _keyed(self, stage: str, *parts: str) -> str:
        """A digest of the version, the recording, and those of the inputs that the stage depends on."""
        return digest(stage, __version__, self.source, {part: self.inputs.get(part) for part in parts})

    def _stage(self, bench: Workbench, name: str, key: str, kept: Kept[T], compute: Callable[[Progress], T]) -> T:
        reused = bench.has(name, key)
        self.observer.started(name)
        result = bench.result(name, key, kept, lambda: compute(partial(self.observer.progressed, name)))
        self.observer.finished(name, reused)
        return result

    def _decode(self, progress: Progress) -> Recording:
        request = self.request
        return audio.decode(request.recording, self.settings.audio, request.start, request.end, progress)

    def _listen(self, bench: Workbench, recording: Recording) -> tuple[Transcript, Diarization]:
        """Transcribe and diarize side by side. The first to fail stops the run."""
        asked = ("start", "end", "speakers", "diarizer", "turns", "settings.audio", "settings.engines")
        by_channel = self._kind(recording) == "channels"
        voices_key = self._keyed("diarize", *asked, "settings.diarization", *_DIARIZATION_MODELS)
        words_key = self._keyed("transcribe", *asked, "settings.transcription", "model.transcriber")
        hear, tell = Kept.dataclass(Transcript), Kept.dataclass(Diarization)
        with ThreadPoolExecutor(2) as pool:
            voices = pool.submit(self._stage, bench, "diarize", voices_key, tell, partial(self._diarize, recording))
            words = pool.submit(
                self._stage, bench, "transcribe", words_key, hear, partial(self._transcribe, recording, by_channel)
            )
            running: list[Future[Any]] = [voices, words]
            wait(running, return_when=FIRST_EXCEPTION)
            return words.result(), voices.result()

    def _kind(self, recording: Recording) -> Literal["pyannote", "channels", "manual"]:
        if self.request.diarizer != "auto":
            return self.request.diarizer
        return "channels" if recording.two_voices else "pyannote"

    def _diarize(self, recording: Recording, progress: Progress) -> Diarization:
        request = self.request
        engine = diarizer.load(self._kind(recording), self.settings, request.speakers, request.turns)
        return engine.diarize(recording, self.cores, progress)

    def _transcribe(self, recording: Recording, by_channel: bool, progress: Progress) -> Transcript:
        engine = transcriber.load(self.settings)
        if not by_channel:
            return engine.transcribe(recording.mono, self.cores, progress)
        parts = []
        for number, samples in enumerate(recording.samples):
            share = partial(_share, progress, number, len(recording.samples))
            parts.append(engine.transcribe(samples, self.cores, share).by(diarizer.channel_speaker(number)))
        return transcriber.merged(parts)

    def _attribute(self, heard: Heard, progress: Progress) -> Attribution:
        if not heard.transcript.words:
            value = "holds no words that could be made out"
            raise SpeechError("P01", "recording", value, "listen to it: is anybody near the microphone?")
        spoken = turns.turns(turns.attribute(heard.transcript.words, heard.diarization))
        decided = self._roles(spoken)
        progress(0.2)
        return Attribution(spoken, decided, units.utterances(spoken, decided, sentences.load(self.settings)))

    def _roles(self, spoken: Sequence[Turn]) -> Roles:
        asked, speakers = self.request.interviewer, sorted({turn.speaker for turn in spoken})
        if asked is None:
            return roles.decide(spoken, roles.load(self.settings))
        if asked not in speakers:
            raise SpeechError("P02", f"interviewer {asked}", "is not heard", f"name one of {', '.join(speakers)}")
        return Roles.given(asked, speakers)

    def _tag(self, attribution: Attribution, progress: Progress) -> pd.DataFrame:
        table = results.utterance_table(self.tape_id, attribution)
        tagged = self.tagger.tag(table.assign(target_behavior=self.request.target_behavior), progress)
        return tagged[list(tables.UTTERANCE_COLUMNS)]

    def _finish(self, heard: Heard, attribution: Attribution, table: pd.DataFrame, place: Path) -> None:
        """Measure, and write the results; both take a moment and are not kept."""
        self.observer.started("measure")
        measured = Measured.of(table, self.book, self.settings.measures, self.tagger.spread)
        self.observer.finished("measure", reused=False)
        self.observer.started("report")
        provenance = self._provenance(heard)
        Results(
            *(self.tape_id, self.request.target_behavior, heard, attribution, table, measured, self.book, provenance)
        ).write(place)
        self.observer.finished("report", reused=False)

    def _provenance(self, heard: Heard) -> dict[str, Any]:
        recording = heard.recording
        source = asdict(recording.source)
        del source["name"]
        return {
            "run": self.key,
            "tape_review": __version__,
            "tape_id": self.tape_id,
            "recording": source,
            "segment": {"start": to_seconds(recording.start), "end": to_seconds(recording.end)},
            "asked": self.asked,
            "settings": self.options,
            "engines": {"transcriber": heard.transcript.engine, "diarizer": heard.diarization.engine},
            "models": self.models,
            "codebook": {"name": self.book.name, "version": self.book.version, "counting": self.book.counting},
            "warnings": [warning.message for warning in recording.warnings],
        }


def _models(request: Request, settings: Settings) -> dict[str, dict[str, str]]:
    """What each engine loads, with checksums; a missing model is told before any work."""
    names = {
        "transcriber": settings.transcription.model,
        "sentences": settings.coding.sentences,
        "encoder": settings.coding.encoder,
    }
    if request.diarizer in ("auto", "pyannote"):
        parts = settings.diarization
        whole = {"diarizer": parts.pipeline}
        names |= whole if parts.pipeline else {"segmentation": parts.segmentation, "embedding": parts.embedding}
    for name in names.values():
        models.locate(name, settings.models)
    ours = {"tagger": settings.coding.tagger, "roles": settings.diarization.roles}
    weights = {part: models.trained(name) for part, name in ours.items()}
    return {part: models.provenance(name, settings.models) for part, name in names.items()} | {
        part: {"model": place.name, "checksum": models.checksum(place)} for part, place in weights.items()
    }


def _share(progress: Progress, number: int, of: int, fraction: float) -> None:
    progress((number + fraction) / of)
