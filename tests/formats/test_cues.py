"""Cues: short fractions, rolling captions, and times that cannot be."""

from __future__ import annotations

import pytest
from pipeline.formats.cues import Cue

from pipeline.errors import FormatError
from pipeline.formats import cues
from pipeline.formats.safe_reader import Source
from pipeline.timeline import Span


def read(text: str, *, asides: bool = False) -> tuple[tuple[Cue, ...], tuple[str, ...]]:
    return cues.read(Source("t.srt", text.encode()), text, asides=asides)


@pytest.mark.parametrize(
    ("fractions", "milliseconds"),
    [
        (["80", "8"], True),  # 5.80 is 5.080: whoever writes 8 for 800 would write 8 for 80, too
        (["8", "85"], False),  # no zero at an end: nothing shows that zeros at the front were left out
        (["080", "80"], False),  # zeros at the front are written
        (["80", "90"], False),  # of one length: what they look like
        ([], False),
    ],
)
def test_short_fractions_count_milliseconds_where_zeros_show_it(fractions: list[str], milliseconds: bool) -> None:
    assert cues.counts_milliseconds(fractions) is milliseconds


def test_a_fraction_of_one_length_is_a_decimal() -> None:
    ((cue,), notes) = read("00:00:01.5 --> 00:00:02.5\nhm\n")
    assert (cue.span, cue.lines, notes) == (Span(1500, 2500), ("hm",), ())


def test_a_cue_that_ends_before_it_starts_keeps_its_start() -> None:
    ((cue,), (note,)) = read("a\n00:00:05,000 --> 00:00:02,000\nhm\n")
    assert (cue.name, cue.span) == ("a", Span(5000, 5000))
    assert note == 'Line 2 ends before it starts: "hm" has no length.'


def test_of_several_cues_one_with_impossible_times_is_passed_over_and_told() -> None:
    text = "00:00:01,000 --> 00:00:02,000\nfirst\n\n99999:00:00,000 --> 99999:00:01,000\nlost\n"
    ((cue,), notes) = read(text)
    assert cue.lines == ("first",)
    assert notes == ('Line 4 has an impossible time: "lost" was skipped.',)
    with pytest.raises(FormatError, match="TR-F07 .*impossible time"):
        read("99999:00:00,000 --> 99999:00:01,000\nlost\n")


def test_a_number_right_below_a_text_is_the_next_cue_s_and_no_speech() -> None:
    (first, second), _ = read("1\n00:00:01,000 --> 00:00:02,000\nhm\n2\n00:00:02,000 --> 00:00:03,000\nso\n")
    assert (first.lines, second.name, second.lines) == (("hm",), "2", ("so",))


def test_asides_are_passed_over_only_where_a_format_has_them() -> None:
    text = "NOTE by hand\n\n00:00:01.000 --> 00:00:02.000\nhm\n"
    assert read(text, asides=True)[1] == ()
    assert read(text)[1] == ('Line 1 belongs to no cue: "NOTE by hand" was skipped.',)


def rolling(*texts: tuple[str, ...]) -> tuple[Cue, ...]:
    return tuple(Cue("", Span(1000 * at, 1000 * at + 1000), lines, at) for at, lines in enumerate(texts))


def test_rolling_captions_show_each_line_once() -> None:
    merged = cues.merge_rolling(rolling(("what",), ("what", "next"), ("next", "so")))
    assert [cue.lines for cue in merged] == [("what",), ("next",), ("so",)]


def test_what_somebody_says_twice_stays_where_a_file_does_not_roll() -> None:
    given = rolling(("no",), ("no", "really"), ("well",), ("then",), ("so",))  # one pair of four rolls
    assert cues.merge_rolling(given) == given


def test_a_flash_that_only_shows_a_line_again_lengthens_it() -> None:
    first, second = rolling(("a",), ("a", "<00:00:01.500>b"))  # times within a line: it rolls
    flash = Cue("", Span(2000, 2010), ("b",), 3)
    merged = cues.merge_rolling([first, second, flash])
    assert [(cue.lines, cue.span) for cue in merged] == [(("a",), Span(0, 1000)), (("b",), Span(1000, 2010))]
