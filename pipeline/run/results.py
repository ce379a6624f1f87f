"""The files that a run writes: tables, measures, report, provenance.

Their times count from the start of the segment. None of them holds the recording's file name, which may be a client's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.audio.recording import Recording
from pipeline.coding import volleys
from pipeline.coding.codebook import Codebook
from pipeline.formats import rttm, tape_tables, time_origin
from pipeline.formats.time_origin import Zero
from pipeline.measures.session import context, measures, readiness
from pipeline.measures.session.context import Transitions
from pipeline.report import render
from pipeline.run import language_notes
from pipeline.run.output import PROVENANCE
from pipeline.settings import MeasuresSettings
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from pipeline.speech.vocalizations import vocalizations
from pipeline.timeline import Span, Turn, Utterance, Vocalization

FILES = (
    *("utterances.csv", "words.csv", "change_talk.csv", "vocalizations.csv", "turns.rttm"),
    *("measures.json", PROVENANCE, "report.html"),
)


@dataclass(frozen=True)
class Attribution:
    """Who said what, in which role, cut into utterances.

    ``notes`` are sentences on the transcript that was brought, and on the roles. ``doubtful`` are stretches in which
    somebody else than the speaker seems to speak: their utterances are to be checked.
    """

    turns: tuple[Turn, ...]
    roles: Roles
    utterances: tuple[Utterance, ...]
    notes: tuple[str, ...] = ()
    doubtful: tuple[Span, ...] = ()


def zero(recording: Recording) -> Zero:
    """Return the moment of the recording from which a tape's times count."""
    return Zero(recording.start, [part.begins for part in recording.parts])


def utterance_table(tape_id: str, attribution: Attribution) -> pd.DataFrame:
    """Return one row per utterance, in order of start, not coded yet; times in ms."""
    rows = [
        (
            *(tape_id, f"u{number:04d}", f"t{utterance.turn + 1:04d}", utterance.role, utterance.speaker),
            *(utterance.span.start, utterance.span.end, utterance.text, utterance.language),
        )
        for number, utterance in enumerate(attribution.utterances, 1)
    ]
    return pd.DataFrame(rows, columns=[*tape_tables.UTTERANCE_COLUMNS[:8], "language"])


def word_table(tape_id: str, attribution: Attribution) -> pd.DataFrame:
    """Return one row per word, utterance by utterance; times in ms."""
    spoken = [
        (utterance_number, utterance, word)
        for utterance_number, utterance in enumerate(attribution.utterances, 1)
        for word in utterance.words
    ]
    rows = [
        (
            *(
                tape_id,
                f"w{position:05d}",
                f"u{utterance_number:04d}",
                f"t{utterance.turn + 1:04d}",
                word.speaker,
                utterance.role,
            ),
            *(word.span.start, word.span.end, word.text, word.probability, word.language),
        )
        for position, (utterance_number, utterance, word) in enumerate(spoken, 1)
    ]
    return pd.DataFrame(rows, columns=list(tape_tables.WORD_COLUMNS))


@dataclass(frozen=True)
class Measured:
    """All that is computed from a coded table."""

    figures: measures.SessionMeasures
    context: pd.DataFrame
    transitions: tuple[Transitions, Transitions]
    trajectory: readiness.ReadinessLine

    @classmethod
    def of(
        cls, table: pd.DataFrame, book: Codebook, settings: MeasuresSettings, spread: Mapping[str, float]
    ) -> Measured:
        """Measure the machine's tags by a codebook's rule; ``spread`` as in `pipeline.measures.session.draws`."""
        rule = book.rule(by_hand=False)
        table = table.assign(volley=volleys.volleys(table, rule))
        draw: dict[str, Any] = {
            "width": settings.interval,
            "seed": settings.seed,
            "session_effect_sd": spread,
            "draws": settings.draws,
        }
        return cls(
            measures.session_measures(table, rule, **draw),
            context.change_talk_context(table, rule),
            context.transitions(table),
            readiness.readiness_line(table, rule, **draw),
        )

    def as_dict(self, zero: str) -> dict[str, Any]:
        """Return plain JSON types: the figures (see there), ``transitions``, ``readiness`` and what times count from.

        ``zero`` is the sentence that says it (see `pipeline.formats.time_origin`).
        """
        before, after = self.transitions
        return {
            **self.figures.as_dict(),
            "transitions": {"interviewer_to_client": before.as_dict(), "client_to_interviewer": after.as_dict()},
            "readiness": self.trajectory.as_dict(),
            "zero": zero,
        }


