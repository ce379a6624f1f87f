"""The summary in one order for every kind of paper: strengths first, and nothing that is empty."""

from __future__ import annotations

from types import SimpleNamespace

from pipeline.review.reflection.summary_lines import lines
from tests.review.reflection.papers import summary


def texts(**changes: object) -> list[str]:
    return [line.text for line in lines(summary(**changes))]


def test_strengths_come_before_what_to_try_and_before_figures() -> None:
    assert texts()[:10] == [
        "Robin, November 24",
        "Target behavior: drinking less",
        "Interviewer: Ada. Submitted on November 24, 2026.",
        "What went well",
        "Ada: I listened.",
        "Ben (at 3:10): You waited.",
        "To try next",
        "Eve: Ask for more.",
        "Measures",
        "Codes: the group's.",
    ]
    assert texts()[10] == "Reflections per question: 1.3 (0.9 to 1.6)"
    assert texts()[-1].startswith("Confidential.")


def test_what_nobody_wrote_is_said_and_an_empty_part_is_left_out() -> None:
    bare = texts(well="", comments=[])
    assert "Nothing has been written yet." in bare
    assert "To try next" not in bare
    figure = SimpleNamespace(label="Open questions", text="no question", spread="")
    assert "Open questions: no question" in texts(figures=[figure])


def test_a_miti_summary_stands_with_its_thresholds_as_a_note() -> None:
    row = SimpleNamespace(label="R:Q", text="1.0", basis="2 of 2", thresholds="fair 1, good 2")
    miti = SimpleNamespace(label="Ben", basis="20 minutes", ratings=[], rows=[row])
    shown = {line.text: line.kind for line in lines(summary(miti=[miti]))}
    assert shown["MITI summary (Ben)"] == "heading"
    assert shown["R:Q: 1.0 (2 of 2)"] == "text"
    assert shown["Thresholds: fair 1, good 2"] == "note"
