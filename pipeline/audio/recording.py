"""A recording: read once, safely, cut to the segment, checked, and kept as plain samples.

The engines get nothing but the float arrays that come out of here. The format is identified by the file's first bytes
(`pipeline.audio.sniff`); the file is decoded in a process that can reach nothing else (`pipeline.audio.decoder`,
`pipeline.audio.decoder_process`); the samples are leveled (`pipeline.audio.leveling`) and checked
(`pipeline.audio.quality`). All times of a `Recording` are
milliseconds; those of its warnings count from the start of the segment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np

from pipeline.audio import continuity, decoder, extent, folding, leveling, quality, source_file, track_choice
from pipeline.audio.decoder import DecodedAudio
from pipeline.audio.file_times import FileTimes
from pipeline.audio.quality import SAMPLE_RATE, QualityWarning, peaks
from pipeline.audio.source_bytes import SoundSource, SourceBytes
from pipeline.audio.source_file import CUT, RENEW
from pipeline.errors import AudioError
from pipeline.run.progress import Progress, ignore
from pipeline.settings import AudioSettings
from pipeline.timeline import Span, clock

__all__ = [
    "SAMPLE_RATE",
    "Part",
    "QualityWarning",
    "Recording",
    "SoundSegment",
    "Source",
    "checked",
    "decode",
    "duration",
    "fingerprint",
    "load",
    "peaks",
    "read",
    "save",
    "times",
]

_SOUND, _METADATA = "recording.flac", "recording.json"


@dataclass(frozen=True)
class Source:
    """The file that a segment was cut from.

    ``duration`` is how far it was decoded, which ends with the segment; ``declared`` is its header's, if it gives one;
    both in milliseconds. ``sample_rate`` and ``channels`` are the file's own.
    """

    name: str
    sha256: str
    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: int
    declared: int | None


@dataclass(frozen=True)
class Part:
    """One of several files that make up a recording: where it ``begins`` in it, in milliseconds.

    ``drift`` is by how many millionths its clock is faster than the recording's.
    """

    source: Source
    begins: int
    drift: float = 0.0


@dataclass(frozen=True)
class SoundSegment:
    """The sound of one file as it was decoded, before anything judges it.

    ``samples`` are float32 of shape (channels, n) at 16 kHz, of any level; ``start`` is their place in the file, in
    milliseconds; ``clipped`` holds pairs as `decoder.DecodedExtent`; ``warnings`` are about the file, not the sound.
    """

    samples: np.ndarray
    start: int
    source: Source
    clipped: tuple[tuple[int, int], ...]
    warnings: tuple[QualityWarning, ...] = ()


@dataclass(frozen=True)
class Recording:
    """A decoded segment.

    ``samples`` are float32 of shape (channels, n), one or two channels at 16 kHz, in [-1, 1), on the grid of 16 bits.
    ``start`` and ``end`` are the segment's place in the source, in milliseconds. ``parts`` are the files of a recording
    that is made of several (`pipeline.audio.assembly`); ``source`` then stands for all of them.
    """

    samples: np.ndarray
    start: int
    end: int
    source: Source
    warnings: tuple[QualityWarning, ...]
    parts: tuple[Part, ...] = ()

    @property
    def mono(self) -> np.ndarray:
        """The mean of the channels: float32, shape (n,)."""
        mean: np.ndarray = self.samples.mean(axis=0)
        return mean

    @property
    def duration(self) -> int:
        """Length in milliseconds."""
        return self.end - self.start

    @property
    def two_voices(self) -> bool:
        """Whether each of two channels holds one speaker: the channel is then the best diarizer."""
        return quality.two_voices(self.samples)


def decode(
    file: SoundSource,
    settings: AudioSettings,
    start: int | None = None,
    end: int | None = None,
    progress: Progress = ignore,
    tracks: Sequence[int] = (),
) -> Recording:
    """Return the segment from ``start`` to ``end`` (milliseconds; the whole recording by default) of a file, checked.

    Raises
    ------
    AudioError: A01 to A19, as `read`.
    """
    return checked(read(file, settings, start, end, progress, tracks), settings)


def read(
    file: SoundSource,
    settings: AudioSettings,
    start: int | None = None,
    end: int | None = None,
    progress: Progress = ignore,
    tracks: Sequence[int] = (),
) -> SoundSegment:
    """Return the sound of a file from ``start`` to ``end``, as it was decoded.

    A file that is shorter or longer than its own header promises is refused as a whole; a segment that is named by
    its end is taken if it is there, with a warning. ``tracks`` are the numbers of the sound tracks to take, from 1:
    one, or two that hold one voice each; without any, `track_choice` decides.

    Raises
    ------
    AudioError: A01 to A19, see `pipeline.errors.CODES`.
    """
    name = source_file.printable(file)
    thing = f"recording {name}"
    begin, stop = extent.segment(settings, start, end, thing)
    with source_file.opened(file, settings, thing) as content:
        container, file_layout = source_file.identified(content, thing)
        damage = file_layout.damage
        if damage and end is None:
            raise extent.damaged(damage, thing)
        request = source_file.request(container, file_layout, begin, stop, settings)
        decode_track = partial(_decoded_track, content, request, thing)
        by_track, unreadable = track_choice.decoded(decode_track, tracks, thing, progress)
        longest = max(by_track.values(), key=lambda decoded: decoded.extent.duration)
        extent.check_extent(longest, settings, begin, end, thing)
        damage = damage or extent.contradiction(longest)
        if damage and end is None:
            raise extent.damaged(damage, thing)
        digest = content.sha256()
    folded = {number: folding.fold(track.samples) for number, track in by_track.items()}
    by_track = {number: replace(track, samples=folded[number][0]) for number, track in by_track.items()}
    choice = track_choice.chosen(by_track, bool(tracks), thing)
    first = by_track[choice.tracks[0]]
    source = Source(name, digest, container.name, **asdict(first.format), duration=longest.extent.duration)
    holes = extent.holes([by_track[number] for number in choice.tracks], begin, choice.samples.shape[1], thing)
    remarks = [warning for number in choice.tracks for warning in folded[number][1]]
    warnings = (*continuity.warnings(holes, file_layout.remark), *unreadable, *choice.warnings, *remarks)
    if damage:
        last = clock(begin + choice.samples.shape[1] * 1000 // SAMPLE_RATE)
        message = f"the file {damage}; the segment up to {last} was read anyway; to be sure, {RENEW}"
        warnings = (QualityWarning("duration_mismatch", None, message), *warnings)
    clipped = sorted(second for number in choice.tracks for second in by_track[number].extent.clipped)
    return SoundSegment(choice.samples, begin, source, tuple(clipped), warnings)


def checked(sound: SoundSegment, settings: AudioSettings, parts: tuple[Part, ...] = ()) -> Recording:
    """Return a segment at one level, with what there is to say about its quality."""
    leveled = leveling.leveled(sound.samples)
    judged = quality.inspect(
        leveled.samples,
        sound.source.sample_rate,
        sound.clipped,
        settings.quiet_dbfs,
        settings.silence_seconds,
        leveled.gains,
    )
    last = sound.start + sound.samples.shape[1] * 1000 // SAMPLE_RATE
    warnings = (*sound.warnings, *leveled.warnings, *judged)
    return Recording(leveled.samples, sound.start, last, sound.source, warnings, parts)


def duration(file: SoundSource, settings: AudioSettings) -> int:
    """Return how long the sound of a file is, in milliseconds, by decoding it; nothing of it is kept.

    Raises
    ------
    AudioError: A01 to A15.
    """
    return times(file, settings).duration


def times(file: SoundSource, settings: AudioSettings) -> FileTimes:
    """Return how long the sound of a file is, by decoding it, and when it was recorded; nothing of it is kept.

    Raises
    ------
    AudioError: A01 to A15.
    """
    thing = f"recording {source_file.printable(file)}"
    last = int(settings.source_limit_minutes * 60_000)
    with source_file.opened(file, settings, thing) as content:
        request = source_file.request(*source_file.identified(content, thing), last - 1, last, settings)
        by_track, _ = track_choice.decoded(partial(_decoded_track, content, request, thing), (), thing, ignore)
    extents = [decoded.extent for decoded in by_track.values()]
    if not all(extent.complete for extent in extents):
        raise AudioError("A12", thing, f"lasts longer than {clock(last)}", CUT)
    recorded = next(iter(by_track.values())).recorded
    return FileTimes(max(extent.duration for extent in extents), recorded)


def fingerprint(file: SoundSource, settings: AudioSettings) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises
    ------
    AudioError: A01 to A03 and A12, it cannot be a recording.
    """
    with source_file.opened(file, settings, f"recording {source_file.printable(file)}") as content:
        return content.sha256()


