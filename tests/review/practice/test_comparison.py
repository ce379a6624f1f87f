"""A pass beside the gold: lines and agreement, with figures worked by hand."""

from __future__ import annotations

import pytest

from pipeline.formats import codebook_files
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.review.practice.comparison import agreement, compare_lines

BOOK = codebook_files.read("pretags")


def spoken(number: int, role: str = "interviewer", text: str = "What would help?") -> CorrectedUtterance:
    words = tuple(CorrectedWord(f"w{number}-{at}", word, at, at + 1) for at, word in enumerate(text.split()))
    return CorrectedUtterance(f"u{number}", f"t{number}", role, "S1", number, number + 1, words)


def test_agreement_and_kappa_by_hand() -> None:
    lines = [spoken(number) for number in range(40)]
    gold = {line.id: ("question_open",) if number < 20 else ("question_closed",) for number, line in enumerate(lines)}
    codes = gold | {"u0": ("question_closed",), "u1": ("question_closed",)}
    compared = compare_lines(lines, codes, gold, {}, BOOK)
    assert [line.utterance.id for line in compared if line.differs] == ["u0", "u1"]
    figures = {figure.family: figure for figure in agreement(compared, BOOK)}
    question = figures["question"]
    # 38 of 40 agree. By chance: .45 * .5 + .55 * .5 = .5, so kappa = (.95 - .5) / .5 = .9.
    assert (question.units, question.percent) == (40, 0.95)
    assert question.kappa == pytest.approx(0.9)
    assert question.low is not None
    assert question.low < 0.95 < (question.high or 0)


def test_full_agreement_has_no_interval_of_one_point() -> None:
    lines = [spoken(number) for number in range(40)]
    gold = {line.id: ("question_open",) if number % 2 else ("other",) for number, line in enumerate(lines)}
    figures = agreement(compare_lines(lines, gold, gold, {}, BOOK), BOOK)
    assert {(figure.percent, figure.low, figure.high) for figure in figures} == {(1.0, None, None)}


def test_a_mere_sound_of_listening_is_left_out_unless_the_gold_says_more() -> None:
    lines = [spoken(0, "client", "Mm-hm."), spoken(1, "client", "Yeah."), spoken(2, "interviewer", "Okay.")]
    compared = compare_lines(lines, {}, {"u0": ("neutral",), "u1": ("change",), "u2": ()}, {}, BOOK)
    assert [line.counted for line in compared] == [False, True, False]
    assert [line.differs for line in compared] == [False, True, False]


def test_lines_of_somebody_without_codes_are_left_out() -> None:
    oars = codebook_files.read("oars")
    compared = compare_lines([spoken(0, "client"), spoken(1), spoken(2, "unknown")], {}, {}, {"u1": "So."}, oars)
    assert [(line.utterance.id, line.why) for line in compared] == [("u1", "So.")]
    assert agreement(compare_lines([spoken(0, "client")], {}, {}, {}, oars), oars) == []
