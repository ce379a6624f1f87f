"""Sentences about charts: no more than the data show."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.review.coach import sentences


@pytest.mark.parametrize(
    ("name", "label", "in_sentence"),
    [
        ("question", "Questions", "questions"),
        ("mi_adherent", "MI-adherent", "MI-adherent"),
        ("commitment_talk", "Commitment talk", "commitment talk"),
    ],
)
def test_a_family_has_a_label_and_words_for_a_sentence(name: str, label: str, in_sentence: str) -> None:
    assert (sentences.family_label(name), sentences.family_in_sentence(name)) == (label, in_sentence)


def charts(*states: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(states, columns=["coder", "state", "tapes"])


def test_charts_without_a_finding_say_how_many_have_tapes_enough() -> None:
    assert sentences.unchanged_sentence(charts()) == "It is too early for a conclusion."
    few = charts(("Ada", "too few tapes", 2), ("Ben", "too few tapes", 4))
    assert sentences.unchanged_sentence(few) == "Too early: 4 of 6 tapes."
    assert sentences.unchanged_sentence(charts(("Ada", "steady", 9))) == "Nobody's coding has changed."
    mixed = charts(("Ada", "steady", 9), ("Ben", "too few tapes", 4))
    assert (
        sentences.unchanged_sentence(mixed) == "Nobody's coding has changed in the one chart that has 6 tapes or more."
    )


def test_who_has_too_few_tapes_is_named_with_the_longest_chart() -> None:
    table = charts(("group", "too few tapes", 1), ("Ada", "too few tapes", 2), ("Ada", "too few tapes", 3))
    assert sentences.too_early_phrases(table) == ["Ada, 3 of 6 tapes", "the group, 1 of 6 tapes"]
