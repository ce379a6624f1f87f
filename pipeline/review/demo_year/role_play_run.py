"""A role-play with its script for ears: the engines return what was written, so that no model is needed.

The sound is decoded and measured as any recording; words, voices and codes are the script's. The machine proposes the
scripted codes, save those that it mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from pipeline.audio.file_layout import FileLayout
from pipeline.audio.quality import QualityWarning
from pipeline.audio.recording import Recording
from pipeline.audio.source_bytes import SoundSource
from pipeline.coding.codebook import CODES
from pipeline.formats.transcript import role_named
from pipeline.formats.written_transcript import WrittenTranscript, WrittenTurn
from pipeline.review.demo_year.coders import SimulatedCoder
from pipeline.review.practice import scripts
from pipeline.run.engines import Engines
from pipeline.run.progress import Progress
from pipeline.run.stage_cache import FolderStageStore
from pipeline.settings import Settings
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.speech.transcriber import Transcript
from pipeline.stages import ProcessRequest, Run
from pipeline.tapes.intake import importing
from pipeline.tapes.intake.importing import Imported
from pipeline.timeline import Span, Word

MACHINE = SimulatedCoder("machine", slips=0.2)
"""Codes and mistakes of the simulated machine; the share of mistakes is chosen here, to leave something to correct."""
SURE, UNSURE = 0.9, 0.5
"""The machine's probability of a code that is scripted, and of one that is not; below .6 pages ask to check it."""
ENGINE = {"engine": "simulated: the script of the role-play"}
SIMULATED = "Simulated: a role-play, with its script for a transcript and with invented codes. Nobody was recorded"
"""The note in the report and in the provenance of each of these tapes, and in `NOTE_FILE`; without a period."""
NOTE_FILE = "simulated.txt"
"""A file that every export of such a tape holds."""


class ScriptedEngines(Engines):
    """Engines that return the script of a role-play; ``number`` of the tape decides the machine's mistakes."""

    def __init__(self, settings: Settings, script: str, number: int, seed: int) -> None:
        super().__init__(settings)
        self._script, self._number, self._seed = script, number, seed

    def decode(
        self,
        recordings: Sequence[SoundSource],
        layout: FileLayout,
        start: int | None,
        end: int | None,
        progress: Progress,
    ) -> Recording:
        """Read the sound, with the note that this is simulated, so that report and provenance show it."""
        recording = super().decode(recordings, layout, start, end, progress)
        return replace(recording, warnings=(QualityWarning("simulated", None, SIMULATED), *recording.warnings))

    def models(self, kind: Any) -> dict[str, dict[str, str]]:
        """Return that no model is loaded."""
        return {}

    def sentences(self) -> Any:
        """Return a function that finds no further sentences: the script has them."""
        return lambda texts: [[] for _ in texts]

    def transcriber(self) -> Any:
        """Return an engine whose words are the script's."""
        words = [
            Word(Span(word.start, word.end), word.text, SURE)
            for utterance in scripts.utterances(self._script)
            for word in utterance.words
        ]
        transcript = Transcript(tuple(sorted(words, key=lambda word: word.span.start)), (), (), ENGINE)
        return SimpleNamespace(transcribe=lambda *_: transcript)

    def diarizer(self, *_: object) -> Any:
        """Return an engine whose voices are the script's."""
        voices = tuple(
            SpeakerSegment(Span(utterance.start, utterance.end), utterance.speaker)
            for utterance in scripts.utterances(self._script)
        )
        return SimpleNamespace(diarize=lambda *_: Diarization(voices, voices, (), ENGINE))

    @property
    def tagger(self) -> Any:
        """An engine that proposes the scripted codes with some mistakes."""
        gold = gold_codes(self._script)
        proposed = MACHINE.codes(gold, self._number, self._seed)

        def tag(table: pd.DataFrame, progress: Progress) -> pd.DataFrame:
            names = [str(name) for name in table["utterance_id"]]
            sure = [SURE if proposed[name] == gold[name] else UNSURE for name in names]
            shares = {
                f"p_{code}": [share if code in proposed[name] else 0.0 for name, share in zip(names, sure, strict=True)]
                for code in CODES
            }
            codes = ["|".join(proposed[name]) for name in names]
            return table.assign(
                codes=codes, probability=sure, needs_check=[share == UNSURE for share in sure], **shares
            )

        return SimpleNamespace(tag=tag, session_effect_sd={})


class Unwatched:
    """An observer of a run that shows nothing."""

    def started(self, stage: str) -> None:
        """Show nothing."""

    def progressed(self, stage: str, fraction: float) -> None:
        """Show nothing."""

    def finished(self, stage: str, reused: bool) -> None:
        """Show nothing."""


def gold_codes(script: str) -> dict[str, tuple[str, ...]]:
    """Return utterance -> scripted codes of a role-play."""
    return {name: line.codes for name, line in scripts.gold(script, "pretags").items()}


def run_role_play(script: str, tape_id: str, number: int, seed: int, settings: Settings, store: Path) -> Imported:
    """Return the results of a role-play as those of the tape ``tape_id``.

    Parameters
    ----------
    store: a folder in which the stages that every tape of a role-play shares are kept.
    """
    role_play = scripts.ROLE_PLAYS[script]
    turns = tuple(
        WrittenTurn(utterance.speaker, role_named(utterance.role), " ".join(word.text for word in utterance.words))
        for utterance in scripts.utterances(script)
    )
    request = ProcessRequest(
        (scripts.recording(script),),
        role_play.target_behavior,
        tape_id=tape_id,
        transcript=WrittenTranscript(turns, has_utterances=True),
    )
    run = Run(request, settings, Unwatched(), engines=ScriptedEngines(settings, script, number, seed))
    imported = importing.of_recording(*run.finish(FolderStageStore(store)))
    return replace(imported, files={**imported.files, NOTE_FILE: f"{SIMULATED}.\n".encode()})
