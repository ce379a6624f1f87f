"""Change talk stays on every page under a codebook without codes for the client, and is marked as the machine's.

The tape of `tests.review.consensus.test_votes`: of its client's utterances the machine takes one for change talk and
one for sustain talk: %CT 50, whatever the group codes by hand.
"""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from tests.review.coding.conftest import Table, table
from tests.review.consensus.test_votes import board, coded, seated
from tests.review.reflection.test_growth import growth, summary

__all__ = ["table"]

HAND = {
    "miti-4.2": {"u1": "question", "u3": "reflection_simple", "u5": "reflection_complex", "u7": "question"},
    "oars": {"u1": "question_open", "u3": "reflection", "u5": "reflection"},
}
FIGURES = {
    "miti-4.2": {
        "Reflections per question (R:Q)": "1",
        "Complex reflections (%CR)": "50%",
        "Open questions (%OQ)": "this codebook does not distinguish open from closed questions",
    },
    "oars": {
        "Reflections per question (R:Q)": "this codebook has a code for open questions only, not for all questions",
        "Complex reflections (%CR)": "this codebook does not distinguish complex from simple reflections",
        "Open questions (%OQ)": "this codebook does not distinguish open from closed questions",
    },
}
TALK = {
    "Change talk (%CT), by the machine": "50%",
    "Utterances of change talk, by the machine": "1",
    "Utterances of sustain talk, by the machine": "1",
}


@pytest.mark.parametrize("book", HAND)
def test_the_machines_change_talk_stays_on_every_page(table: Table, book: str) -> None:
    seated(table)
    coded(table.ada, HAND[book], book=book)
    coded(table.ben, HAND[book], book=book)
    ivy = table.interviewer.browser
    expected = FIGURES[book] | TALK
    page = summary(ivy, table.tape_id)
    assert {name: value for name, value in page.items() if name in expected} == expected
    together = board(table.interviewer, book)
    shown = {
        row["label"]: row["text"] if row["value"] is not None else row["undefined"] for row in together["measures"]
    }
    assert {name: shown[name] for name in expected if name in shown} == {
        name: value for name, value in expected.items() if not name.startswith("Utterances")
    }
    sheets = PdfReader(io.BytesIO(ivy.get(f"/tapes/{table.tape_id}/summary.pdf").content)).pages
    paper = " ".join("\n".join(sheet.extract_text() for sheet in sheets).split())
    assert all(f"{name}: {value}" in paper for name, value in expected.items())
    tags = {row["id"]: row["talk"] for row in together["places"]}
    assert {name: talk for name, talk in tags.items() if talk} == {"u2": ["change"], "u6": ["sustain"]}
    assert [(code["label"], code["letter"], code["shape"]) for code in together["talk"]] == [
        ("Change talk", "+", "up"),
        ("Sustain talk", "−", "down"),
    ]
    assert growth(ivy)["Change talk (%CT), by the machine"] == [("50%", "the machine")]


def test_under_a_book_with_codes_for_the_client_the_machine_says_nothing_beside_them(table: Table) -> None:
    seated(table)
    coded(table.ada, {"u2": "change"})
    page_state = board(table.ada)
    assert page_state["talk"] == []
    assert not any(row["talk"] for row in page_state["places"])
    assert "by the machine" not in str(page_state["measures"])


def test_what_turns_out_to_be_the_interviewers_is_no_change_talk(table: Table) -> None:
    """From the second utterance on the speakers were mixed up: what the machine took for client talk is none."""
    seated(table)
    table.ada.begin("all", "miti-4.2")
    assert table.ada.correct("speaker", "u2", {}).is_success
    table.ada.code("u1", "question")
    table.ada.lock()
    talk = {row["label"]: row["undefined"] for row in board(table.ada, "miti-4.2")["measures"]}
    assert talk["Change talk (%CT), by the machine"] == "0 utterances of change or sustain talk"
