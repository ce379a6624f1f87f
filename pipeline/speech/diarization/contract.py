"""Who speaks when.

Three diarizers meet one contract (`Diarizer`): ``pyannote`` tells voices apart by their sound, ``channels`` takes
each channel of a recording for one voice, and ``manual`` believes an RTTM file. All answer with a `Diarization`::

    voices     S1 ████████████░░░░░░░░████████      as heard, overlap kept
               S2 ░░░░░██░░░░████████████░░░░░
    exclusive     11111111111122222222111111        one voice at a time, to be merged with words
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from pipeline.audio.recording import Recording
from pipeline.errors import SpeechError
from pipeline.formats import rttm as rttm_format
from pipeline.formats.rttm import Line
from pipeline.run.progress import Progress
from pipeline.settings import DiarizationSettings, Settings
from pipeline.speech.cores import Cores
from pipeline.timeline import Span, merge, to_seconds

Kind = Literal["pyannote", "channels", "manual"]

_OURS = re.compile(r"S[1-9]\d{0,3}")

PAUSE = 300
"""A voice goes on through a shorter pause, in milliseconds, as in NIST's Rich Transcription evaluations."""


@dataclass(frozen=True, order=True)
class Voice:
    """A stretch of one speaker's speech, in milliseconds of the segment. Speakers are ``"S1"``, ``"S2"``, …"""

    span: Span
    speaker: str


@dataclass(frozen=True)
class Diarization:
    """Who speaks when in one segment.

    ``voices`` are ordered by start; those of one speaker neither overlap nor touch, those of different speakers may
    overlap. ``exclusive`` holds at most one voice at any time, and says nothing that ``voices`` do not say.
    ``ghosts`` are speakers with so little speech that they are probably nobody: reported, never merged into another.
    ``engine`` is provenance.
    """

    voices: tuple[Voice, ...]
    exclusive: tuple[Voice, ...]
    ghosts: tuple[str, ...]
    engine: dict[str, Any]


class Diarizer(Protocol):
    """Tells voices apart. The same recording gives the same answer; a recording without speech gives no voices.

    Speakers are numbered by first appearance, save that on two channels ``S1`` is always the first channel, and that
    names of this kind in an RTTM file stay.
    """

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Who speaks when in a recording, computed on at most one core."""


def load(
    kind: Kind, settings: Settings, speakers: int | None = 2, rttm: Path | None = None, tape_id: str = ""
) -> Diarizer:
    """The diarizer of a kind. Weights are read when it starts to work.

    Parameters
    ----------
    speakers: how many voices there are; None lets ``pyannote`` count them. The other two know.
    rttm: the file of the ``manual`` diarizer.
    tape_id: the tape's name, by which a file that came from the same tape is known.
    """
    if kind == "manual":
        if rttm is None:
            raise ValueError("the manual diarizer needs an RTTM file")
        return ManualDiarizer(rttm, settings.diarization, tape_id)
    if kind == "channels":
        from pipeline.speech.diarization.channels import ChannelsDiarizer

        return ChannelsDiarizer(settings.diarization)
    from pipeline.speech.diarization.pyannote import PyannoteDiarizer

    return PyannoteDiarizer(settings, speakers)


@dataclass(frozen=True)
class ManualDiarizer:
    """Believes an RTTM file.

    A file of ours says what its times count from, and of which recording it speaks. Those of another file count from
    the start of the whole recording; lines that are called after the tape (``tape_id``) are of its segment.
    """

    rttm: Path
    settings: DiarizationSettings
    tape_id: str = ""

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """The file's voices within the segment; voices that are called ``S1``, ``S2``, … keep their names.

        Raises
        ------
        SpeechError: P10 the file cannot be read, P11 a line is not RTTM, P12 it is another recording's file, P13 nobody
        speaks in the segment.
        """
        zero, lines = self._told(recording)
        told = (Voice(line.span.shift(zero), line.speaker) for line in lines)
        heard = clipped(told, Span(recording.start, recording.end))
        ours = all(_OURS.fullmatch(voice.speaker) for voice in heard)
        voices = heard if ours else renamed(heard, numbers(heard))
        if not voices:
            value = f"names no voice from {recording.start / 1000:.1f} s to {recording.end / 1000:.1f} s"
            remedy = f"check --start and --end; its times count from {to_seconds(zero)} s of the recording"
            raise SpeechError("P13", f"file {self.rttm.name}", value, remedy)
        progress(1.0)
        engine = {"diarizer": "manual", "checksum": fingerprint(self.rttm)}
        return Diarization(voices, exclusive(voices), ghosts(voices, self.settings), engine)

    def _told(self, recording: Recording) -> tuple[int, list[Line]]:
        """The lines about this recording, and the zero of their times in milliseconds of it."""
        file, thing = rttm_format.voices(self.rttm), f"file {self.rttm.name}"
        if file.recording is not None and file.recording != recording.source.sha256:
            remedy = "name the right file, or remove its SPKR-INFO lines if both have the same sound"
            raise SpeechError("P12", thing, f"was made of another recording (SHA-256 {file.recording[:12]}…)", remedy)
        named = dict.fromkeys(sorted(line.recording for line in file.lines))
        wanted = rttm_format.name(recording.source.name)
        zeros = {wanted: 0} | dict.fromkeys(rttm_format.tape_names(self.tape_id) - {wanted}, recording.start)
        if file.recording is not None and len(named) == 1:
            zeros = dict.fromkeys(named, 0)
        known = next((name for name in zeros if name in named), wanted)  # the recording's own name comes first
        if named and known not in named:
            value = f"names {', '.join(list(named)[:3])}, not {wanted}"
            raise SpeechError("P12", thing, value, "name the right file, or change the second field of its lines")
        lines = [line for line in file.lines if line.recording == known]
        return zeros[known] if file.zero is None else file.zero, lines


def fingerprint(rttm: Path) -> str:
    """The SHA-256 of an RTTM file.

    Raises
    ------
    SpeechError: P10 the file cannot be read.
    """
    return hashlib.sha256(rttm_format.content(rttm)).hexdigest()


def channel_speaker(number: int) -> str:
    """The speaker of a channel, counted from 0, where each channel holds one voice."""
    return f"S{number + 1}"


def clipped(voices: Iterable[Voice], window: Span) -> tuple[Voice, ...]:
    """Voices within a window, in its time, ordered by start; where one speaker's overlap or touch, they become one."""
    spans: dict[str, list[Span]] = {}
    for voice in sorted(voices):
        if shared := voice.span & window:
            spans.setdefault(voice.speaker, []).append(shared.shift(-window.start))
    return tuple(sorted(Voice(span, speaker) for speaker in spans for span in merge(spans[speaker], 1)))


