"""Words of one text that are words of another."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.sequence_alignment import pairs

SEQUENCES = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), max_size=12)


def test_equal_words_pair_across_what_only_one_side_has() -> None:
    written = ["so", "what", "would", "you", "like", "to", "change"]
    recognized = ["so", "what", "did", "you", "to", "change", "today"]
    assert pairs(written, recognized) == [(0, 0), (1, 1), (3, 3), (5, 4), (6, 5)]


def test_a_part_that_the_sound_does_not_hold_takes_no_words_from_the_rest() -> None:
    """ "okay" stands before the part, in it and after it: the one in the part is meant."""
    outside = ["okay", "and", "then", "we", "talk", "of", "something", "else", "for", "quite", "a", "while", "okay"]
    part = ["well", "i", "drink", "a", "lot", "these", "days", "okay"]
    assert pairs([*outside, *part, *outside], part) == [(len(outside) + at, at) for at in range(len(part))]


def test_a_single_word_far_from_all_others_is_chance() -> None:
    written = [*(f"w{number}" for number in range(8)), "okay", *(f"x{number}" for number in range(8))]
    recognized = [*(f"r{number}" for number in range(8)), "okay", *(f"s{number}" for number in range(8))]
    assert pairs(written, recognized) == []


def test_words_without_letters_are_equal_to_none() -> None:
    assert pairs(["", "so"], ["", "so"]) == [(1, 1)]
    assert pairs([], ["so"]) == pairs(["so"], []) == []


@given(SEQUENCES, SEQUENCES)
def test_pairs_are_equal_words_and_rise_on_both_sides(first: list[str], second: list[str]) -> None:
    aligned = pairs(first, second)
    assert all(first[at] == second[other] != "" for at, other in aligned)
    assert all(pair[0] < later[0] and pair[1] < later[1] for pair, later in itertools.pairwise(aligned))


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=12))
def test_the_same_text_pairs_word_for_word(words: list[str]) -> None:
    assert pairs(words, words) == [(at, at) for at in range(len(words))]
