"""Files for other programs: whatever was said comes out as text, in captions and in a spreadsheet."""

from __future__ import annotations

import csv
import html
import io
import re

import pytest
import webvtt

from pipeline.coding.codebook import Codebook
from pipeline.review.coding import downloads
from pipeline.review.coding.code_events import CodeState
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord
from pipeline.tapes.db.records import Tape
from tests.review.coding.conftest import Table
from tests.review.test_payloads import PAYLOADS

BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
FORMULAS = (*(f"{sign}1+1" for sign in BEGINNINGS), '=HYPERLINK("http://evil.example";"x")')
BREAKS = ("\n\n00:00.000 --> 00:09.000\nx", "\r\rNOTE x", "a\u2028\u2029b\x85\x0bc", "\0", "&lt;script&gt;", "")
BOOK = Codebook("none", "1", "None", "utterance", ())
SAID = (*PAYLOADS, *FORMULAS, *BREAKS)


def utterance_of(at: int, text: str) -> CorrectedUtterance:
    start = 1000 * at
    return CorrectedUtterance(
        f"u{at}", "t1", "client", "S2", start, start + 900, (CorrectedWord(f"w{at}", text, start, start + 900),)
    )


@pytest.fixture(scope="module")
def utterances() -> list[CorrectedUtterance]:
    return [utterance_of(at, text) for at, text in enumerate(SAID)]


def test_captions_hold_a_cue_an_utterance_and_no_markup_of_what_was_said(utterances: list[CorrectedUtterance]) -> None:
    text = downloads.codes_webvtt(utterances, {}, BOOK)
    assert text.count("-->") == len(SAID)
    assert set(re.findall(r"<[^>]*>?", text)) == {"<v client>"}
    cues = list(webvtt.from_buffer(io.StringIO(text)))
    assert len(cues) == len(SAID)
    for cue, typed in zip(cues, SAID, strict=True):
        assert html.unescape(cue.text) == " ".join(typed.split())


def test_labels_of_codes_are_text_in_captions_as_well(utterances: list[CorrectedUtterance]) -> None:
    codes = {utterance.id: CodeState(("-->", "<script>alert(1)</script>")) for utterance in utterances}
    text = downloads.codes_webvtt(utterances, codes, BOOK)
    assert len(list(webvtt.from_buffer(io.StringIO(text)))) == text.count("-->") == len(SAID)
    assert "<script" not in text


def test_a_table_comes_back_as_it_was_and_runs_in_no_spreadsheet(utterances: list[CorrectedUtterance]) -> None:
    text = downloads.codes_csv(utterances, {})
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(SAID)
    for row, typed in zip(rows, SAID, strict=True):
        assert row["text"] == (f"'{typed}" if typed.startswith(BEGINNINGS) else typed)


def test_both_files_say_what_their_times_count_from(table: Table, utterances: list[CorrectedUtterance]) -> None:
    assert "NOTE time 0 is 30.000 s into the recording" in downloads.codes_webvtt(utterances, {}, BOOK, 30_000)
    rows = csv.DictReader(io.StringIO(downloads.codes_csv(utterances, {}, 30_000), newline=""))
    assert {row["zero"] for row in rows} == {"30.000"}
    ada = table.ada.begin()
    with table.room.home.database.writing() as database:
        database.get_one(Tape, table.tape_id).start_ms = 90_500
    assert "time 0 is 90.500 s into the recording" in ada.browser.get(f"{ada.path}/codes.vtt").text
    assert ada.browser.get(f"{ada.path}/codes.csv").text.splitlines()[1].endswith(",90.500,")


def test_what_a_coder_types_is_text_in_both_files(table: Table) -> None:
    ada = table.ada.begin()
    count = len(ada.state()["utterances"])
    typed = ["=1+1", *(word for payload in PAYLOADS for word in payload.split())]
    shares = [typed[start : start + 50] for start in range(0, len(typed), 50)]
    for utterance, share in zip(ada.state()["utterances"], shares, strict=False):
        old = [word["id"] for word in utterance["words"]]
        answer = ada.correct("text", utterance["id"], {"replace": old, "after": None, "with": share})
        assert answer.status_code == 200, answer.text
    captions = ada.browser.get(f"{ada.path}/codes.vtt")
    assert captions.text.count("-->") == len(list(webvtt.from_buffer(io.StringIO(captions.text)))) == count
    assert not re.search(r"<(?!v (?:interviewer|client|unknown)>)", captions.text)
    answer = ada.browser.get(f"{ada.path}/codes.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert len(rows) == count
    assert rows[0]["text"].startswith("'=1+1 ")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_codes_go_to_other_programs(table: Table) -> None:
    ada = table.ada.begin()
    ada.code("u0001", "question_open")
    ada.code("u0002", "change", action="unsure")
    rows = list(csv.DictReader(io.StringIO(ada.browser.get(f"{ada.path}/codes.csv").text)))
    assert [(row["codes"], row["unsure"]) for row in rows[:3]] == [
        ("question_open", "false"),
        ("change", "true"),
        ("", "false"),
    ]
    text = ada.browser.get(f"{ada.path}/codes.vtt").text
    captions = list(webvtt.from_buffer(io.StringIO(text)))
    assert len(captions) == len(rows)
    assert captions[0].text.endswith("[Open question]")
    assert captions[0].voice == "interviewer"
    assert ada.browser.get(f"{ada.path}/codes.exe").status_code == 404
