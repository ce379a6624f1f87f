"""The survey of a draft's recording: how long it is, how it looks, what to be careful about, how its files lie.

A recording is surveyed when its last byte is here, and again when a member says how two files belong together. Of
several files, and of a file with several sound tracks, the whole is kept as one sound, so that the part can be chosen
by ear: a browser plays the first track of a file, which may be the silent one.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from pipeline.audio import assembly, overview, quality
from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.audio.recording import SAMPLE_RATE, QualityWarning, Recording, peaks
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from pipeline.tapes.db.records import Item
from pipeline.tapes.home import Home
from pipeline.tapes.vault.joined_items import JoinedItems

_SURVEYED_MINUTES = 180.0  # of one file: longer than any session, so that whoever forgot to stop can pick by eye, too
_ASSEMBLED_MINUTES = 60.0  # of sound that has to be put together in memory: 230 MB for each of two people
_POINTS = 1200  # of the drawing: one for each pixel of a wide page
_PAUSE = 600  # ms without speech: longer than the usual gap between two turns, about 200
_PAUSES = 2000  # at most, of an hour one every 1.8 s; the page loads them with the peaks
_TRACK = re.compile(r"^(?:.*?: )?(\d+) \((.*)\)$")


@dataclass(frozen=True)
class Survey:
    """A survey of a whole recording; ``peaks`` are its largest magnitudes, 0 to 255, evenly over ``shown`` ms.

    ``duration`` is None where the recording goes on beyond what was looked at. ``notes`` are sentences about the sound;
    ``layout`` is how the files belong together, and ``voice`` the interviewer's where each file holds one person;
    ``order`` are the files' numbers as they follow each other, where they came otherwise. ``pauses`` are the middles of
    the stretches in which nobody speaks, in milliseconds.
    """

    sha256: str
    duration: int | None
    shown: int
    peaks: tuple[int, ...]
    notes: tuple[str, ...] = ()
    layout: FileLayout = ONE_FILE
    voice: str | None = None
    order: tuple[int, ...] = ()
    pauses: tuple[int, ...] = ()

    def packed(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self)).encode()


_SURVEY = TypeAdapter(Survey)


def unpacked(content: bytes) -> Survey:
    """The survey that `Survey.packed` wrote."""
    return _SURVEY.validate_json(content)


@dataclass(frozen=True)
class TrackOption:
    """A sound track that a member may choose, in words."""

    number: int
    words: str


@dataclass(frozen=True)
class Surveyed:
    """A survey, and the whole as one sound (FLAC) where the file itself would not play it."""

    survey: Survey
    sound: bytes | None


def make(
    home: Home, files: Sequence[Sequence[Item]], layout: FileLayout, voice: str | None, settings: AudioSettings
) -> Surveyed:
    """Survey the recording whose files lie in these items.

    Raises
    ------
    AudioError: A01 to A18.
    """
    with ExitStack() as opened:
        sounds = [opened.enter_context(JoinedItems(home.vault, pieces)) for pieces in files]
        return of_files(sounds, layout, voice, settings)


def of_files(files: Sequence[SoundSource], layout: FileLayout, voice: str | None, settings: AudioSettings) -> Surveyed:
    """Survey up to three hours of a file, or an hour of several; beyond that, the part is chosen by numbers alone.

    Raises
    ------
    AudioError: A01 to A18.
    """
    if len(files) == 1 and not layout.tracks and (seen := _looked_over(files[0], settings)) is not None:
        heights = np.maximum.reduceat(seen.peaks, range(0, len(seen.peaks), -(-len(seen.peaks) // _POINTS)))
        duration = seen.shown if seen.complete else None
        shown = seen.shown if seen.complete else seen.shown // 60_000 * 60_000
        level = quality.decibels(seen.peaks**2)
        return Surveyed(_survey(seen.sha256, duration, shown, heights, level, seen.warnings, layout, voice), None)
    return _of_several(files, layout, voice, settings)


def _looked_over(file: SoundSource, settings: AudioSettings) -> overview.Overview | None:
    """Look a file over; a slow machine that cannot decode three hours in the time that a decoder has takes one."""
    try:
        return overview.look_over(file, settings, int(_SURVEYED_MINUTES * 60_000))
    except AudioError as error:
        if error.code != "TR-A14":
            raise
        return overview.look_over(file, settings, int(_ASSEMBLED_MINUTES * 60_000))


def _of_several(
    files: Sequence[SoundSource], layout: FileLayout, voice: str | None, settings: AudioSettings
) -> Surveyed:
    """Survey sound that has to be put together, or chosen, before it can be looked at: an hour of it in memory."""
    limit = int(_ASSEMBLED_MINUTES * 60_000)
    wide = settings.model_copy(
        update={"segment_limit_minutes": _ASSEMBLED_MINUTES, "hard_limit_minutes": _ASSEMBLED_MINUTES}
    )
    try:
        recording = assembly.decode(files, layout, wide)
        duration: int | None = recording.end
    except AudioError as error:
        if error.code != "TR-A10":
            raise
        recording, duration = assembly.decode(files, layout, wide, 0, limit), None
    drawn = peaks(recording.samples, max(1, 1000 * _POINTS // recording.end)).max(axis=0)
    digest = recording.source.sha256
    level = quality.levels(recording.samples).max(axis=0)
    survey = _survey(digest, duration, recording.end, drawn, level, recording.warnings, layout, voice)
    return Surveyed(survey, _flac(recording))


def _survey(
    sha256: str,
    duration: int | None,
    shown: int,
    drawn: np.ndarray,
    level: np.ndarray,
    warnings: Sequence[QualityWarning],
    layout: FileLayout,
    voice: str | None,
) -> Survey:
    heights = tuple(int(min(255, value * 255)) for value in drawn)
    notes = tuple(each.message for each in warnings)
    pauses = quality.pauses(level, _PAUSE, _PAUSES)
    return Survey(sha256, duration, shown, heights, notes, layout, voice, pauses=pauses)


def early_words(sound: SoundSource, settings: AudioSettings, last: int) -> tuple[str, ...]:
    """Return what is wrong with the first seconds of a recording that is still being sent; nothing where none is read.

    Parameters
    ----------
    last: milliseconds to look at.
    """
    try:
        recording = assembly.decode((sound,), FileLayout(), settings, 0, last)
    except AudioError:  # an index at the end of the file, or too little of it yet: the whole is looked at in the end
        return ()
    heeded = ("no_speech", "quiet", "clipping", "narrow_band")
    return tuple(warning.message for warning in recording.warnings if warning.code in heeded)


def tracks(question: AudioError) -> tuple[TrackOption, ...]:
    """Return the sound tracks that the error A16 asks about."""
    matches = (_TRACK.match(part) for part in question.value.split("; "))
    return tuple(TrackOption(int(match[1]), f"{match[1]}: {match[2]}") for match in matches if match)


def track_list(content: bytes) -> tuple[TrackOption, ...]:
    """Return the tracks that were stored with `packed_tracks`."""
    rows: list[dict[str, Any]] = json.loads(content)
    return tuple(TrackOption(**row) for row in rows)


def packed_tracks(question: AudioError) -> bytes:
    """Return the tracks of a question, as JSON."""
    return json.dumps([asdict(track) for track in tracks(question)]).encode()


def _flac(recording: Recording) -> bytes:
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, recording.samples.T, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()
