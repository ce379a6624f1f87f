"""The current measures: the same figures on every page."""

# ruff: noqa: F401, F811 - fixtures of other files

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.review.coding.conftest import Table
from tests.review.consensus.test_votes import CLIENT, board, coded
from tests.review.reflection.test_growth import (
    HEARD,
    growth,
    summary,
    tape,
)


def test_growth_summary_and_together_have_the_same_figures(tape: Table) -> None:
    coded(tape.ada, HEARD | CLIENT)
    coded(tape.ben, HEARD | CLIENT)
    ivy = tape.interviewer.browser
    expected = {
        "Reflections per question (R:Q)": "3",
        "Complex reflections (%CR)": "67%",
        "Open questions (%OQ)": "100%",
        "Change talk (%CT)": "50%",
    }
    assert growth(ivy) == {name: [(value, "the group")] for name, value in expected.items()}
    page = summary(ivy, tape.tape_id)
    assert {name: page[name] for name in expected} == expected
    together = {measure["label"]: measure["text"] for measure in board(tape.interviewer)["measures"]}
    assert {name: together[name] for name in expected} == expected
    sheets = PdfReader(io.BytesIO(ivy.get(f"/tapes/{tape.tape_id}/summary.pdf").content)).pages
    paper = "\n".join(sheet.extract_text() for sheet in sheets)
    assert all(f"{name}: {value}" in paper for name, value in expected.items())


def test_a_dot_is_the_machine_s_until_somebody_has_coded(tape: Table) -> None:
    ivy = tape.interviewer.browser
    assert growth(ivy)["Reflections per question"] == [("1.3", "the machine")]
    page = ivy.get("/growth").text
    assert "over 1 tape, 0 by the group's codes and 1 by the machine's; the table below" in page
    coded(tape.ada, HEARD)
    page = ivy.get("/growth").text
    assert "over 1 tape, 1 by the group's codes and 0 by the machine's; the table below" in page
