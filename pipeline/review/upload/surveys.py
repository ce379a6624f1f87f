"""The survey of a draft's recording: how long it is, how it looks, what to be careful about, how its files lie.

A recording is surveyed when its last byte is here, and again when a member says how two files belong together. Of
several files, and of a file with several sound tracks, the whole is kept as one sound, so that the part can be chosen
by ear: a browser plays the first track of a file, which may be the silent one.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.audio import assembly
from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.audio.recording import SAMPLE_RATE, Recording, peaks
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from pipeline.tapes.db.records import Item
from pipeline.tapes.home import Home
from pipeline.tapes.vault.scratch import named

_SURVEYED_MINUTES = 60.0  # in which a segment can be picked: longer than any session of motivational interviewing
_POINTS = 1200  # of the drawing: one for each pixel of a wide page
_TRACK = re.compile(r"^(?:.*?: )?(\d+) \((.*)\)$")


@dataclass(frozen=True)
class Survey:
    """A survey of a whole recording; ``peaks`` are its largest magnitudes, 0 to 255, evenly over ``shown`` ms.

    ``duration`` is None where the recording goes on beyond what was looked at. ``notes`` are sentences about the sound;
    ``layout`` is how the files belong together, and ``voice`` the interviewer's where each file holds one person.
    """

    sha256: str
    duration: int | None
    shown: int
    peaks: tuple[int, ...]
    notes: tuple[str, ...] = ()
    layout: FileLayout = ONE_FILE
    voice: str | None = None

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


def make(home: Home, files: Sequence[Item], layout: FileLayout, voice: str | None, settings: AudioSettings) -> Surveyed:
    """Survey the recording that lies in these items.

    Raises
    ------
    AudioError: A01 to A18.
    """
    with ExitStack() as opened:
        paths = []
        for item in files:
            sound = opened.enter_context(home.vault.scratch.file())
            with home.vault.open(item) as reader:
                shutil.copyfileobj(reader, sound, 1 << 20)
            paths.append(named(sound))
        return of_paths(paths, layout, voice, settings)


def of_paths(paths: Sequence[Path], layout: FileLayout, voice: str | None, settings: AudioSettings) -> Surveyed:
    """Survey up to an hour of a recording; beyond that, the part is chosen by numbers alone.

    Raises
    ------
    AudioError: A01 to A18.
    """
    limit = int(_SURVEYED_MINUTES * 60_000)
    wide = settings.model_copy(
        update={"segment_limit_minutes": _SURVEYED_MINUTES, "hard_limit_minutes": _SURVEYED_MINUTES}
    )
    try:
        recording = assembly.decode(paths, layout, wide)
        duration: int | None = recording.end
    except AudioError as error:
        if error.code != "TR-A10":
            raise
        recording, duration = assembly.decode(paths, layout, wide, 0, limit), None
    drawn = peaks(recording.samples, max(1, 1000 * _POINTS // recording.end)).max(axis=0)
    notes = tuple(warning.message for warning in recording.warnings)
    heights = tuple(int(min(255, value * 255)) for value in drawn)
    survey = Survey(recording.source.sha256, duration, recording.end, heights, notes, layout, voice)
    several = len(paths) > 1 or any(warning.code in ("track", "tracks") for warning in recording.warnings)
    return Surveyed(survey, _flac(recording) if several or layout.tracks else None)


def early_words(path: Path, settings: AudioSettings, last: int) -> tuple[str, ...]:
    """Return what is wrong with the first seconds of a recording that is still being sent; nothing where none is read.

    Parameters
    ----------
    last: milliseconds to look at.
    """
    try:
        recording = assembly.decode((path,), FileLayout(), settings, 0, last)
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
