"""A session in two languages from its sound to every page and file, with figures worked out by hand.

It is the session of `test_one_truth`, in which three utterances are in Spanish::

     8 C  Llegamos aquí en mayo, pues.                       (5 words)
     9 I  Mucha gente duerme mejor tras dos semanas.         (7 words)
    10 C  Yo podría intentar eso.                            (4 words)

A word takes 200 ms, and the last one of an utterance 180: all 61 words take 11,960 ms, the Spanish ones 3,140 (26 %).

The machine codes the other nine: 3 reflections (1 complex), 2 questions (1 open), 2 times change talk, 1 sustain talk:
R:Q 1.5, %CR 33, %OQ 50, %CT 67. Ada, who speaks Spanish, codes 10 as change talk, and Ben leaves all three: %CT is 3 of
4 then, and 2,360 ms (20 %) are in no figure. Ada and Ben hear 11 as complex, once they have settled it: %CR 67. They
are compared on the nine English utterances, and agree on 8 (89 %). The coach codes the nine as they do, save that 5 is
simple for her: 8 of 9.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest
from pypdf import PdfReader

from pipeline.coding.codebook import CODES
from pipeline.speech.transcriber import Transcript
from pipeline.tapes.db.records import Tape
from pipeline.timeline import Span, Word
from tests.review.conftest import Room
from tests.review.test_one_truth import (
    BOOKS,
    CR,
    CT,
    EACH,
    OQ,
    RQ,
    SESSION,
    Scripted,
    Walk,
    _Always,
    everything_shows,
    files_that_leave_say_the_same,
    text_of,
    the_coach_sees_what_was_coded,
    the_group_says_one_thing,
    walk_of,
)

SPANISH = {
    8: "Llegamos aquí en mayo, pues.",
    9: "Mucha gente duerme mejor tras dos semanas.",
    10: "Yo podría intentar eso.",
}
NOT_COUNTED = "26% of the speech is Spanish: transcribed, not coded, and in no figure but talk time"
STILL_NOT_COUNTED = NOT_COUNTED.replace("26%", "20%")
BOOK = replace(
    BOOKS["pretags"],
    machine={RQ: "1.5", CR: "33%", OQ: "50%", CT: "67%"},
    settled={RQ: "1.5", CR: "67%", OQ: "50%", CT: "75%"},
    agreed=(9, 89),
    coached="89 %",
)


class TwoLanguages(Scripted):
    """Hears three utterances in Spanish, and proposes nothing for them."""

    class _Tagger:
        session_effect_sd: Mapping[str, float] = {}

        def tag(self, table: pd.DataFrame, progress: Any) -> pd.DataFrame:
            codes = ["" if number in SPANISH else code for number, (code, _) in enumerate(SESSION, 1)]
            sure = {f"p_{code}": [float(code == each) for each in codes] for code in CODES}
            return table.assign(codes=codes, probability=[float(bool(c)) for c in codes], needs_check=False, **sure)

    tagger = _Tagger()  # type: ignore[assignment]

    def transcriber(self) -> Any:
        words = []
        for number, (_, english) in enumerate(SESSION, 1):
            start, language = EACH * (number - 1), "es" if number in SPANISH else "en"
            for at, text in enumerate(SPANISH.get(number, english).split()):
                words.append(Word(Span(start + 200 * at, start + 200 * at + 180), text, 0.9, language=language))
        return _Always("transcribe", Transcript(tuple(words), (), (), {"engine": "script"}))


class Bilingual(Walk):
    """Ada codes 10; nobody else codes a Spanish utterance."""

    def codes(self, number: int, *, eleven: str = "", five: str = "", ten: str = "") -> tuple[str, ...]:
        if number in SPANISH:
            return (ten,) if number == 10 and ten else ()
        return super().codes(number, eleven=eleven, five=five)


@pytest.fixture
def walk(room: Room, tmp_path: Path) -> Bilingual:
    return Bilingual(**vars(walk_of(BOOK, room, tmp_path, engines=TwoLanguages)))


def test_a_session_in_two_languages_has_the_same_figures_everywhere(walk: Bilingual) -> None:
    everything_shows(walk, BOOK.machine, "machine")
    papers_say(walk, NOT_COUNTED)
    walk.pass_of(walk.ada, eleven="reflection_complex", ten="change")
    walk.pass_of(walk.ben)
    board = state(walk)
    lines = {line["id"]: line for line in board["places"]}
    assert [lines[f"u{number:04d}"]["language"] for number in (7, 8, 9, 10)] == ["", *["Spanish"] * 3]
    assert lines["u0008"]["opinions"] == lines["u0009"]["opinions"] == []
    assert [(each["coder"], each["codes"]) for each in lines["u0010"]["opinions"]] == [("Ada", ["change"])]
    assert board["queue"] == ["u0011"]
    assert board["basis"] == f"9 agreed by all coders, 1 still divided. {STILL_NOT_COUNTED}"
    settle(walk, "u0011", "reflection_complex")
    the_group_says_one_thing(walk)
    papers_say(walk, STILL_NOT_COUNTED)
    the_coach_sees_what_was_coded(walk)
    files_that_leave_say_the_same(walk)


def test_pages_of_agreement_say_that_other_languages_are_left_out(walk: Bilingual) -> None:
    for coder in (walk.ada, walk.ben, walk.coco):
        walk.pass_of(coder)
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id
    for browser, page in ((walk.ada.browser, "agreement"), (walk.coco.browser, "visit")):
        text = text_of(browser.get(f"/groups/{group}/{page}").text)
        assert "compared only between those who coded it by hand" in text, page


def test_two_who_code_an_utterance_in_another_language_are_compared_on_it(walk: Bilingual) -> None:
    walk.pass_of(walk.ada, ten="change")
    walk.pass_of(walk.ben, ten="sustain")
    board = state(walk)
    assert board["queue"] == ["u0010"]
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id
    # nine English utterances, on which they agree, and the one in Spanish, on which they do not
    assert "Ada" not in board["basis"]
    page = text_of(walk.ada.browser.get(f"/groups/{group}/agreement").text)
    assert "members among themselves All codes 10 90 %" in page
    settle(walk, "u0010")  # cleared together: in no figure again
    assert NOT_COUNTED in state(walk)["basis"]
    texts = {measure["label"]: measure["text"] for measure in state(walk)["measures"]}
    assert texts["Change talk (%CT)"] == "67%"


def test_being_unsure_of_a_line_in_another_language_is_no_vote_against_who_codes_it(walk: Bilingual) -> None:
    walk.pass_of(walk.ada, ten="change")
    walk.ben.begin("all", "pretags")
    for number in range(1, 13):
        if codes := walk.codes(number):
            walk.ben.code(f"u{number:04d}", *codes)
    walk.ben.code("u0010", action="unsure")
    walk.ben.lock()
    line = next(line for line in state(walk)["places"] if line["id"] == "u0010")
    assert [(each["coder"], each["unsure"]) for each in line["opinions"]] == [("Ada", False), ("Ben", True)]
    assert line["codes"] == ["change"]


def test_own_codes_and_the_coding_page_name_the_language(walk: Bilingual) -> None:
    walk.pass_of(walk.ada, ten="change")
    rows = list(csv.DictReader(io.StringIO(walk.ada.browser.get(f"{walk.ada.path}/codes.csv").text)))
    assert [row["language"] for row in rows] == ["en"] * 7 + ["es"] * 3 + ["en"] * 2
    assert [row["codes"] for row in rows[7:10]] == ["", "", "change"]
    lines = {line["id"]: line for line in walk.ada.state()["utterances"]}
    assert (lines["u0010"]["language"], lines["u0010"]["pretag"]) == ("Spanish", None)
    assert lines["u0001"]["language"] == ""


def state(walk: Walk) -> dict[str, Any]:
    answer = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook=pretags")
    assert answer.status_code == 200, answer.text
    return answer.json()


def settle(walk: Walk, utterance: str, *codes: str) -> None:
    body = {"id": f"s-{utterance}", "codebook": "pretags", "utterance_id": utterance, "codes": list(codes)}
    body["action"] = "set" if codes else "clear"
    headers = {"X-CSRF-Token": walk.ada.token}
    assert walk.ada.browser.client.post(f"/tapes/{walk.tape_id}/together", json=body, headers=headers).is_success


def papers_say(walk: Walk, sentence: str) -> None:
    """The summary as page, PDF and Word document, and the interviewer's growth."""
    path = f"/tapes/{walk.tape_id}/summary"
    assert sentence in text_of(walk.ivy.get(path).text)
    paper = PdfReader(io.BytesIO(walk.ivy.client.get(f"{path}.pdf").content))
    assert sentence in " ".join(" ".join(sheet.extract_text() for sheet in paper.pages).split())
    document = docx.Document(io.BytesIO(walk.ivy.client.get(f"{path}.docx").content))
    assert f"{sentence}." in [paragraph.text for paragraph in document.paragraphs]
    assert sentence in text_of(walk.ivy.get("/growth").text)
