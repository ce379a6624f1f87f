"""The second opinion on the number of voices, on windows made here: 10 s each, one every 2 s, two local speakers."""

from __future__ import annotations

import numpy as np

from pipeline.speech.diarization import hidden_voices
from pipeline.speech.diarization.contract import Diarization, SpeakerSegment
from pipeline.timeline import Span

WINDOWS, FRAMES = 40, 100
FRAME = 100.0  # ms
STARTS = np.arange(WINDOWS) * 2_000.0


def session(*segments: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Activity and voice of each local speaker for (voice, start, end in seconds): a voice takes its own row."""
    active = np.zeros((WINDOWS, FRAMES, 3), bool)
    for voice, start, end in segments:
        for window in range(WINDOWS):
            times = STARTS[window] / 1000 + np.arange(FRAMES) / 10
            active[window, (times >= start) & (times < end), voice] = True
    voices = np.where(active.any(axis=1), np.arange(3), -2)
    return active, voices


def test_a_voice_that_hides_in_another_is_found_with_its_times() -> None:
    active, free = session((0, 0, 20), (1, 20, 40), (2, 40, 50), (0, 50, 70))
    asked = np.where(free == 2, 1, free)
    doubts = hidden_voices.compare(asked, free, active, STARTS, FRAME)
    assert doubts.hidden == (Span(40_000, 50_000),)
    assert doubts.alike == ()
    segments = (
        SpeakerSegment(Span(0, 20_000), "S1"),
        SpeakerSegment(Span(20_000, 50_000), "S2"),
        SpeakerSegment(Span(50_000, 70_000), "S1"),
    )
    hidden, alike = doubts.by_speaker(segments)
    assert hidden == (SpeakerSegment(Span(40_000, 50_000), "S2"),)
    (note,) = hidden_voices.notes(Diarization(segments, segments, (), {}, hidden, alike))
    assert "within voice S2, most at 0:40-0:50" in note


def test_as_many_voices_as_were_asked_for_are_no_doubt() -> None:
    active, free = session((0, 0, 20), (1, 20, 40), (0, 40, 70))
    assert hidden_voices.compare(free, free, active, STARTS, FRAME) == hidden_voices.Doubts((), ())
    assert hidden_voices.compare(1 - np.abs(free), 1 - np.abs(free), active, STARTS, FRAME).hidden == ()


def test_a_cough_is_no_voice() -> None:
    active, free = session((0, 0, 30), (1, 30, 60), (2, 60, 63))
    asked = np.where(free == 2, 1, free)
    assert hidden_voices.compare(asked, free, active, STARTS, FRAME).hidden == ()


def test_two_voices_that_count_as_one_are_alike() -> None:
    active, asked = session((0, 0, 20), (1, 20, 40), (0, 40, 60))
    doubts = hidden_voices.compare(asked, np.minimum(asked, 0), active, STARTS, FRAME)
    segments = (SpeakerSegment(Span(0, 20_000), "S1"), SpeakerSegment(Span(20_000, 40_000), "S2"))
    assert doubts.by_speaker(segments) == ((), ("S1", "S2"))
    (note,) = hidden_voices.notes(Diarization(segments, segments, (), {}, (), ("S1", "S2")))
    assert note.startswith("S1 and S2 sound so much alike")


def test_one_speaker_who_is_left_is_not_like_anybody() -> None:
    active, asked = session((0, 0, 20), (1, 20, 40))
    doubts = hidden_voices.compare(asked, np.minimum(asked, 0), active, STARTS, FRAME)
    assert doubts.by_speaker((SpeakerSegment(Span(0, 40_000), "S1"),)) == ((), ())
