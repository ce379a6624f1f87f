"""One recording from its files: one file, a file per person side by side, or the parts of a session joined.

::

    side by side    client  ├──────────────────┤          two channels, one voice each
                    other        ├─────────────────┤
    joined          ├─ part 1 ─┤  gap  ├─ part 2 ─┤       one file after the other

All times are milliseconds of the whole: of a recording that begins with the file that begins first. Files per person
are placed by the sound that both picked up (`pipeline.audio.alignment`), and a clock that runs differently is brought
to the first file's. Where nothing surely says so, the files are not placed by guess: an offset that is given does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pipeline.audio import alignment, quality, source_file, track_choice
from pipeline.audio import recording as audio
from pipeline.audio.alignment import Alignment
from pipeline.audio.extent import SLACK
from pipeline.audio.file_layout import FileLayout, require_layout, together
from pipeline.audio.quality import SAMPLE_RATE, QualityWarning
from pipeline.audio.recording import Part, Recording, SoundSegment, Source
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import AudioError
from pipeline.run.progress import Progress, ignore
from pipeline.settings import AudioSettings
from pipeline.timeline import Span, clock, to_seconds

_PER_MS = SAMPLE_RATE // 1000  # samples
_AROUND = 600_000  # ms before and after the segment in which the files are compared: they may begin so far apart
_ENDS_APART = 30_000  # ms: two people stop their recorders within half a minute; chosen here, not measured
_DISAGREES = 0.5  # seconds between an offset that was given and one that the sound shows
_STEADY = 0.8  # share of the stretches that must agree; a recorder that paused in the middle leaves half
_UNHEARD = 180  # seconds without anything shared; drift is carried on over them
_ASK = "say with --offset how many seconds later the second file begins than the first: 0 where both begin together"
_CHECK = "check at the beginning and at the end that words and sound agree"


def decode(
    paths: Sequence[SoundSource],
    layout: FileLayout,
    settings: AudioSettings,
    start: int | None = None,
    end: int | None = None,
    progress: Progress = ignore,
) -> Recording:
    """Return the segment of a recording that is made of one or more files.

    Raises
    ------
    AudioError: A01 to A16, see `pipeline.audio.recording.read`; A17 two files share no sound that places them,
        A18 files or options do not belong together.
    """
    require_layout(len(paths), layout)
    if len(paths) == 1:
        return audio.decode(paths[0], settings, start, end, progress, layout.tracks)
    return (_joined if layout.join else _side_by_side)(paths, layout, settings, start, end, progress)


def fingerprint(paths: Sequence[SoundSource], settings: AudioSettings) -> str:
    """Return the SHA-256 of one file, or of those of several, in order.

    Raises
    ------
    AudioError: A01 to A03 and A12, one of them cannot be a recording.
    """
    return together([audio.fingerprint(path, settings) for path in paths])


# a file per person


def _side_by_side(
    paths: Sequence[SoundSource],
    layout: FileLayout,
    settings: AudioSettings,
    start: int | None,
    end: int | None,
    progress: Progress,
) -> Recording:
    durations = [audio.duration(path, settings) for path in paths]
    limit = int(min(settings.segment_limit_minutes, settings.hard_limit_minutes) * 60_000)
    from_first = start or 0
    last = end if end is not None else from_first + limit + SLACK
    known = layout.offset or 0
    sounds = []
    for number, (path, duration, shift) in enumerate(
        zip(paths, durations, (min(0, known), -max(0, known)), strict=True)
    ):
        first, final = max(0, from_first + shift - _AROUND), min(duration, last + shift + _AROUND)
        whole = first == 0 and final == duration
        _require_sound(path, first, final, duration)
        share = partial(_share, progress, number, len(paths))
        sounds.append(audio.read(path, _wide(settings), first, None if whole else final, share))
    if sounds[0].source.sha256 == sounds[1].source.sha256:
        raise _refused(paths, "are the same file", "name the other person's file")
    aligned, warnings = _aligned(sounds, layout.offset, paths)
    return _laid(sounds, durations, aligned, warnings, settings, start, end)


def _require_sound(path: SoundSource, first: int, final: int, duration: int) -> None:
    if final - first < 1000:
        value = f"ends at {clock(duration)}, before the segment begins"
        raise AudioError("A11", f"recording {source_file.printable(path)}", value, "choose an earlier --start")


def _aligned(
    sounds: Sequence[SoundSegment], offset: int | None, paths: Sequence[SoundSource]
) -> tuple[Alignment, list[QualityWarning]]:
    """How the second file lies against the first, in seconds of the files, and what to be careful about."""
    first, second = (sound.samples.mean(axis=0) for sound in sounds)
    measured = alignment.align(first, second)
    begins = [sound.start / 1000 for sound in sounds]
    overlap = 0.0 if measured is None else min(len(first) / SAMPLE_RATE, len(second) / SAMPLE_RATE - measured.lag)
    if measured is not None:  # from the clocks of what was read to those of the files
        lag = measured.lag + begins[1] - (1 + measured.drift) * begins[0]
        measured = replace(measured, lag=lag)
    if measured is None and offset is None:
        raise AudioError("A17", _named(paths), "share no sound by which they could be placed", _ASK)
    if measured is None or (offset is not None and abs(measured.lag + offset / 1000) > _DISAGREES):
        given = Alignment(-(offset or 0) / 1000, 0.0, 1.0, 0.0, 0.0)
        if measured is None:
            message = f"the drift of the two files' clocks could not be checked, as they share no sound: {_CHECK}"
        else:
            message = (
                f"the second file was placed {_later(-given.lag)} the first, as given (--offset), but the sound that "
                f"both picked up says {_later(-measured.lag)} it: {_CHECK}"
            )
        return given, [QualityWarning("file_offset", None, message)]
    if track_choice.same_sound(*_overlapping(first, second, sounds, measured)):
        raise _refused(paths, "hold the same sound", "name the other person's file")
    message = (
        f"the second file was placed {_later(-measured.lag / (1 + measured.drift))} the first, by the sound that both "
        "picked up"
    )
    warnings = [QualityWarning("file_offset", None, message)]
    if measured.drift:
        faster = "faster" if measured.drift > 0 else "slower"
        message = (
            f"the second file's clock is {abs(measured.drift) * 1e6:.0f} millionths {faster} "
            f"({abs(measured.drift) * 1_200_000:.0f} ms in 20 minutes): it was brought to the first one's"
        )
        warnings.append(QualityWarning("clock_drift", None, message))
    if measured.steady < _STEADY:
        message = (
            f"the two files do not stay together (only {measured.steady:.0%} of what both picked up agrees), perhaps "
            f"because a recorder paused: {_CHECK}"
        )
        warnings.append(QualityWarning("clock_drift", None, message))
    if overlap - measured.until > _UNHEARD or measured.since > _UNHEARD:
        message = (
            f"nothing that both picked up shows how the two files lie before {clock(int(measured.since * 1000))} and "
            f"after {clock(int(measured.until * 1000))}: {_CHECK}"
        )
        warnings.append(QualityWarning("file_offset", None, message))
    return measured, warnings


def _overlapping(
    first: np.ndarray, second: np.ndarray, sounds: Sequence[SoundSegment], aligned: Alignment
) -> tuple[np.ndarray, np.ndarray]:
    """The stretches of both that were recorded at the same time, of the same length."""
    shift = round((aligned.lag - sounds[1].start / 1000 + sounds[0].start / 1000) * SAMPLE_RATE)
    first, second = first[max(0, -shift) :], second[max(0, shift) :]
    length = min(len(first), len(second))
    return first[:length], second[:length]


def _laid(
    sounds: Sequence[SoundSegment],
    durations: Sequence[int],
    aligned: Alignment,
    warnings: list[QualityWarning],
    settings: AudioSettings,
    start: int | None,
    end: int | None,
) -> Recording:
    """Two channels on the clock of a recording that begins with the file that begins first."""
    speed = 1 + aligned.drift
    second_begins = round(-aligned.lag / speed * 1000)
    begins = (max(0, -second_begins), max(0, second_begins))
    lasts = (durations[0], round(durations[1] / speed))
    whole = max(begin + duration for begin, duration in zip(begins, lasts, strict=True))
    first, last = _segment(start, end, whole, settings, [sound.source.name for sound in sounds])
    samples = np.zeros((2, (last - first) * _PER_MS), np.float32)
    for channel, sound, begin, duration, rate in zip(samples, sounds, begins, durations, (1.0, speed), strict=True):
        _require_covered(sound, (first - begin) * rate, (last - begin) * rate, duration, aligned)
        _put(channel, _resampled(sound.samples.mean(axis=0), rate), begin + round(sound.start / rate) - first)
    parts = tuple(
        Part(sound.source, begin, drift)
        for sound, begin, drift in zip(sounds, begins, (0.0, round(aligned.drift * 1e6, 1)), strict=True)
    )
    if abs(begins[0] + lasts[0] - begins[1] - lasts[1]) > _ENDS_APART:
        shorter = min((0, 1), key=lambda number: begins[number] + lasts[number])
        ends = clock(begins[shorter] + lasts[shorter])
        message = f"the {('first', 'second')[shorter]} file ends at {ends}: from there on only one person is recorded"
        warnings.append(QualityWarning("file_ends", None, message))
    if not track_choice.take_turns(samples) and quality.two_voices(samples):
        message = f"the two people talk at the same time throughout, as if their files were placed wrongly: {_CHECK}"
        warnings.append(QualityWarning("file_offset", None, message))
    if not quality.two_voices(samples):
        message = (
            "both files seem to hold both voices, as if two recorders lay on one table: check who is who "
            "(--names takes each file for one person)"
        )
        warnings.append(QualityWarning("not_one_voice_each", None, message))
    return _recording(samples, first, sounds, parts, warnings, settings)


def _require_covered(sound: SoundSegment, first: float, last: float, duration: int, aligned: Alignment) -> None:
    """Refuse a segment of which something was not read, as the files begin too far apart; times of the file in ms."""
    read_to = sound.start + sound.samples.shape[1] // _PER_MS
    if max(0, first) < sound.start - SLACK or min(duration, last) > read_to + SLACK:
        value = f"begins more than {_AROUND // 60_000} minutes before or after the other file"
        raise AudioError("A17", f"recording {sound.source.name}", value, f"add --offset {-aligned.lag:.3f}")


# parts of one session


def _joined(
    paths: Sequence[SoundSource],
    layout: FileLayout,
    settings: AudioSettings,
    start: int | None,
    end: int | None,
    progress: Progress,
) -> Recording:
    durations = [audio.duration(path, settings) for path in paths]
    gaps = layout.gaps * (len(paths) - 1) if len(layout.gaps) == 1 else layout.gaps or (0,) * (len(paths) - 1)
    begins = [0]
    for duration, gap in zip(durations, (*gaps, 0), strict=True):
        begins.append(begins[-1] + duration + gap)
    whole = begins.pop()
    first, last = _segment(start, end, whole, settings, [source_file.printable(path) for path in paths])
    sounds: list[SoundSegment] = []
    placed: list[tuple[int, SoundSegment]] = []
    for number, (path, duration, begin) in enumerate(zip(paths, durations, begins, strict=True)):
        share = partial(_share, progress, number, len(paths))
        cut_from, cut_to = max(0, first - begin), min(duration, last - begin)
        if cut_to <= 0 or cut_from >= duration:  # outside of the segment: only what it is is looked at
            cut_from, cut_to = 0, min(duration, 2 * SLACK)
        elif cut_to - cut_from < 2 * SLACK:  # less than a second is refused by itself, and cut off again here
            cut_from, cut_to = max(0, cut_to - 2 * SLACK), min(duration, cut_from + 2 * SLACK)
        is_whole = cut_from == 0 and cut_to == duration
        sound = audio.read(path, _wide(settings), cut_from, None if is_whole else cut_to, share)
        sounds.append(sound)
        placed.append((begin + cut_from - first, sound))
    channels = {len(sound.samples) for sound in sounds}
    samples = np.zeros((channels.pop() if len(channels) == 1 else 1, (last - first) * _PER_MS), np.float32)
    for at, sound in placed:
        parts_of_sound = sound.samples if len(sound.samples) == len(samples) else sound.samples.mean(axis=0)[None]
        for channel, part in zip(samples, parts_of_sound, strict=True):
            _put(channel, part, at)
    parts = tuple(Part(sound.source, begin) for sound, begin in zip(sounds, begins, strict=True))
    return _recording(samples, first, sounds, parts, _joints(begins, durations, gaps, bool(layout.gaps)), settings)


def _joints(begins: Sequence[int], durations: Sequence[int], gaps: Sequence[int], given: bool) -> list[QualityWarning]:
    """Return a warning about each joint, with its time in the whole recording."""
    warnings = []
    for number, gap in enumerate(gaps, 1):
        ends = begins[number - 1] + durations[number - 1]
        if given:
            how = f"after a gap of {to_seconds(gap)} s, which is silent here"
        else:
            how = "without a gap: if the recorder was off in between, times from there on are too early (--gap)"
        message = f"file {number} ends at {clock(ends)} of the recording, and file {number + 1} was joined to it {how}"
        warnings.append(QualityWarning("joined", None, message))
    return warnings


# both


def _segment(
    start: int | None, end: int | None, whole: int, settings: AudioSettings, names: Sequence[str]
) -> tuple[int, int]:
    """The bounds of the segment in the whole recording, checked."""
    thing = f"recording {' + '.join(names)}"
    first, last = start or 0, whole if end is None else end
    limit = int(min(settings.segment_limit_minutes, settings.hard_limit_minutes) * 60_000)
    if last <= first:
        raise AudioError("A11", thing, f"lasts {clock(whole)}, and has no such segment", "give --start before --end")
    if last > whole + SLACK:
        raise AudioError("A11", thing, f"ends at {clock(whole)}, before the segment does", "choose an earlier --end")
    if last - first > limit + SLACK:
        remedy = (
            f"choose a part with --start and --end, for example --start {clock(first)} --end {clock(first + limit)}"
        )
        raise AudioError("A10", thing, f"lasts {clock(last - first)}, more than {clock(limit)}", remedy)
    return first, min(last, whole)


def _recording(
    samples: np.ndarray,
    first: int,
    sounds: Sequence[SoundSegment],
    parts: tuple[Part, ...],
    warnings: Sequence[QualityWarning],
    settings: AudioSettings,
) -> Recording:
    """The segment, checked, with a source that stands for all files."""
    sources = [sound.source for sound in sounds]
    source = Source(
        name=" + ".join(source.name for source in sources),
        sha256=together([source.sha256 for source in sources]),
        container=" + ".join(source.container for source in sources),
        codec=" + ".join(source.codec for source in sources),
        sample_rate=min(source.sample_rate for source in sources),
        channels=len(samples),
        duration=first + samples.shape[1] // _PER_MS,
        declared=None,
    )
    of_files = [
        replace(
            warning,
            span=_moved(warning.span, part.begins + sound.start - first),
            message=f"file {number}: {warning.message}",
        )
        for number, (sound, part) in enumerate(zip(sounds, parts, strict=True), 1)
        for warning in sound.warnings
    ]
    clipped: dict[int, int] = {}
    for sound, part in zip(sounds, parts, strict=True):
        for second, runs in sound.clipped:
            at = (part.begins + sound.start - first) // 1000 + second
            if 0 <= at < samples.shape[1] // SAMPLE_RATE + 1:
                clipped[at] = clipped.get(at, 0) + runs
    whole = SoundSegment(samples, first, source, tuple(sorted(clipped.items())), (*warnings, *of_files))
    return audio.checked(whole, settings, parts)


def _put(channel: np.ndarray, samples: np.ndarray, at: int) -> None:
    """Put samples into a channel at a time in ms, which may lie before it; what lies outside is cut."""
    begin = at * _PER_MS
    part = samples[max(0, -begin) : max(0, len(channel) - begin)]
    channel[max(0, begin) : max(0, begin) + len(part)] = part


def _resampled(samples: np.ndarray, speed: float) -> np.ndarray:
    if speed == 1:
        return samples
    import soxr

    slower: np.ndarray = soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE)
    return slower


def _wide(settings: AudioSettings) -> AudioSettings:
    """The settings for a file of several: the limit is the whole recording's."""
    return settings.model_copy(
        update={
            "segment_limit_minutes": settings.source_limit_minutes,
            "hard_limit_minutes": settings.source_limit_minutes,
        }
    )


def _share(progress: Progress, number: int, of: int, fraction: float) -> None:
    progress((number + fraction) / of)


def _later(seconds: float) -> str:
    return f"{abs(seconds):.3f} s {'after' if seconds >= 0 else 'before'} the beginning of"


def _named(paths: Sequence[SoundSource]) -> str:
    return f"files {' and '.join(source_file.printable(path) for path in paths)}"


def _refused(paths: Sequence[SoundSource], value: str, remedy: str) -> AudioError:
    return AudioError("A18", _named(paths), value, remedy)


def _moved(span: Span | None, milliseconds: int) -> Span | None:
    """A span of a file as one of the recording; None if it ends before that begins."""
    if span is None or span.end + milliseconds <= 0:
        return None
    return Span(max(0, span.start + milliseconds), span.end + milliseconds)
