"""MITI's summary of a session, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.formats import codebook_files
from pipeline.measures.session import miti
from pipeline.measures.session.measures import SessionMeasures, session_measures

RATINGS = {"cultivating_change_talk": 3, "softening_sustain_talk": 4, "partnership": 5, "empathy": 2}


def test_a_score_is_the_mean_of_its_two_ratings_and_needs_both() -> None:
    assert [score.value for score in miti.global_scores(RATINGS)] == [3.5, 3.5]
    technical, relational = miti.global_scores({"empathy": 2, "partnership": 3, "softening_sustain_talk": 1}, "is open")
    assert (technical.value, technical.undefined) == (None, "cultivating change talk is open")
    assert relational.value == 2.5


def test_the_thresholds_are_the_manual_s() -> None:
    """Technical: fair 3, good 4. Relational: fair 3.5, good 4. %CR: 40 and 50 %. R:Q: 1 and 2. Totals: none."""
    result = (*miti.global_scores(RATINGS), *miti.behavior_measures(measured([]), ("a",), ("b",)))
    expected = {
        "technical": [(3, "fair"), (4, "good")],
        "relational": [(3.5, "fair"), (4, "good")],
        "percent_complex_reflections": [(40, "fair"), (50, "good")],
        "reflections_per_question": [(1, "fair"), (2, "good")],
        "mi_adherent": [],
        "mi_non_adherent": [],
    }
    assert {
        measure.name: [(threshold.value, threshold.label) for threshold in measure.references] for measure in result
    } == expected
    assert all("expert opinion" in threshold.source for measure in result for threshold in measure.references)


def measured(volleys: list[tuple[int, str]]) -> SessionMeasures:
    """The measures of an interviewer's rows, each with its volley and codes, beside one of each that `miti` needs."""
    rows = [
        {"tape_id": "t", "utterance_id": str(at), "role": "interviewer", "text": "", "codes": codes, "volley": volley}
        for at, (volley, codes) in enumerate([(-1, "a|b|question|reflection_complex"), *volleys])
    ]
    return session_measures(pd.DataFrame(rows), codebook_files.read("miti-4.2").rule(), draws=10)


@pytest.mark.parametrize(
    ("volleys", "adherent", "non_adherent"),
    [
        ([], 0, 0),
        ([(1, "seeking_collaboration"), (1, "emphasizing_autonomy")], 2, 0),  # two behaviors of one volley
        ([(1, "seeking_collaboration"), (1, "seeking_collaboration")], 1, 0),  # one behavior counts once a volley
        ([(1, "affirmation"), (2, "affirmation"), (3, "confrontation|persuasion")], 2, 2),
        ([(1, "persuasion_with_permission"), (2, "information")], 0, 0),  # neither
    ],
)
def test_the_totals_add_up_what_the_manual_names(
    volleys: list[tuple[int, str]], adherent: int, non_adherent: int
) -> None:
    book = codebook_files.read("miti-4.2")
    totals = miti.adherence_totals(measured(volleys), book.adherent, book.non_adherent)
    assert [(total.value, total.undefined) for total in totals] == [(adherent, None), (non_adherent, None)]


def test_a_codebook_without_such_codes_has_no_total() -> None:
    [adherent, non_adherent] = miti.adherence_totals(measured([]), (), ())
    assert (adherent.value, adherent.undefined) == (None, "this codebook has no code for MI-adherent behaviors")
    assert non_adherent.undefined == "this codebook has no code for MI-non-adherent behaviors"
