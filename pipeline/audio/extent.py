"""How far a recording goes, against what its header says, what is asked for and what we read."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.audio import continuity
from pipeline.audio.decoder import DecodedAudio, Hole
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.audio.source_file import CUT, RENEW
from pipeline.errors import AudioError
from pipeline.settings import AudioSettings
from pipeline.timeline import clock

SLACK = 1000
"""Milliseconds by which a time may be off: encoders pad, headers round, people type whole seconds."""

_SHORTEST = 1000  # ms


def segment(settings: AudioSettings, start: int | None, end: int | None, thing: str) -> tuple[int, int]:
    """The begin and stop of reading, in ms: a little after the limit, to see whether the recording goes on."""
    begin, limit = start or 0, _limit(settings)
    last = int(settings.source_limit_minutes * 60_000)
    if begin < 0 or (end is not None and end <= begin):
        raise AudioError(
            "A11", thing, "has no such segment: the segment ends before it begins", "give --start before --end"
        )
    if max(begin, end or 0) > last:
        raise AudioError("A12", thing, f"is read only up to {clock(last)}", CUT)
    if end is not None and end - begin > limit + SLACK:
        raise _too_long(settings, f"is asked for a segment of {clock(end - begin)}", begin, thing)
    return begin, begin + limit + SLACK if end is None else end


def _limit(settings: AudioSettings) -> int:
    return int(min(settings.segment_limit_minutes, settings.hard_limit_minutes) * 60_000)


def _too_long(settings: AudioSettings, value: str, begin: int, thing: str) -> AudioError:
    limit = _limit(settings)
    remedy = f"choose a part with --start and --end, for example --start {clock(begin)} --end {clock(begin + limit)}"
    return AudioError("A10", thing, f"{value}, more than {clock(limit)}", remedy)


def holes(tracks: Sequence[DecodedAudio], begin: int, samples: int, thing: str) -> list[Hole]:
    """The holes in the tracks of a segment. Raises A05 if too much of one is damaged."""
    duration = samples * 1000 // SAMPLE_RATE
    holes: list[Hole] = []
    for track in tracks:
        in_track = continuity.within(track.holes, begin, begin + duration)
        if continuity.is_too_damaged(in_track, duration):
            value = f"is damaged: of {clock(duration)}, {continuity.lost(in_track)} cannot be decoded"
            raise AudioError("A05", thing, value, f"{RENEW}, or name the part to take with --start and --end")
        holes += [hole for hole in in_track if hole not in holes]
    return sorted(holes, key=lambda hole: hole.start)


def check_extent(decoded: DecodedAudio, settings: AudioSettings, begin: int, end: int | None, thing: str) -> None:
    """Refuse a recording or a segment that is too long, too short, or not there."""
    declared, extent = decoded.format.declared, decoded.extent
    last = int(settings.source_limit_minutes * 60_000)
    if declared is not None and declared > last:
        raise AudioError("A12", thing, f"lasts {clock(declared)}, longer than {clock(last)}", CUT)
    if not extent.complete and end is None:
        lasts = f"lasts at least {clock(max(declared or 0, extent.duration) - begin)}"
        raise _too_long(settings, f"{lasts} from {clock(begin)} on" if begin else lasts, begin, thing)
    if extent.duration == 0:
        raise AudioError("A02", thing, "holds no sound", "check the settings of the recorder")
    if extent.complete and extent.duration + SLACK < max(begin, end or 0):
        verb, option = ("does", "--end") if begin < extent.duration else ("begins", "--start")
        value = f"ends at {clock(extent.duration)}, before the segment {verb}"
        raise AudioError("A11", thing, value, f"choose an earlier {option}")
    if extent.duration - begin < _SHORTEST:
        raise AudioError("A02", thing, "holds less than a second of sound there", "choose a longer segment")


def contradiction(decoded: DecodedAudio) -> str | None:
    """A contradiction of the decoded duration and the header's, in words like those of a `Layout`, or None."""
    declared, extent = decoded.format.declared, decoded.extent
    if not extent.complete or declared is None or abs(declared - extent.duration) <= max(SLACK, declared // 100):
        return None
    lasts = clock(extent.duration)
    return f"is cut off or its header is wrong: the header says {clock(declared)}, but there are {lasts}"


def damaged(damage: str, thing: str) -> AudioError:
    """Return the error for a file whose header and content contradict each other, in the words of a `Layout`."""
    return AudioError("A13", thing, damage, f"{RENEW}, or name the part to take with --start and --end")
