"""The sound tracks of one file: which of them are the recording.

A screen recorder writes a track for the microphone and one for the call, a camera a dubbed one or a copy::

    voice A + voice B            two channels, one voice each: the best of all recordings
    silence + voices             the voices; the silent track is skipped, with a word
    the same + the same          one of them
    mix + voice A + voice B      the two voices; the mix holds nothing else
    anything else                nobody but the member knows: the tracks are named, and asked about

Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from pipeline.audio import quality
from pipeline.audio.decoder import DecodedAudio
from pipeline.audio.quality import SAMPLE_RATE, QualityWarning
from pipeline.errors import AudioError
from pipeline.run.progress import Progress
from pipeline.timeline import clock

MOST = 8
"""Tracks of a file that are looked at; recorders write six at most."""

_SAME = 0.9  # correlation of two encodings of one sound; speech of two people stays below 0.3
_REST = -15.0  # dB of what two voices leave of their mix; a third voice leaves more
_LOUD = 12.0  # dB below usual speech; a voice that leaks from a microphone to another stays below
_TURNS = 0.6  # of chance, between the tenth of a conversation and the whole of unrelated sounds; chosen here
_APART = SAMPLE_RATE // 10  # samples by which encoders may delay the same sound
_COMPARED, _WIDTH = 6, 4 * SAMPLE_RATE  # stretches that are compared, and samples of each
_SPEECH_MS = quality.LEAST_SPEECH
_VAD_FRAME = 512  # samples; the network answers for each
_NAMELESS = ("", "und")
UNREADABLE = ("TR-A02", "TR-A06", "TR-A07", "TR-A08")
"""What keeps one track from being read, and says nothing about the others."""


@dataclass(frozen=True)
class Track:
    """One decoded track; ``number`` counts the file's tracks from 1; ``samples`` are float32, (channels, n), 16 kHz."""

    number: int
    language: str
    title: str
    samples: np.ndarray

    @property
    def mono(self) -> np.ndarray:
        """The mean of the channels: float32, shape (n,)."""
        mean: np.ndarray = self.samples.mean(axis=0)
        return mean

    def __str__(self) -> str:
        """The track as a person may know it again."""
        known = [f"'{self.title.replace(';', ',')}'"] if self.title else []
        known += [] if self.language in _NAMELESS else [self.language]
        lasts = clock(self.samples.shape[1] * 1000 // SAMPLE_RATE)
        return f"{self.number} ({', '.join([*known, lasts, _level(self.mono)])})"


@dataclass(frozen=True)
class TrackChoice:
    """The sound of a file: that of ``tracks``, in one or two channels, and what was skipped, in warnings."""

    tracks: tuple[int, ...]
    samples: np.ndarray
    warnings: tuple[QualityWarning, ...] = ()


def decoded(
    decode: Callable[[int, Progress], DecodedAudio], numbers: Sequence[int], thing: str, progress: Progress
) -> tuple[dict[int, DecodedAudio], tuple[QualityWarning, ...]]:
    """Return the tracks of a file by their numbers, from 1, and a warning for each that cannot be read.

    Parameters
    ----------
    decode: decodes a track by its place, from 0. numbers: the tracks to take; all without any.

    Raises
    ------
    AudioError: that of ``decode``, where none can be read or one that was named cannot; A16 a number that is none.
    """
    if numbers:
        return {number: decode(number - 1, progress) for number in numbers}, ()
    tracks: dict[int, DecodedAudio] = {}
    refused: dict[int, AudioError] = {}
    count = 2  # the first tells how many there are; where it cannot be read, the second does
    number = 1
    while number <= count:
        try:
            tracks[number] = decode(number - 1, progress)
            count = min(MOST, len(tracks[number].tracks))
        except AudioError as error:
            if error.code not in UNREADABLE or (len(refused) == 1 and not tracks):
                raise next(iter(refused.values()), error) from error
            refused[number] = error
        number += 1
    return tracks, tuple(
        QualityWarning("track", None, f"sound track {number} {error.value} and was skipped")
        for number, error in refused.items()
    )


def chosen(tracks: Mapping[int, DecodedAudio], named: bool, thing: str) -> TrackChoice:
    """Return the sound of a file: of its only track, of those that were ``named``, or else as `choose` has it.

    Raises
    ------
    AudioError: A16 more than one of them may be meant.
    """
    decoded_tracks = [_track(number, audio) for number, audio in tracks.items()]
    if len(decoded_tracks) == 1:
        return TrackChoice((decoded_tracks[0].number,), decoded_tracks[0].samples)
    if named:
        return TrackChoice(tuple(tracks), side_by_side(decoded_tracks))
    return choose(decoded_tracks, thing)


def _track(number: int, audio: DecodedAudio) -> Track:
    description = audio.tracks[number - 1] if number <= len(audio.tracks) else None
    title, language = (description.title, description.language) if description else ("", "")
    return Track(number, language, title, audio.samples)


def choose(tracks: Sequence[Track], thing: str) -> TrackChoice:
    """Return the sound of a file with several tracks.

    Raises
    ------
    AudioError: A16 more than one of them may be meant.
    """
    voiced = [track for track in tracks if _has_voice(track)]
    silent = [track for track in tracks if track not in voiced] if voiced else list(tracks[1:])
    warnings = [_skipped(track, tracks, "holds no voice") for track in silent]
    left: list[Track] = []
    for track in voiced or tracks[:1]:
        same = next((other for other in left if same_sound(other.mono, track.mono)), None)
        if same is None:
            left.append(track)
        else:
            warnings.append(_skipped(track, tracks, f"holds the same sound as track {same.number}"))
    if len(left) == 1:
        return TrackChoice((left[0].number,), left[0].samples, tuple(warnings))
    pair = _two_voices(left)
    if pair is None:
        named = "; ".join(map(str, tracks))
        value = f"has {len(tracks)} sound tracks, and more than one may be meant: {named}"
        raise AudioError("A16", thing, value, f"name the one to take, for example --track {left[0].number}")
    warnings += [_skipped(track, tracks, "is the mix of the others") for track in left if track not in pair]
    numbers = pair[0].number, pair[1].number
    message = f"sound tracks {numbers[0]} and {numbers[1]} hold one voice each and were taken as two channels"
    return TrackChoice(numbers, side_by_side(pair), (QualityWarning("tracks", None, message), *warnings))


def side_by_side(tracks: Sequence[Track]) -> np.ndarray:
    """One channel per track, each the mean of its own: float32, shape (tracks, n); shorter ones end in silence."""
    longest = max(track.samples.shape[1] for track in tracks)
    return np.stack([np.pad(track.mono, (0, longest - track.samples.shape[1])) for track in tracks])


def same_sound(first: np.ndarray, second: np.ndarray) -> bool:
    """Return whether two mono sounds, (n,) each, are one but for level, polarity, encoding and a short delay."""
    from scipy.signal import correlate

    length = min(len(first), len(second))
    if length < _WIDTH or abs(len(first) - len(second)) > 2 * SAMPLE_RATE:
        return False
    alike = []
    for start in np.linspace(_APART, length - _WIDTH - _APART, _COMPARED).astype(int):
        if start < _APART:
            continue
        stretch, around = first[start : start + _WIDTH], second[start - _APART : start + _WIDTH + _APART]
        power = float(stretch @ stretch) * float(around @ around)
        if power > 0:
            alike.append(float(np.abs(correlate(around, stretch, mode="valid", method="fft")).max()) / np.sqrt(power))
    return bool(alike) and float(np.median(alike)) >= _SAME


def _two_voices(tracks: Sequence[Track]) -> tuple[Track, Track] | None:
    """The two tracks that hold one voice each, if the others hold no more than their mix."""
    for first, second in combinations(tracks, 2):
        others = [track for track in tracks if track not in (first, second)]
        channels = side_by_side((first, second))
        if len(others) > 1 or not quality.two_voices(channels) or not take_turns(channels):
            continue
        if all(_is_mix(track, first, second) for track in others):
            return first, second
    return None


def take_turns(channels: np.ndarray) -> bool:
    """Return whether the voices of two channels, (2, n), leave room to each other, as in one conversation.

    Of two unrelated sounds, both are loud as often as chance has it; in a conversation, a tenth as often.
    """
    loud = []
    for level in quality.levels(channels):
        active = quality.activity(level)
        if not active.any():
            return False
        loud.append(level > np.percentile(level[active], 98) - _LOUD)
    return bool((loud[0] & loud[1]).mean() < _TURNS * loud[0].mean() * loud[1].mean())


def _is_mix(track: Track, first: Track, second: Track) -> bool:
    """Whether a track is the sum of two others, each at a level of its own."""
    mix, *voices = side_by_side((track, first, second))
    parts = np.stack(voices)
    gains = np.linalg.lstsq(parts @ parts.T, parts @ mix, rcond=None)[0]
    rest = mix - gains @ parts
    return bool(10 * np.log10(max(float(rest @ rest), 1e-20) / max(float(mix @ mix), 1e-20)) < _REST)


def _has_voice(track: Track) -> bool:
    """Whether somebody speaks on a track for at least a second; music and ringing are nobody."""
    level = quality.levels(track.samples).max(axis=0)
    if quality.activity(level).sum() * quality.FRAME < _SPEECH_MS:
        return False
    from faster_whisper.vad import get_vad_model

    samples = track.mono
    samples = samples * np.float32(0.5 / max(float(np.abs(samples).max()), 1e-6))
    probability = np.asarray(get_vad_model()(np.pad(samples, (0, -len(samples) % _VAD_FRAME)))).reshape(-1)
    return bool((probability > 0.5).sum() * _VAD_FRAME * 1000 >= _SPEECH_MS * SAMPLE_RATE)


def _level(samples: np.ndarray) -> str:
    level = quality.levels(samples)
    active = quality.activity(level)
    if not active.any():
        return "silent"
    return f"{10 * np.log10(np.mean(10 ** (level[active] / 10))):.0f} dBFS"


def _skipped(track: Track, tracks: Sequence[Track], reason: str) -> QualityWarning:
    return QualityWarning("track", None, f"sound track {track.number} of {len(tracks)} {reason} and was skipped")
