"""Masked names: a mask lies on words of the recording, and only the interviewer takes one off."""

from __future__ import annotations

from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord, Correction, apply_corrections
from pipeline.review.coding.masks import (
    mask_names,
    masked_roots,
    masked_spans,
    original_correction,
    permitted_corrections,
    root_words,
)
from pipeline.timeline import Span

ANN = CorrectedUtterance(
    *("u1", "t1", "client", "S2", 1000, 2900),
    (
        CorrectedWord("w1", "ask", 1000, 1400),
        CorrectedWord("w2", "Ann", 1500, 1900),
        CorrectedWord("w3", "again", 2500, 2900),
    ),
)
MASK = Correction("mask", "mask", "u1", {"words": ["w2"], "on": True})
SHOW = Correction("show", "mask", "u1", {"words": ["w2"], "on": False})


def test_only_the_interviewer_takes_a_mask_off() -> None:
    by_others = permitted_corrections([(MASK, False), (SHOW, False)])
    assert masked_roots(by_others) == {"w2"}
    assert masked_roots(permitted_corrections([(MASK, False), (SHOW, True)])) == frozenset()


def test_an_undo_of_a_mask_is_one_of_the_interviewer_s() -> None:
    undo = Correction("undo", "mask", "u1", {}, undoes="mask")
    assert original_correction(undo, {"mask": MASK}) == MASK
    assert masked_roots(permitted_corrections([(MASK, True), (undo, False)])) == {"w2"}
    assert masked_roots(permitted_corrections([(MASK, True), (undo, True)])) == frozenset()


def test_a_masked_name_is_a_bar_in_the_text_and_silent_with_a_margin() -> None:
    [shown] = mask_names(apply_corrections([ANN], [MASK]))
    assert [word.text for word in shown.words] == ["ask", "▇▇▇", "again"]
    # 1500 to 1900 ms with 60 ms on either side; the gap after it reaches to the next word.
    assert masked_spans([ANN], frozenset({"w2"})) == [Span(1440, 1960)]
    assert masked_spans([ANN], frozenset({"w2>"})) == [Span(1840, 2560)]


def test_a_corrected_word_stands_for_the_words_that_it_replaced() -> None:
    retyped = Correction("12345678x", "text", "u1", {"replace": ["w2", "w3"], "after": None, "with": ["Anna"]})
    [shown] = apply_corrections([ANN], [retyped])
    assert shown.words[1].id == "w2+12345678.0"
    assert root_words("w2+12345678.0", [retyped]) == ("w2", "w3")
    assert root_words("w3", [retyped]) == ("w3",)
