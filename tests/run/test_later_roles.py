"""Other roles after a run: of a text without sound, and of notes that spoke of the roles of then."""

from __future__ import annotations

import csv
import io
import json

from pipeline.coding.codebook import CODES
from pipeline.formats import codebook_files
from pipeline.run import later_roles
from pipeline.run.results import Measured
from pipeline.run.text_run import FILES, NO_SOUND
from pipeline.settings import MeasuresSettings
from pipeline.tapes.intake import importing
from tests.run.test_text_run import DEFAULT, Watch, run

BOOK = codebook_files.read("pretags")


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_text_s_files_follow_and_have_no_times() -> None:
    results = run().finish(Watch())
    transcript = json.loads(importing.transcript(results.table, results.attribution, {}))
    roles = {"S1": "client", "S2": "interviewer"}
    codes = results.table["speaker"].map({"S1": "change", "S2": "question_open"})
    chances = {f"p_{code}": (codes == code) * 1.0 for code in CODES}
    table = results.table.assign(role=results.table["speaker"].map(roles), codes=codes, probability=1.0, **chances)
    table = table.assign(start=None, end=None, target_behavior="drinking less")
    settings: MeasuresSettings = DEFAULT.measures
    measured = Measured.of(table, BOOK, settings, {})
    changed = later_roles.files(results.files, transcript, roles, table, measured, BOOK)  # type: ignore[arg-type]
    assert set(changed) == set(FILES)
    assert {(row["speaker"], row["role"], row["start"]) for row in rows(changed["words.csv"])} == {
        ("S1", "client", ""),
        ("S2", "interviewer", ""),
    }
    assert [row["text"] for row in rows(changed["words.csv"])] == [
        row["text"] for row in rows(results.files["words.csv"])
    ]
    # three utterances of S1, two of S2
    assert [row["codes"] for row in rows(changed["utterances.csv"])] == [
        *("change", "question_open", "change", "question_open", "change")
    ]
    provenance = json.loads(changed["provenance.json"])
    assert provenance["named_roles"] == roles
    assert provenance["warnings"] == [NO_SOUND]
    report = changed["report.html"].decode()
    assert NO_SOUND in report
    assert "named by hand" in report


def test_notes_of_the_roles_of_then_are_gone_and_others_stay() -> None:
    results = run().finish(Watch())
    provenance = json.loads(results.files["provenance.json"])
    stale = [
        "figures are withheld: only one voice is surely somebody's, so nobody knows whose words these are",
        "it is not certain who is the interviewer: voice S1, with a probability of 60%",
        "voice S2 speaks, too (0:12), and has no role: it has no codes",
        "the words decide who is the interviewer: S1, with a probability of 0.80",
    ]
    kept = ["the recording is quiet", "voices may be mixed up"]
    provenance |= {"warnings": [*stale, *kept]}
    stored = results.files | {"provenance.json": json.dumps(provenance).encode()}
    transcript = json.loads(importing.transcript(results.table, results.attribution, {}))
    table = results.table.assign(start=None, end=None, target_behavior="drinking less")
    measured = Measured.of(table, BOOK, DEFAULT.measures, {})
    changed = later_roles.files(stored, transcript, {"S1": "interviewer", "S2": "client"}, table, measured, BOOK)
    assert json.loads(changed["provenance.json"])["warnings"] == kept
