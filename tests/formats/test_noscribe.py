"""Pages of noScribe: who speaks stands before the text or in the anchor, and slashes of overlaps are no speech."""

from __future__ import annotations

import pytest

from pipeline.errors import FormatError
from pipeline.formats import noscribe
from pipeline.formats.safe_reader import Source
from pipeline.formats.script import SpokenPassage


def read(*paragraphs: str) -> tuple[SpokenPassage, ...]:
    page = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return noscribe.read(Source("t.html", f"<html><head><title>x</title></head><body>{page}</body></html>".encode()))


def test_the_name_before_the_text_wins_over_that_of_the_anchor_and_else_the_last_speaker_goes_on() -> None:
    assert read(
        '<a name="ts_1000_3000_S00">Ann: What next?</a>',
        '<a name="ts_3000_4000_S01">A walk.</a>',
        '<a name="ts_4000_5000">Every day.</a>',
    ) == (
        SpokenPassage("Ann", "What next?", 1000, 3000),
        SpokenPassage("S01", "A walk.", 3000, 4000),
        SpokenPassage("S01", "Every day.", 4000, 5000),
    )


def test_several_anchors_span_a_paragraph_and_marks_of_overlaps_and_times_are_left_out() -> None:
    text = '<a name="ts_2000_2500_S00">S00: [00:00:02] I //do// </a><a name="ts_2500_4000_S00">walk (..) now.</a>'
    assert read(text) == (SpokenPassage("S00", "I do walk (..) now.", 2000, 4000),)


def test_what_has_no_time_is_no_speech_and_a_page_of_such_is_refused() -> None:
    assert len(read("Transcribed with noScribe", '<a name="ts_0_1_S0">Hm.</a>', '<a name="ts_1_2_S0"></a>')) == 1
    with pytest.raises(FormatError, match=r"TR-F03 .*no paragraph has a time"):
        read("Ann: What next?", '<a name="top">Bo: A walk.</a>')
