"""Speech in chunks that fit an engine."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.speech.chunking import PER_MS, Chunk, Samples, chunks, detect_speech, pieces
from pipeline.timeline import Span
from tests.speech.parrot import OPTIONS, loud, silence, sound


def test_pieces_close_short_pauses_and_share_the_margin() -> None:
    speech = [Span(100, 1000), Span(1500, 2000), Span(2600, 3000), Span(9000, 9900)]
    assert pieces(speech, 10_000, pause=600, margin=400) == (Span(0, 2300), Span(2300, 3400), Span(8600, 10_000))


def test_no_chunk_is_longer_than_asked_and_no_speech_is_left_out() -> None:
    spans = [(start, start + 2300) for start in range(0, 120_000, 2500)]
    samples = sound(*spans, length=121_000)
    spoken = loud(samples, OPTIONS)
    parts = chunks(spoken, samples, OPTIONS)
    assert max(chunk.duration for chunk in parts) <= 28_000
    assert sum(chunk.speech_duration(spoken) for chunk in parts) == sum(span.duration for span in spoken)


def test_cuts_at_the_longest_pause_in_reach() -> None:
    samples = sound((0, 22_000), (22_150, 24_000), (24_600, 40_000), length=40_000)
    first, second = chunks(loud(samples, OPTIONS), samples, OPTIONS)
    assert first.pieces == (Span(0, 24_300),)
    assert second.pieces == (Span(24_300, 40_000),)


def test_cuts_speech_without_a_pause_where_it_is_softest() -> None:
    samples = sound((0, 40_000), length=40_000)
    samples[25_000 * PER_MS : 25_040 * PER_MS] = 0.01
    first, _ = chunks(loud(samples, OPTIONS), samples, OPTIONS)
    assert first.pieces[-1].end == pytest.approx(25_020, abs=20)


def test_leaves_long_pauses_out_and_finds_the_way_back() -> None:
    chunk = Chunk((Span(1000, 3000), Span(10_000, 12_000)))
    assert chunk.cut(silence(20)).size == 4000 * PER_MS
    assert chunk.locate(Span(500, 700)) == Span(1500, 1700)
    assert chunk.locate(Span(1900, 2600)) == Span(10_000, 10_600)
    assert chunk.locate(Span(3900, 4500)) == Span(11_900, 12_000)


@pytest.mark.engines
def test_detects_speech_and_nothing_else(talk: Samples) -> None:
    """The first sentences lie at 0.8 to 2.09 s and 2.534 to 4.994 s."""
    spans = detect_speech(np.concatenate([silence(30), talk]), OPTIONS)
    assert spans[0].start == pytest.approx(30_800, abs=150)
    assert all(span.duration > 0 for span in spans)
    assert spans[-1].end <= 37_000
