"""From the machine's tags to files, report and terminal, under every codebook, on tapes that lack any of its codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from pipeline import settings, stages
from pipeline.audio.recording import Recording, Source
from pipeline.cli._shared import progress_display
from pipeline.coding.codebook import CODES, Codebook
from pipeline.formats import cacti_codebook, codebook_files
from pipeline.formats.safe_reader import Source as File
from pipeline.run.results import FILES, Attribution, Measured, Results
from pipeline.speech.diarization.contract import Diarization
from pipeline.speech.roles import Roles
from pipeline.speech.transcriber import Transcript
from tests.measures import samples

CACTI = File(
    "misc.xml",
    b"""<userConfiguration>
<codes><code name="OQ0" value="11"/><code name="CQ0" value="12"/><code name="SR0" value="13"/>
<code name="CR0" value="14"/><code name="CR+" value="15"/><code name="D+" value="16"/><code name="A+" value="17"/>
<code name="D-" value="18"/></codes>
<codeControls panel="left" label="Therapist"><row><button code="OQ0"/><button code="CQ0"/><button code="SR0"/>
<button code="CR0"/><button code="CR+"/></row></codeControls>
<codeControls panel="right" label="Client"><row><button code="D+"/><button code="A+"/><button code="D-"/></row>
</codeControls></userConfiguration>""",
)


def books() -> Iterator[Codebook]:
    yield from (codebook_files.read(name) for name in codebook_files.shipped())
    yield cacti_codebook.read(CACTI).codebook


BOOKS = {book.name: book for book in books()}


def tagged(script: str = samples.SCRIPT) -> pd.DataFrame:
    """The invented session with the machine's codes alone."""
    table = samples.coded(script)
    codes_per_row = [[code for code in str(cell).split("|") if code in CODES] for cell in table["codes"]]
    roles = zip(table["role"], codes_per_row, strict=True)
    rest = {"interviewer": "other", "client": "neutral", "unknown": ""}
    return table.assign(codes=["|".join(codes) or rest[role] for role, codes in roles])


def results(table: pd.DataFrame, book: Codebook) -> Results:
    """The results of a tape whose table is given, as `stages.Run` would have them."""
    source = Source("x.wav", "0" * 64, "wav", "pcm_s16le", 16_000, 1, 300_000, 300_000)
    recording = Recording(np.zeros((1, 16_000), dtype=np.float32), 0, 300_000, source, ())
    transcript, diarization = Transcript((), (), (), {}), Diarization((), (), (), {})
    attribution = Attribution((), Roles.given("S1", ["S1", "S2"]), ())
    drawing = settings.load().settings.measures.model_copy(update={"draws": 200})
    measured = Measured.of(table, book, drawing, {})
    return Results(
        *("tape", "walking", recording, transcript, diarization, attribution, table, measured, book),
        provenance={},
    )


def written(table: pd.DataFrame, book: Codebook, folder: Path) -> tuple[dict[str, Any], str, str]:
    """Return the measures, the report and the text in the terminal, as `process` gives them."""
    folder.mkdir()
    for name, content in results(table, book).files().items():
        (folder / name).write_bytes(content)
    console = Console(width=200)
    with console.capture() as printed:
        console.print(progress_display.summarize(stages.ProcessedTape(folder, unchanged=False)))
    measures = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    return measures, (folder / "report.html").read_text(encoding="utf-8"), printed.get()


@pytest.mark.parametrize("lacking", ["", *CODES, "change|sustain", "question_open|question_closed"])
@pytest.mark.parametrize("name", BOOKS)
def test_a_tape_that_lacks_a_code_is_measured_reported_and_told(name: str, lacking: str, tmp_path: Path) -> None:
    table = tagged()
    table["codes"] = [
        "|".join(code for code in cell.split("|") if code not in lacking.split("|")) for cell in table["codes"]
    ]
    measures, report, terminal = written(table, BOOKS[name], tmp_path / "tape")
    assert sorted(path.name for path in (tmp_path / "tape").iterdir()) == sorted(FILES)
    for measure in (*measures["ratios"].values(), *measures["client"].values()):
        assert (measure["value"] is None) == bool(measure["undefined"])
        assert measure["value"] is not None or measure["undefined"] in report or measure["name"] in measures["client"]
    for measure in measures["client"].values():
        assert measure["label"] in terminal


@pytest.mark.parametrize("script", ["", "U - .50 Hello?", "I other .9 Mm-hm.", "C neutral .9 Yes."])
@pytest.mark.parametrize("name", BOOKS)
def test_a_tape_without_codes_is_measured_reported_and_told(name: str, script: str, tmp_path: Path) -> None:
    measures, _, terminal = written(tagged(script), BOOKS[name], tmp_path / "tape")
    assert all(measure["value"] is None for measure in measures["ratios"].values())
    withheld = script.startswith("U")
    assert (measures["withheld"] is None) != withheld
    assert ("nobody has said yet who is who" if withheld else "0 utterances of change or sustain talk") in terminal


def defined(measures: dict[str, Any]) -> dict[str, float | str]:
    """Each ratio's value, or why it has none."""
    return {
        name: measure["undefined"] if measure["value"] is None else round(measure["value"], 2)
        for name, measure in measures["ratios"].items()
    }


