"""The course of a session, worked by hand: the line falls to -3, turns, and comes back to 0."""

from __future__ import annotations

import io
from dataclasses import replace
from types import SimpleNamespace

import docx
import pytest
from pypdf import PdfReader

from pipeline.coding.codebook import Codebook
from pipeline.formats import codebook_files
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.review.consensus.consensus import ComparedUtterance, ConsensusBoard, Opinion
from pipeline.review.reflection import pdf, session_course
from pipeline.review.reflection.session_course import Exchange
from tests.review.coding.conftest import Table, table
from tests.review.reflection import papers

__all__ = ["table"]

SESSION = (
    ("question_open", "sustain"),
    ("reflection_simple", "sustain"),
    ("question_closed", "sustain"),
    ("reflection_complex", "change"),
    ("reflection_simple", "change"),
    ("information", "change"),
)
"""What the interviewer says, and what the client answers."""

MACHINE = {1: "question_closed", 3: "reflection_complex", 5: "question_closed"}
"""What the machine suggested: wrong on the first two, right on the third."""


def book() -> Codebook:
    return codebook_files.read("pretags")


def board(timed: bool = True) -> ConsensusBoard:
    codes = [code for pair in SESSION for code in pair]
    utterances = []
    for number, code in enumerate(codes, start=1):
        role, voice = (("interviewer", "S1"), ("client", "S2"))[number % 2 == 0]
        start = number * 1000
        words = (CorrectedWord(f"w{number}", "That is what it is", start, start + 900),)
        utterance = CorrectedUtterance(f"u{number}", f"t{number}", role, voice, start, start + 900, words)
        machine = (MACHINE[number],) if number in MACHINE else ()
        utterances.append(
            ComparedUtterance(utterance, (Opinion("Ada", (code,)),), None, machine, 0.7 if machine else None)
        )
    return ConsensusBoard(tuple(utterances), ("Ada",), book(), timed=timed)


def test_the_line_is_drawn_with_its_turn() -> None:
    course = session_course.course(board())
    assert course.readiness == "The line ends at 0."
    assert course.picture is not None
    # From -3 to 0 over 120, and from 2 s to 12 s over 640.
    assert course.picture.line == ((0, 40), (128, 80), (256, 120), (384, 80), (512, 40), (640, 0))
    assert course.picture.low == course.picture.high == course.picture.line  # people decided all of it
    assert course.picture.zero == 0
    (turn,) = course.picture.turns
    assert (turn.moment, turn.toward, turn.x, turn.y) == (6000, "change", 256, 120)


def test_the_best_exchanges_are_of_several_kinds_and_none_comes_twice() -> None:
    expected = (
        Exchange(2000, "Sustain talk that was met with a reflection."),
        Exchange(7000, "The client's talk turned toward change here."),
        Exchange(9000, "A reflection, and change talk right after it."),
    )
    assert session_course.course(board()).exchanges == expected
    numbered = session_course.course(board(timed=False)).exchanges
    assert [exchange.moment for exchange in numbered] == [2, 7, 9]


def test_change_talk_stands_in_its_context() -> None:
    course = session_course.course(board())
    labels = {code.name: code.label.lower() for code in book().codes}
    before = sorted(labels[code] for code in ("reflection_complex", "reflection_simple", "information"))
    assert course.before == f"Before change talk: {', '.join(f'{label} 1' for label in before)}."
    after = sorted(labels[code] for code in ("reflection_simple", "information"))
    assert course.after == f"After change talk: {', '.join(f'{label} 1' for label in after)}."


def test_what_the_group_settled_otherwise_than_the_machine_is_counted() -> None:
    labels = {code.name: code.label.lower() for code in book().codes}
    first = f"{labels['question_closed']}, settled as {labels['question_open']}: 1"
    second = f"{labels['reflection_complex']}, settled as {labels['reflection_simple']}: 1"
    wrong = f"The machine was wrong on 2 of 3 utterances that the group settled. Mostly: {first}; {second}."
    alone = board()
    assert session_course.course(alone).corrected == ""  # one coder's pass
    agreed = tuple(
        replace(each, opinions=(*each.opinions, replace(each.opinions[0], coder="Ben"))) for each in alone.utterances
    )
    assert session_course.course(replace(alone, utterances=agreed)).corrected == wrong
    settled = tuple(replace(each, settled=each.by_hand) for each in alone.utterances)
    assert session_course.course(replace(alone, utterances=settled)).corrected == wrong
    right = tuple(replace(each, machine=each.by_hand if each.machine else ()) for each in settled)
    assert session_course.course(replace(alone, utterances=right)).corrected == ""


def test_an_utterance_with_two_codes_counts_under_both() -> None:
    both = (Opinion("Ada", ("reflection_complex", "question_open")),)
    whole = board()
    utterances = tuple(replace(each, opinions=both) if each.utterance.id == "u7" else each for each in whole.utterances)
    labels = {code.name: code.label.lower() for code in book().codes}
    codes = ("reflection_complex", "question_open", "reflection_simple", "information")
    shown = ", ".join(f"{label} 1" for label in sorted(labels[code] for code in codes)[:3])
    assert (
        session_course.course(replace(whole, utterances=utterances)).before == f"Before change talk: {shown}, other 1."
    )


def test_a_usual_summary_is_one_page_of_paper() -> None:
    figures = [
        SimpleNamespace(label=f"A measure of the session {at}", text="1.3", spread="0.9 to 1.6") for at in range(6)
    ]
    remark = "You waited for a long time, and then you said what she had not said yet, in her own way."
    comments = [
        SimpleNamespace(kind=kind, name="Ben", text=remark, moment=190_000)
        for kind in ("strength", "strength", "strength", "strength", "suggestion")
    ]
    full = papers.summary(course=session_course.course(board()), figures=figures, comments=comments)
    assert len(PdfReader(io.BytesIO(pdf.printed(full))).pages) == 1


@pytest.mark.parametrize("kind", ["", ".pdf", ".docx"])
def test_a_locked_pass_gives_the_summary_its_course(table: Table, kind: str) -> None:
    table.interviewer.browser.post(f"/tapes/{table.tape_id}/first", {"step": "waive"})
    page = f"/tapes/{table.tape_id}/summary{kind}"
    table.ada.begin()
    assert "Readiness over the session" not in words(table, page, kind)  # who codes is blind
    table.ada.code("u0002", "change")
    table.ada.code("u0004", "change")
    table.ada.lock()
    text = words(table, page, kind)
    assert "Readiness over the session" in text
    assert "Change talk in context" in text
    if kind == ".docx":
        document = docx.Document(io.BytesIO(table.ada.browser.get(page).content))
        (picture,) = document.inline_shapes
        assert picture._inline.docPr.get("descr").startswith("The line rises by one")


def words(table: Table, page: str, kind: str) -> str:
    answer = table.ada.browser.get(page)
    assert answer.status_code == 200
    if kind == ".pdf":
        return "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.content)).pages)
    if kind == ".docx":
        return "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(answer.content)).paragraphs)
    return str(answer.text)
