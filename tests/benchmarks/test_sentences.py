"""Counting what is found on a script's lines."""

from __future__ import annotations

import pandas as pd

from tests.benchmarks.sentences import SCRIPT, proposals, transcript
from tests.recordings import script


def test_a_behavior_is_found_where_one_of_its_codes_is_proposed() -> None:
    by_hand = pd.Series(["question_open", "reflection_simple|question_closed", "other", "change", "neutral"])
    codes = pd.Series(["question_closed", "reflection_complex", "question_open|information", "sustain", ""])
    assert proposals(by_hand, codes) == {
        "questions": (2, 1, 1),
        "reflections": (1, 1, 0),
        "information": (0, 0, 1),
        "change talk": (1, 0, 0),
        "sustain talk": (0, 0, 1),
    }


def test_the_transcript_holds_every_line_with_its_codes() -> None:
    rows = transcript(script.read(SCRIPT))
    assert len(rows) == len(script.read(SCRIPT).lines)
    questions = rows["by_hand"].str.contains("question")
    assert (questions.sum(), rows["by_hand"].str.contains("reflection").sum()) == (38, 44)
    assert set(rows.loc[questions, "role"]) == {"interviewer"}
