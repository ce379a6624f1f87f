"""The functions of the main job's stages: one per stage, from its inputs and the results that it takes.

None of them stores anything; `pipeline.stages` lists the stages with what each declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from pipeline.audio import quality
from pipeline.audio.recording import QualityWarning, Recording, Source
from pipeline.coding import segmentation
from pipeline.errors import SpeechError
from pipeline.formats import tape_tables, text_language, time_origin
from pipeline.formats.written_transcript import WrittenTranscript
from pipeline.run import language_notes, results
from pipeline.run.progress import Progress
from pipeline.run.results import Attribution, Measured, Results
from pipeline.run.stage import StageContext
from pipeline.speech import faint_speech, role_notes, roles, transcriber, transcript_attribution, turns
from pipeline.speech.diarization import channels, hidden_voices, manual
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from pipeline.timeline import UNKNOWN, Role, Turn, to_seconds


@dataclass(frozen=True)
class ManualTurns:
    """The turns that a human wrote: an RTTM file, and the names by which its lines are known to be of a tape."""

    rttm: Path
    tape_id: str
    recording: str

    def identity(self) -> list[str]:
        """Return what decides their result: the file's SHA-256 and the names.

        Raises
        ------
        SpeechError: P10 the file cannot be read.
        """
        return [manual.checksum(self.rttm), self.tape_id, self.recording]


def decode(context: StageContext) -> Recording:
    """Return the segment's samples."""
    inputs = context.inputs
    return context.engines.decode(
        inputs["recordings"], inputs["layout"], inputs["start"], inputs["end"], context.progress
    )


def transcribe(context: StageContext, recording: Recording) -> Transcript:
    """Return the words; where each channel holds one voice, those that its own speaker says."""
    engine = context.engines.transcriber()
    if _diarizer(context, recording) != "channels":
        return engine.transcribe(recording.mono, context.cores, context.progress)
    segments = channels.find_segments(recording, context.cores)
    transcripts = []
    for number, samples in enumerate(recording.samples):
        progress = partial(_share, context.progress, number, len(recording.samples))
        speaker = channels.channel_speaker(number)
        spans = [segment.span for segment in segments if segment.speaker == speaker]
        transcript = engine.transcribe(channels.isolate(samples, spans), context.cores, progress, spans)
        transcripts.append(transcript.by(speaker))
    return transcriber.merge_channels(transcripts)


def diarize(context: StageContext, recording: Recording) -> Diarization:
    """Return who speaks when."""
    manual_turns: ManualTurns | None = context.inputs["turns"]
    kind, speakers = _diarizer(context, recording), context.inputs["speakers"]
    if manual_turns is None:
        return context.engines.diarizer(kind, speakers, None, "").diarize(recording, context.cores, context.progress)
    recording = replace(recording, source=replace(recording.source, name=manual_turns.recording))
    engine = context.engines.diarizer(kind, speakers, manual_turns.rttm, manual_turns.tape_id)
    return engine.diarize(recording, context.cores, context.progress)


def attribute(
    context: StageContext, recording: Recording, transcript: Transcript, diarization: Diarization
) -> Attribution:
    """Return who said what in which role.

    Raises
    ------
    SpeechError: P01 no words could be recognized, P02 the interviewer that was named does not speak.
    """
    if not transcript.words:
        remedy = "listen to it, and check that the speakers are near the microphone"
        raise SpeechError("P01", "recording", "has no words that could be recognized", remedy)
    written: WrittenTranscript | None = context.inputs["transcript"]
    aligned = None
    if written is not None:
        given = context.inputs["settings.transcription"].language
        spoken = text_language.of_words([turn.text for turn in written.turns], given)
        aligned = transcript_attribution.placed(written, transcript, diarization, recording.duration, spoken)
    words = aligned.words if aligned else turns.attribute(transcript.words, diarization)
    speech = turns.turns(words)
    decided = (aligned.roles if aligned else None) or _roles(context, speech, diarization.spurious_speakers)
    notes = [*(aligned.notes if aligned else ()), *role_notes.notes(decided, speech, context.inputs["speakers"])]
    context.progress(0.2)
    first_words = aligned.first_words if aligned else None
    utterances = segmentation.utterances(speech, decided, context.engines.sentences(), first_words)
    notes += language_notes.of_utterances(utterances, decided)
    doubtful = tuple(segment.span for segment in diarization.hidden)
    return Attribution(speech, decided, utterances, tuple(notes), doubtful)


def tag(context: StageContext, attribution: Attribution) -> pd.DataFrame:
    """Return the utterances with the codes that the machine proposes, as `tape_tables.UTTERANCE_COLUMNS`."""
    table = results.utterance_table(context.inputs["tape_id"], attribution)
    table = table.assign(target_behavior=context.inputs["target_behavior"])
    tagged = context.engines.tagger.tag(table, context.progress)[list(tape_tables.UTTERANCE_COLUMNS)]
    doubtful = [
        any(2 * utterance.span.overlap(span) > utterance.span.duration for span in attribution.doubtful)
        for utterance in attribution.utterances
    ]
    return tagged.assign(needs_check=tagged["needs_check"].to_numpy(dtype=bool) | np.array(doubtful, dtype=bool))