@dataclass(frozen=True)
class Results:
    """Everything about a processed tape; ``table`` is the coded table."""

    tape_id: str
    target_behavior: str
    recording: Recording
    transcript: Transcript
    diarization: Diarization
    attribution: Attribution
    table: pd.DataFrame
    measured: Measured
    book: Codebook
    provenance: Mapping[str, Any]

    @property
    def vocalizations(self) -> tuple[Vocalization, ...]:
        """Voices without words, for a coder to listen to; ordered by start."""
        words = [word for turn in self.attribution.turns for word in turn.words]
        wordless = [
            span
            for span in self.transcript.vocalizations
            if not any(span.overlap(word.span) for word in words)  # a transcript that was brought may have some there
        ]
        return vocalizations(words, wordless, self.diarization)

    def files(self) -> dict[str, bytes]:
        """Return the content of each of `FILES`; in memory, as a durable job may store it encrypted only."""
        words, context = word_table(self.tape_id, self.attribution), self.measured.context
        recording, segments = self.recording, self.diarization.segments
        return {
            "utterances.csv": tape_tables.published(self.table, tape_tables.UTTERANCE_COLUMNS, zero(recording)),
            "words.csv": tape_tables.published(words, tape_tables.WORD_COLUMNS, zero(recording)),
            "change_talk.csv": tape_tables.published(context, list(context.columns), zero(recording)),
            "vocalizations.csv": tape_tables.published(
                self._vocalization_table(), tape_tables.VOCALIZATION_COLUMNS, zero(recording)
            ),
            "turns.rttm": rttm.encode(self.tape_id, segments, zero(recording), recording.source.sha256),
            "measures.json": as_json(self.measured.as_dict(time_origin.sentence(zero(recording)))),
            PROVENANCE: as_json(self.provenance),
            "report.html": render.render(self._shown()).encode(),
        }

    def _vocalization_table(self) -> pd.DataFrame:
        roles = self.attribution.roles
        rows = [
            (self.tape_id, sound.speaker, roles.role(sound.speaker), sound.span.start, sound.span.end)
            for sound in self.vocalizations
        ]
        return pd.DataFrame(rows, columns=list(tape_tables.VOCALIZATION_COLUMNS))

    def _shown(self) -> render.ReportData:
        recording, roles, transcript = self.recording, self.attribution.roles, self.transcript
        speakers = dict.fromkeys(turn.speaker for turn in self.attribution.turns)
        reasons = {roles.interviewer: roles.reasons}
        return render.ReportData(
            tape_id=self.tape_id,
            target_behavior=self.target_behavior,
            source=f"{recording.source.container}, {recording.source.sample_rate / 1000:g} kHz",
            start=recording.start,
            end=recording.end,
            table=self.table,
            measures=self.measured.figures,
            context=self.measured.context,
            transitions=self.measured.transitions,
            trajectory=self.measured.trajectory,
            codebook=self.book,
            speakers=tuple(
                render.Speaker(name, roles.role(name), roles.probability, reasons.get(name, ())) for name in speakers
            ),
            warnings=(
                *(render.Note(note) for note in self.attribution.notes),
                *(render.Note(note) for note in language_notes.of_sound(transcript)),
                *(render.Note(warning.message, warning.span) for warning in recording.warnings),
            ),
            ghosts=self.diarization.spurious_speakers,
            suppressed=tuple(
                render.Passage(passage.span, passage.text, passage.reason) for passage in transcript.suppressed
            ),
            vocalizations=self.vocalizations,
            provenance=self.provenance,
        )


def as_json(values: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON file."""
    return (json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
