"""Which decoding of a chunk is kept."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.speech.decoding import (
    DecodingOptions,
    Hypothesis,
    agree,
    best,
    decoding_options,
    fallback,
    rejection_reason,
    without_prompt,
)
from tests.speech.parrot import OPTIONS

PROMPTED = DecodingOptions("um", timed=False, beam=2)
PLAIN = DecodingOptions("", timed=False, beam=1)


def test_score_is_words_times_the_fifth_power_of_probability() -> None:
    """Ten words at a mean probability of 0.9: 10 * 0.9**5 = 5.9049; plain text counts four fifths of it."""
    log = float(np.log(0.9))
    assert Hypothesis(PROMPTED, "a " * 10, (), log).score == pytest.approx(5.9049)
    assert Hypothesis(PLAIN, "a " * 10, (), log).score == pytest.approx(4.72392)


def test_prefers_more_words_and_surer_words() -> None:
    short = Hypothesis(PROMPTED, "um so", (), -0.1)
    long = Hypothesis(PLAIN, "so I went to the shop again", (), -0.2)
    guess = Hypothesis(PROMPTED, "reading a book about reading a book or two", (), -0.6)
    assert best([short, long, guess], OPTIONS) is long


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("no, no, no, no", False),
        ("I mean, I mean, I mean", False),
        ("I know. I know. I know. I know.", True),
        ("yeah " * 8, True),
        ("we had a- we had a- we had a long problem", False),
    ],
)
def test_a_loop_is_longer_than_anybody_repeats(text: str, loops: bool) -> None:
    assert Hypothesis(PROMPTED, text, (), -0.1).loops is loops


def test_an_empty_text_is_not_rejected() -> None:
    assert rejection_reason(Hypothesis(PROMPTED, "", (), -0.5), OPTIONS) is None


def test_a_beam_of_zero_leaves_options_out() -> None:
    assert len(decoding_options(OPTIONS)) == 2
    assert without_prompt(OPTIONS) == DecodingOptions("", timed=False, beam=OPTIONS.plain_beam)
    assert without_prompt(OPTIONS.model_copy(update={"plain_beam": 0})) is None
    assert without_prompt(OPTIONS, "es") is None  # it is decoded without a prompt anyway
    only = decoding_options(OPTIONS.model_copy(update={"timed_beam": 0, "plain_beam": 0}))
    assert only == [DecodingOptions(OPTIONS.prompt, timed=False, beam=OPTIONS.beam)]


@pytest.mark.parametrize(
    ("texts", "agreeing"),
    [
        (["Um, so I went to the shop.", "um so I went to the shop"], True),
        (["so I went to the old shop again today", "so I went to the old shop again now"], True),  # 8 of 9 words
        (["so I went to the shop", "so I went home"], False),  # 3 words of 6 and 4: .6
        (["so I went to the shop", ""], False),
        (["so I went to the shop"], False),  # a text alone agrees with none
        (["yeah " * 8, "yeah " * 8], False),  # both are a loop
        (["", ""], True),
    ],
)
def test_texts_agree_that_share_four_fifths_of_their_words(texts: list[str], agreeing: bool) -> None:
    assert agree([Hypothesis(PROMPTED, text, (), -0.1) for text in texts], OPTIONS) is agreeing


def test_terms_go_with_every_decoding() -> None:
    listening = OPTIONS.model_copy(update={"terms": ("Suboxone", "Presque Isle")})
    assert {options.terms for options in decoding_options(listening)} == {listening.terms}
    assert fallback(listening).terms == listening.terms


@pytest.mark.parametrize(
    ("text", "recited"),
    [
        ("Suboxone, Presque Isle, Kowalski.", True),
        ("Um, Suboxone, Presque Isle, Kowalski", True),
        ("Presque Isle, Kowalski, Suboxone.", False),  # in another order than the list's
        ("Suboxone, Presque Isle.", False),  # two may be an answer
        ("I got Suboxone when I moved to Presque Isle and saw Kowalski.", False),
    ],
)
def test_a_list_that_is_read_off_is_no_speech(text: str, recited: bool) -> None:
    options = DecodingOptions("", timed=False, beam=1, terms=("Suboxone", "Presque Isle", "Kowalski", "Nguyen"))
    reason = rejection_reason(Hypothesis(options, text, (), -0.1), OPTIONS)
    assert reason == ("recites the list of terms" if recited else None)