def measure(context: StageContext, table: pd.DataFrame) -> Measured:
    """Return the session's measures by the codebook's rule."""
    spread = context.engines.tagger.session_effect_sd
    return Measured.of(table, context.inputs["codebook"], context.inputs["settings.measures"], spread)


def report(
    context: StageContext,
    recording: Recording,
    transcript: Transcript,
    diarization: Diarization,
    attribution: Attribution,
    table: pd.DataFrame,
    measured: Measured,
) -> tuple[Results, dict[str, bytes]]:
    """Return all results, and the files that are made of them: name -> content."""
    inputs = context.inputs
    unheard = (*borne_out(recording.warnings, transcript), *_missing(recording, transcript, diarization, attribution))
    recording = replace(recording, warnings=unheard)
    made_by: Mapping[str, Any] = inputs["provenance"]
    source = _source(recording.source)
    files = [
        _source(part.source) | {"begins": to_seconds(part.begins), "drift_millionths": part.drift}
        for part in recording.parts
    ]
    provenance = {
        "run": made_by["run"],
        "tape_review": made_by["tape_review"],
        "tape_id": inputs["tape_id"],
        "recording": source,
        "segment": {"start": to_seconds(recording.start), "end": to_seconds(recording.end)},
        "zero": time_origin.sentence(results.zero(recording)),
        "asked": made_by["asked"],
        "settings": made_by["settings"],
        "versions": made_by["versions"],
        "engines": {"transcriber": transcript.engine, "diarizer": diarization.engine},
        "languages": language_notes.provenance(transcript),
        "models": made_by["models"],
        "codebook": {name: getattr(inputs["codebook"], name) for name in ("name", "version", "counting")},
        "warnings": [*attribution.notes, *language_notes.of_sound(transcript), *warnings(recording, diarization)],
        "files": files or [source | {"begins": to_seconds(0), "drift_millionths": 0.0}],
    }
    tape = Results(
        tape_id=inputs["tape_id"],
        target_behavior=inputs["target_behavior"],
        recording=recording,
        transcript=transcript,
        diarization=diarization,
        attribution=attribution,
        table=table,
        measured=measured,
        book=inputs["codebook"],
        provenance=provenance,
    )
    return tape, tape.files()


def _missing(
    recording: Recording, transcript: Transcript, diarization: Diarization, attribution: Attribution
) -> Iterator[QualityWarning]:
    """Yield what the engines suggest is missing: one voice more, or sounds without words."""
    words = [word.span for turn in attribution.turns for word in turn.words]
    for note in hidden_voices.notes(diarization):
        yield QualityWarning("voices", None, note)
    for note in faint_speech.notes(recording.mono, [*words, *transcript.vocalizations]):
        yield QualityWarning("unheard", None, note)


def borne_out(warnings: Sequence[QualityWarning], transcript: Transcript) -> tuple[QualityWarning, ...]:
    """Return the warnings without "no speech was found", which levels alone suggest, where words say otherwise."""
    spoken = sum(word.span.duration for word in transcript.words)
    return tuple(warning for warning in warnings if warning.code != "no_speech" or spoken < quality.LEAST_SPEECH)


def _source(source: Source) -> dict[str, Any]:
    """Return a file's facts but for its name, which may be a client's."""
    facts = asdict(source)
    del facts["name"]
    return facts


def warnings(recording: Recording, diarization: Diarization) -> list[str]:
    """Return what to be careful about, in sentences: in the recording, and about speakers that may be an error."""
    brief = (
        f"another voice, {speaker}, is so brief, or so much like another one, that it may be an error: "
        "check by ear whether a third person speaks"
        for speaker in diarization.spurious_speakers
    )
    return [*(warning.message for warning in recording.warnings), *brief]


def _diarizer(context: StageContext, recording: Recording) -> Literal["pyannote", "channels", "manual"]:
    kind: Literal["auto", "pyannote", "channels", "manual"] = context.inputs["diarizer"]
    if kind != "auto":
        return kind
    return "channels" if recording.two_voices else "pyannote"


def _roles(context: StageContext, speech: Sequence[Turn], spurious: Sequence[str]) -> Roles:
    interviewer, speakers = context.inputs["interviewer"], sorted({turn.speaker for turn in speech} - {UNKNOWN})
    named: Mapping[str, Role] | None = context.inputs["roles"]
    if named:
        for speaker in named:
            if speaker not in speakers:
                remedy = f"name voices of {', '.join(speakers)}"
                raise SpeechError("P02", f"voice {speaker}", "does not speak", remedy)
        return Roles.named(named)
    if interviewer is None:
        if len(speakers) > 1 and len({*speakers} - {*spurious}) < 2:
            return Roles("", 0.0, (), (), undecided="only one voice is surely somebody's")
        return roles.decide(speech, context.engines.roles())
    if interviewer not in speakers:
        raise SpeechError("P02", f"interviewer {interviewer}", "does not speak", f"name one of {', '.join(speakers)}")
    return Roles.given(interviewer, speakers)


def _share(progress: Progress, number: int, of: int, fraction: float) -> None:
    progress((number + fraction) / of)
