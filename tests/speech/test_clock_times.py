"""Times of day in their usual form, and numbers that are none."""

from __future__ import annotations

import pytest

from pipeline.speech.clock_times import written_as_times
from pipeline.timeline import Span, Word


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("I take it at 10.30 in the morning", "I take it at 10:30 in the morning"),
        ("until 1030, p.m. or so", "until 10:30, p.m. or so"),
        ("from 7.15 a.m. on", "from 7:15 a.m. on"),
        ("at 10:30 in the morning", "at 10:30 in the morning"),
        ("it was at 10.30 dollars", "it was at 10.30 dollars"),
        ("my level was at 1.08 in the test", "my level was at 1.08 in the test"),
        ("at 13.30 in the morning", "at 13.30 in the morning"),
        ("take 2.50 in the morning", "take 2.50 in the morning"),
        ("20 mg at 8.75 p.m.", "20 mg at 8.75 p.m."),
    ],
)
def test_only_what_the_words_around_call_a_time_is_one(text: str, written: str) -> None:
    words = [Word(Span(300 * at, 300 * at + 200), word, 0.9) for at, word in enumerate(text.split())]
    assert " ".join(word.text for word in written_as_times(words)) == written
    assert [word.span for word in written_as_times(words)] == [word.span for word in words]
