"""The benchmark's own figures, worked by hand."""

from __future__ import annotations

import pytest
from pyannote.core import Annotation, Segment

from tests.benchmarks.scores import (
    Result,
    Said,
    Truth,
    cpwer,
    der,
    fillers,
    matched,
    normal,
    role_accuracy,
    unclear,
    wer,
)


def voices(*spans: tuple[float, float, str]) -> Annotation:
    annotation = Annotation()
    for number, (start, end, speaker) in enumerate(spans):
        annotation[Segment(start, end), number] = speaker
    return annotation


TRUTH = Truth(
    lines=(
        Said(0, 2, "A", "How are you?", "interviewer", frozenset({"question_open"})),
        Said(2, 6, "B", "Um, I- I am tired.", "client", frozenset({"neutral"})),
        Said(6, 8, "A", "You are tired, right?", "interviewer", frozenset({"reflection_simple", "question_closed"})),
    ),
    voices=voices((0, 2, "A"), (2, 6, "B"), (6, 8, "A")),
    duration=10,
)


def test_words_are_compared_verbatim_in_one_spelling() -> None:
    assert normal("Mm-hmm. Okay — I- I was, umm, gonna…") == ["mm-hm", "ok", "i", "i", "was", "um", "going", "to"]


def test_word_errors() -> None:
    # Truth: 3 + 5 + 4 words. Missing: "um", one "i"; wrong: "tired" -> "fired".
    words = (Said(0, 2, "x", "how are you"), Said(2, 6, "y", "I am tired"), Said(6, 8, "x", "you are fired right"))
    assert wer(TRUTH, Result(words, TRUTH.voices)) == pytest.approx(3 / 12)
    assert cpwer(TRUTH, Result(words, TRUTH.voices)) == pytest.approx(3 / 12)


def test_word_with_the_wrong_speaker_costs_two_errors_in_cpwer_and_none_in_wer() -> None:
    words = (
        *(Said(0, 2, "x", "how are you"), Said(2, 6, "y", "um I I am")),
        *(Said(5, 6, "x", "tired"), Said(6, 8, "x", "you are tired right")),
    )
    assert wer(TRUTH, Result(words, TRUTH.voices)) == 0
    assert cpwer(TRUTH, Result(words, TRUTH.voices)) == pytest.approx(2 / 12)


def test_diarization_errors() -> None:
    # Of 8 s of speech, B's last second is given to A, and 1 s of silence is called speech.
    late = Result((), voices((0, 2, "x"), (2, 5, "y"), (5, 9, "x")))
    assert der(TRUTH, late, collar=0.0) == pytest.approx(2 / 8)
    # A collar of 0.5 s takes .25 s on each side of the truth's edges at 0, 2, 6 and 8: 2 * .5 + .25 + .25 of
    # the speech, .25 of the confusion (5 to 6) and .25 of the false alarm (8 to 9).
    assert der(TRUTH, late, collar=0.5) == pytest.approx((0.75 + 0.75) / (8 - 1.5))


def test_roles_count_words_where_one_role_speaks() -> None:
    words = (
        Said(0, 1, "x", "how", "interviewer"),
        Said(3, 4, "y", "um", "client"),
        Said(5, 5.5, "x", "am", "interviewer"),
    )
    assert role_accuracy(TRUTH, Result(words, TRUTH.voices)) == pytest.approx(2 / 3)


def test_scripted_codes_are_found_where_times_meet() -> None:
    proposed = (
        Said(0.2, 1.8, "x", "how are you", "interviewer", frozenset({"question_closed"})),
        Said(3, 4, "x", "right", "interviewer", frozenset({"question_closed"})),
        Said(7.9, 9.9, "x", "you are tired", "interviewer", frozenset({"reflection_complex"})),
    )
    result = Result((), TRUTH.voices, proposed)
    assert matched(TRUTH, result, "question") == (1, 2, 1)
    assert matched(TRUTH, result, "reflection") == (0, 1, 1)  # only 0.1 s in common
    assert matched(TRUTH, result, "change") == (0, 0, 0)


def test_noises_that_are_marked_as_unclear() -> None:
    noise = Said(3, 3.5, "A", "Mm-hm.", "interviewer")
    truth = Truth((*TRUTH.lines, noise, Said(5, 5.5, "A", "Yeah.", "interviewer")), TRUTH.voices, 10)
    marks = (Said(3.4, 3.9, "x", ""), Said(0.5, 0.8, "y", ""))
    assert unclear(truth, Result((), TRUTH.voices, (), marks)) == (1, 1)


def test_fillers() -> None:
    assert fillers(TRUTH.lines) == (1, 0)
    assert fillers([Said(0, 1, "x", "Uh, mm-hmm, uh-huh, hmm")]) == (1, 3)