def save(recording: Recording) -> dict[str, bytes]:
    """Return the files that store a recording, 16-bit FLAC and JSON; `load` returns the very same samples."""
    import soundfile

    sound = BytesIO()
    whole = (recording.samples.T * 32_768).astype(np.int16)
    soundfile.write(sound, whole, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    metadata = {
        "start": recording.start,
        "end": recording.end,
        "source": asdict(recording.source),
        "parts": [asdict(part) for part in recording.parts],
        "warnings": [asdict(warning) for warning in recording.warnings],
    }
    return {_SOUND: sound.getvalue(), _METADATA: (json.dumps(metadata, indent=2, ensure_ascii=False) + "\n").encode()}


def load(files: Mapping[str, bytes]) -> Recording:
    """The recording that `save` made these files of."""
    import soundfile

    whole, _ = soundfile.read(BytesIO(files[_SOUND]), dtype="int16", always_2d=True)
    metadata = json.loads(files[_METADATA])
    warnings = tuple(
        QualityWarning(warning["code"], warning["span"] and Span(**warning["span"]), warning["message"])
        for warning in metadata["warnings"]
    )
    source, parts = Source(**metadata["source"]), metadata.get("parts", ())
    return Recording(_floats(whole.T), metadata["start"], metadata["end"], source, warnings, tuple(map(_part, parts)))


def _part(metadata: Mapping[str, Any]) -> Part:
    return Part(Source(**metadata["source"]), metadata["begins"], metadata["drift"])


def _decoded_track(
    content: SourceBytes, request: decoder.DecodeRequest, thing: str, track: int, progress: Progress
) -> DecodedAudio:
    return decoder.decode(content, replace(request, track=track), thing, progress)


def _floats(samples: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1) of 16-bit ones."""
    return np.ascontiguousarray(samples, np.float32) / np.float32(32_768)
