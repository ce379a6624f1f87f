"""Moments of a tape, in words and as links."""

from __future__ import annotations

import pytest

from pipeline.review.tapes.moments import TapeMoments

SOUND = TapeMoments("a" * 16, 20 * 60_000, from_text=False)
TEXT = TapeMoments("a" * 16, 40, from_text=True)


@pytest.mark.parametrize(
    ("text", "moment"),
    [("3:10", 190_000), (" 0:05 ", 5000), ("20:00", 1_200_000), ("20:01", None), ("3:60", None), ("310", None)],
)
def test_a_time_of_the_tape_is_a_moment(text: str, moment: int | None) -> None:
    assert SOUND.parse(text) == moment


def test_a_tape_coded_from_text_counts_its_utterances() -> None:
    assert [TEXT.parse(text) for text in ("#12", "#0", "#41", "3:10", "12")] == [12, None, None, None, None]
    assert TEXT.words(12) == "#12"


def test_times_in_a_text_are_links_and_all_else_is_escaped() -> None:
    html = SOUND.linked('<b>3:10</b> and 1:03:10, "at 45:00", 10:20:30')
    assert html == (
        f'&lt;b&gt;<a class="moment" href="/tapes/{"a" * 16}/moment?at=190000">3:10</a>&lt;/b&gt; and 1:03:10, '
        "&#34;at 45:00&#34;, 10:20:30"
    )


def test_each_moment_of_a_text_is_found_once() -> None:
    assert [words for _, words in SOUND.named("3:10, 12:00, again 3:10; not 45:00")] == ["3:10", "12:00"]