def test_a_codebook_decides_which_measures_there_are(tmp_path: Path) -> None:
    """The invented session has 6 open and 3 closed questions, 6 simple and 5 complex reflections, 17 : 7 change talk.

    No volley holds two questions or two reflections, so MITI's rule gives the same. One utterance is an affirmation and
    a reflection, which makes 7 simple ones.
    """
    assert {name: defined(written(tagged(), book, tmp_path / name)[0]) for name, book in BOOKS.items()} == {
        "pretags": {
            "reflections_per_question": 1.33,
            "reflections_per_open_question": 2,
            "percent_complex_reflections": 41.67,
            "percent_open_questions": 66.67,
            "percent_change_talk": 70.83,
        },
        "misc": {
            "reflections_per_question": 1.33,
            "reflections_per_open_question": 2,
            "percent_complex_reflections": 41.67,
            "percent_open_questions": 66.67,
            "percent_change_talk": 70.83,
        },
        "miti-4.2": {
            "reflections_per_question": 1.33,
            "reflections_per_open_question": "this codebook does not distinguish open from closed questions",
            "percent_complex_reflections": 41.67,
            "percent_open_questions": "this codebook does not distinguish open from closed questions",
            "percent_change_talk": 70.83,
        },
        "oars": {
            "reflections_per_question": "this codebook has a code for open questions only, not for all questions",
            "reflections_per_open_question": "this codebook does not distinguish open from closed questions",
            "percent_complex_reflections": "this codebook does not distinguish complex from simple reflections",
            "percent_open_questions": "this codebook does not distinguish open from closed questions",
            "percent_change_talk": 70.83,
        },
    }


def test_open_questions_alone_praise_nobody_and_have_no_threshold_beside_them(tmp_path: Path) -> None:
    measures, report, terminal = written(tagged(), BOOKS["oars"], tmp_path / "tape")
    assert not any(measure["references"] for measure in measures["ratios"].values())
    for claim in ("Most questions were open", "more reflections", "went beyond the client", "MITI"):
        assert claim not in report
        assert claim not in terminal
    assert "a code for open questions only, not for all questions" in terminal
    assert "an open question was followed directly by change talk" in report
    assert "MITI 4.2 calls fair and good" in written(tagged(), BOOKS["miti-4.2"], tmp_path / "miti")[1]
    told = "meant for counts per volley, while this page counts every utterance"
    assert told in written(tagged(), BOOKS["pretags"], tmp_path / "pretags")[1]


@pytest.mark.parametrize(("name", "marked"), [("pretags", False), ("misc", False), ("miti-4.2", True), ("oars", True)])
def test_change_talk_that_the_codebook_has_no_codes_for_is_marked_as_the_machines(
    name: str, marked: bool, tmp_path: Path
) -> None:
    measures, report, terminal = written(tagged(), BOOKS[name], tmp_path / "tape")
    labels = ["Change talk (%CT)", "Utterances of change talk", "Utterances of sustain talk"]
    shown = [measures["ratios"]["percent_change_talk"], *measures["client"].values()]
    assert [measure["label"] for measure in shown] == [label + ", by the machine" * marked for label in labels]
    assert [bool(measure["note"]) for measure in shown] == [marked] * 3
    assert [measure["value"] for measure in shown[1:]] == [17, 7]
    assert ("nobody coded it by hand" in report) == marked
    assert (terminal.count("by the machine") == 3) == marked
    assert len(pd.read_csv(tmp_path / "tape" / "change_talk.csv")) == 24
    assert len(measures["readiness"]["points"]) == 33


def test_a_volley_with_an_open_and_a_closed_question_is_one_question_under_miti(tmp_path: Path) -> None:
    talk = (
        "I question_open .9 What brings you here?\nI question_closed .9 Is it your knee?\nC neutral .9 My knee hurts.\n"
        "I reflection_simple .9 It hurts.\n"
    )
    measures, report, _ = written(tagged(talk), BOOKS["miti-4.2"], tmp_path / "tape")
    ratio = measures["ratios"]["reflections_per_question"]
    assert (ratio["numerator"], ratio["denominator"]) == (1, 1)
    assert "Most questions were open" not in report


def test_a_book_that_codes_change_talk_alone_has_no_readiness_line(tmp_path: Path) -> None:
    pretags = codebook_files.written(BOOKS["pretags"]).replace('pretags = [\n    "sustain",\n]', "pretags = []")
    path = tmp_path / "own.toml"
    path.write_text(pretags.replace('name = "sustain"', 'name = "s"').replace('label = "Sustain talk"', 'label = "S"'))
    measures, report, terminal = written(tagged(), codebook_files.read(str(path)), tmp_path / "tape")
    why = "this codebook has no code for sustain talk"
    assert measures["ratios"]["percent_change_talk"]["undefined"] == why
    assert (measures["readiness"]["points"], measures["readiness"]["undefined"]) == ([], why)
    assert f"There is no readiness line: {why}." in report
    assert why in terminal


def test_every_file_that_leaves_names_its_zero() -> None:
    """The tables and the measures left it to the provenance beside them."""
    tape = results(tagged(), BOOKS["pretags"])
    cut = replace(tape, recording=replace(tape.recording, start=30_000, end=330_000), provenance={"zero": "elsewhere"})
    for name, content in cut.files().items():
        text = content.decode()
        if name.endswith(".csv"):
            assert text.splitlines()[0].endswith(",zero"), name
            assert all(line.endswith(",30.000") for line in text.splitlines()[1:] if line), name
        elif name == "report.html":
            assert "0:30 to 5:30" in " ".join(text.split())
        elif name != "provenance.json":
            assert "time 0 is 30.000 s into the recording" in text.replace("_", " "), name
