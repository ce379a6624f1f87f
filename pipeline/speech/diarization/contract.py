"""Who speaks when: what every diarizer returns.

Three diarizers keep to one contract (`Diarizer`): ``pyannote`` tells voices apart by their sound, ``channels`` takes
each channel of a recording for one speaker, and ``manual`` reads an RTTM file. All return a `Diarization`::

    segments   S1 ████████████░░░░░░░░████████      overlap kept
               S2 ░░░░░██░░░░████████████░░░░░
    exclusive     11111111111122222222111111        one speaker at a time, to be merged with words
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pipeline.audio.recording import Recording
from pipeline.run.progress import Progress
from pipeline.speech.cores import Cores
from pipeline.timeline import Span

Kind = Literal["pyannote", "channels", "manual"]


@dataclass(frozen=True, order=True)
class SpeakerSegment:
    """A stretch of one speaker's speech, in milliseconds of the segment. Speakers are ``"S1"``, ``"S2"``, …"""

    span: Span
    speaker: str


@dataclass(frozen=True)
class Diarization:
    """Who speaks when in one recording.

    ``segments`` are ordered by start; those of one speaker neither overlap nor touch, those of different speakers may
    overlap. ``exclusive`` holds at most one speaker at any time, and only where ``segments`` has the same speaker.
    ``spurious_speakers`` have so little speech that they are probably nobody: reported, never merged into another.
    ``engine`` is provenance. ``hidden`` are stretches of a speaker that sound like one more person than was asked for,
    ``alike`` speakers who can hardly be told apart (`pipeline.speech.diarization.hidden_voices`).
    """

    segments: tuple[SpeakerSegment, ...]
    exclusive: tuple[SpeakerSegment, ...]
    spurious_speakers: tuple[str, ...]
    engine: dict[str, Any]
    hidden: tuple[SpeakerSegment, ...] = ()
    alike: tuple[str, ...] = ()


class Diarizer(Protocol):
    """Tells speakers apart. The same recording gives the same result; one without speech gives no segments.

    Speakers are numbered by first appearance, save that on two channels ``S1`` is always the first channel, and that
    names of this kind in an RTTM file stay.
    """

    def diarize(self, recording: Recording, cores: Cores, progress: Progress) -> Diarization:
        """Return who speaks when in a recording, computed on at most one core."""