def bridged(voices: Iterable[Voice]) -> tuple[Voice, ...]:
    """Voices that go on through pauses shorter than `PAUSE`, unless another voice is heard in the pause."""
    ordered = sorted(voices)
    last: dict[str, Voice] = {}
    done: list[Voice] = []
    for voice in ordered:
        before = last.get(voice.speaker)
        if before and voice.span.start - before.span.end < PAUSE:
            pause = Span(before.span.end, max(before.span.end, voice.span.start))
            if not any(other.span & pause for other in ordered if other.speaker != voice.speaker):
                last[voice.speaker] = Voice(before.span | voice.span, voice.speaker)
                continue
        if before:
            done.append(before)
        last[voice.speaker] = voice
    return tuple(sorted([*done, *last.values()]))


def numbers(voices: Iterable[Voice]) -> dict[str, str]:
    """``S1``, ``S2``, … for the speakers of voices, by first appearance."""
    speakers = dict.fromkeys(voice.speaker for voice in sorted(voices))
    return {speaker: f"S{number}" for number, speaker in enumerate(speakers, 1)}


def renamed(voices: Iterable[Voice], names: Mapping[str, str]) -> tuple[Voice, ...]:
    """The same voices under other names."""
    return tuple(sorted(replace(voice, speaker=names[voice.speaker]) for voice in voices))


def exclusive(voices: Iterable[Voice]) -> tuple[Voice, ...]:
    """One voice at a time: where several speak, the one whose stretch is the longest keeps the floor."""
    ordered = sorted(voices)
    edges = sorted({edge for voice in ordered for edge in (voice.span.start, voice.span.end)})
    holders: list[Voice] = []
    speaking: list[Voice] = []
    upcoming = iter([*ordered, None])
    following = next(upcoming)
    for start, end in itertools.pairwise(edges):
        while following and following.span.start <= start:
            speaking.append(following)
            following = next(upcoming)
        speaking = [voice for voice in speaking if voice.span.end > start]
        if speaking:
            floor = min(speaking, key=lambda voice: (-voice.span.duration, voice))
            holders.append(Voice(Span(start, end), floor.speaker))
    return clipped(holders, Span(0, edges[-1])) if edges else ()


def ghosts(voices: Iterable[Voice], settings: DiarizationSettings) -> tuple[str, ...]:
    """Speakers with suspiciously little speech: a small share or a few seconds. Whoever speaks most is none."""
    spoken: Counter[str] = Counter()
    for voice in voices:
        spoken[voice.speaker] += voice.span.duration
    least = max(settings.ghost_seconds * 1000, settings.ghost_share * spoken.total())
    others = sorted(spoken, key=lambda speaker: (-spoken[speaker], speaker))[1:]
    return tuple(sorted(speaker for speaker in others if spoken[speaker] < least))
