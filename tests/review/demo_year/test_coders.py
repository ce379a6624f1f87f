"""Simulated coders: what they slip on, what a habit changes and when, and that a seed decides all of it."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.formats import codebook_files
from pipeline.measures.drift.drift import detect_drift
from pipeline.measures.reliability.rating_matrix import build_rating_matrix
from pipeline.review.coach.rater_codes import COLUMNS
from pipeline.review.demo_year.coders import Habit, SimulatedCoder
from pipeline.review.demo_year.role_play_run import MACHINE, gold_codes
from pipeline.review.demo_year.year import COACH as COACH_CODER
from pipeline.review.demo_year.year import CODERS, DRIFT_FROM, LATE_DRIFT_FROM, RECALIBRATED_AFTER, SEED, TAPES
from pipeline.review.practice import scripts

GOLD = {"u1": ("reflection_simple",), "u2": ("change",), "u3": ("information", "question_open"), "u4": ()}


def test_a_habit_begins_and_ends_with_its_tapes() -> None:
    habit = Habit("reflection_simple", "reflection_complex", 1.0, first=3, end=5)
    coder = SimulatedCoder("Dan", 0.0, (habit,))
    changed = {**GOLD, "u1": ("reflection_complex",)}
    assert [coder.codes(GOLD, number, 1) for number in (2, 3, 4, 5)] == [GOLD, changed, changed, GOLD]


def test_a_coder_who_always_slips_gives_the_similar_code() -> None:
    coder = SimulatedCoder("Ada", 1.0)
    # An utterance without codes stays without: nobody invents a code.
    slipped = {"u1": ("reflection_complex",), "u2": ("neutral",), "u3": ("other", "question_closed"), "u4": ()}
    assert coder.codes(GOLD, 0, 1) == slipped


def test_a_seed_decides_the_codes() -> None:
    gold, coder = gold_codes("roleplay-alcohol"), SimulatedCoder("Ada", 0.5)
    assert coder.codes(gold, 1, 7) == coder.codes(gold, 1, 7)
    assert coder.codes(gold, 1, 7) != coder.codes(gold, 1, 8) != coder.codes(gold, 2, 8)


@pytest.fixture(scope="module")
def codes() -> pd.DataFrame:
    """All codes of the year, as the measures take them; tape n is coded at n seconds."""
    book = codebook_files.read("pretags")
    codable = "|".join(sorted(code.name for code in book.codes))
    rows = []
    for number in range(TAPES):
        script = list(scripts.ROLE_PLAYS)[number % 2]
        roles = {utterance.id: utterance.role for utterance in scripts.utterances(script)}
        for coder in (*CODERS, COACH_CODER, MACHINE):
            layer = {COACH_CODER: "coach", MACHINE: "machine"}.get(coder, "member")
            for name, given in coder.codes(gold_codes(script), number, SEED).items():
                head = (f"t{number:02d}", name, coder.name, layer, "|".join(sorted(given)), number * 1000)
                rows.append((*head, roles[name], None, None, None, codable, "en"))
    integers = dict.fromkeys(("coded_at", "start", "end"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(integers | {"pretag_shown": "boolean"})


def signals(codes: pd.DataFrame, tapes: int) -> set[tuple[str, str]]:
    """(coder, family) of all charts that signal a change after so many tapes."""
    scheme = codebook_files.scheme(codebook_files.read("pretags"), [])
    recalibrated = {"Dan": (1000 * RECALIBRATED_AFTER + 500.0,)} if tapes > RECALIBRATED_AFTER + 1 else {}
    matrix = build_rating_matrix(codes[codes["coded_at"] < 1000 * tapes], scheme, "missing")
    table = detect_drift(matrix, recalibrated).table
    table = table[table["state"].isin(["drift", "noise"])]
    return set(zip(table["coder"], table["family"], strict=True))


def test_who_drifts_is_found_after_the_change_and_nobody_before_it(codes: pd.DataFrame) -> None:
    dan, eve = ("Dan", "reflection"), ("Eve", "client_talk")
    signaling = {tapes: signals(codes, tapes) for tapes in range(6, TAPES + 1)}
    # Tapes are counted from 1 here: Dan changes with the 9th, Eve with the 16th.
    assert (DRIFT_FROM, LATE_DRIFT_FROM) == (8, 15)
    assert [signaling[tapes] for tapes in range(6, 9)] == [set()] * 3
    first_dan = next(tapes for tapes, who in signaling.items() if dan in who)
    first_eve = next(tapes for tapes, who in signaling.items() if eve in who)
    assert 9 <= first_dan <= RECALIBRATED_AFTER + 1, "in time for the coach to talk to him"
    assert all(signaling[tapes] == {dan} for tapes in range(first_dan, RECALIBRATED_AFTER + 2))
    assert all(signaling[tapes] == set() for tapes in range(RECALIBRATED_AFTER + 2, 16)), "recalibrated"
    assert 16 <= first_eve <= TAPES
    assert signaling[TAPES] == {eve}, "what stands at the end of the year"
    # By hand: the two role-plays have 8 and 3 simple reflections. On tapes 9 to 13 (8, 3 times 2; three and two of the
    # scripts) these are 3 x 8 + 2 x 3 = 30, of which about half become complex.
    between = codes["coded_at"].between(1000 * DRIFT_FROM, 1000 * RECALIBRATED_AFTER)
    of_dan = codes[between & codes["coder"].eq("Dan")]
    scripted = [
        gold_codes(list(scripts.ROLE_PLAYS)[int(str(tape)[1:]) % 2]).get(str(name)) == ("reflection_simple",)
        for tape, name in zip(of_dan["tape_id"], of_dan["utterance_id"], strict=True)
    ]
    assert sum(scripted) == 30
    assert 10 <= int((of_dan["codes"] == "reflection_complex")[scripted].sum()) <= 20
