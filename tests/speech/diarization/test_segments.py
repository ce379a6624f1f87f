"""Operations on speaker segments, by hand."""

from __future__ import annotations

import pytest

from pipeline.speech.diarization.segments import crop, exclusive, fill_gaps, numbered_labels, relabel, spurious_speakers
from pipeline.timeline import Span
from tests.speech.diarization.samples import SETTINGS, segments


def test_the_longest_stretch_keeps_the_floor():
    """S1 talks on while S2 says "mm-hm", and S2 begins before S1 ends: S1's stretch is the longest each time."""
    detected = segments((0, 5000, "S1"), (2000, 2400, "S2"), (4500, 8000, "S2"))
    assert exclusive(detected) == segments((0, 5000, "S1"), (5000, 8000, "S2"))


def test_a_voice_goes_on_through_a_short_pause():
    detected = segments((0, 1000, "S1"), (1299, 2000, "S1"), (2300, 3000, "S1"))
    assert fill_gaps(detected) == segments((0, 2000, "S1"), (2300, 3000, "S1"))


def test_a_pause_in_which_another_speaks_is_one():
    detected = segments((0, 1000, "S1"), (900, 1100, "S2"), (1300, 2000, "S1"), (1450, 1800, "S2"))
    assert fill_gaps(detected) == detected


def test_nobody_has_no_floor():
    assert exclusive(()) == ()


def test_cropping_joins_what_touches_and_drops_what_lies_outside():
    detected = segments((0, 900, "a"), (900, 1500, "a"), (1200, 1300, "b"), (1400, 3000, "a"), (5000, 6000, "b"))
    assert crop(detected, Span(1000, 2000)) == segments((0, 1000, "a"), (200, 300, "b"))


@pytest.mark.parametrize(
    ("detected", "spurious"),
    [
        ([(0, 60_000, "S1"), (60_000, 61_900, "S2")], ("S2",)),  # 1.9 s: under 2 s
        ([(0, 60_000, "S1"), (60_000, 62_100, "S2")], ()),  # 2.1 s and 3.4 %
        ([(0, 200_000, "S1"), (200_000, 206_000, "S2")], ("S2",)),  # 6 s, but 2.9 %
        ([(0, 60_000, "S1"), (60_000, 90_000, "S2"), (90_000, 91_000, "S3")], ("S3",)),
        ([(0, 500, "S1")], ()),  # alone
        ([], ()),
    ],
)
def test_a_voice_with_little_speech_is_spurious(detected, spurious):
    assert spurious_speakers(segments(*detected), SETTINGS.diarization) == spurious


def test_speakers_are_numbered_by_first_appearance():
    detected = segments((500, 900, "zoe"), (0, 600, "adam"), (1000, 1200, "zoe"))
    labels = numbered_labels(detected)
    assert labels == {"adam": "S1", "zoe": "S2"}
    assert relabel(detected, labels) == segments((0, 600, "S1"), (500, 900, "S2"), (1000, 1200, "S2"))
