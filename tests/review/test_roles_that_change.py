"""Who is who is named, changed and taken back, and everything that leaves the room follows; figures by hand.

The session is that of `test_one_truth`: twelve utterances, by turns of S1 (the interviewer's, says the run) and S2. The
tagger that looks again proposes a simple reflection for everything an interviewer says, and change talk for everything
a client says.

==========================  ===========  ==============  =====================
roles (S1, S2)              R:Q          %CT             rows of change talk
==========================  ===========  ==============  =====================
as the run took them        1.5          75%             4
client, interviewer         undefined    100% (6 of 6)   6 (utterances 1, 3, ...)
interviewer, someone else   undefined    undefined       0
==========================  ===========  ==============  =====================
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app as commands
from pipeline.coding.codebook import CODES
from pipeline.measures.session.measures import total_noun
from pipeline.tapes.db.records import Tape
from tests.review.conftest import Room
from tests.review.test_one_truth import BOOKS, CT, LABELS, RQ, Walk, text_of, walk_of

TABLES = ("utterances.csv", "words.csv", "change_talk.csv", "vocalizations.csv")
SWAPPED = {"speaker": ["S1", "S2"], "speaker_role": ["client", "interviewer"]}
THIRD = {"speaker": ["S1", "S2"], "speaker_role": ["interviewer", "other"]}
OF_ROLE = {"interviewer": "reflection_simple", "client": "change"}


class ByRole:
    """Proposes one code a role."""

    session_effect_sd: Mapping[str, float] = {}

    def tag(self, table: pd.DataFrame) -> pd.DataFrame:
        codes = table["role"].map(OF_ROLE).fillna("")
        chances = {f"p_{code}": (codes == code) * 1.0 for code in CODES}
        return table.assign(codes=codes, probability=1.0, needs_check=False, **chances)


@pytest.fixture
def walk(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Walk:
    monkeypatch.setattr("pipeline.review.tapes.retagging.tagger.load", lambda settings: ByRole())
    monkeypatch.setattr("pipeline.tapes.clock.now", room.clock)
    return walk_of(BOOKS["pretags"], room, tmp_path)


def exported(walk: Walk, name: str) -> dict[str, bytes]:
    """What `tape-review export` writes now."""
    folder = walk.folder.parent / name
    call = ["export", walk.tape_id, "--out", str(folder), "--as", "ivy@example.org"]
    done = CliRunner().invoke(commands, [*call, "--home", str(walk.room.home.folder)])
    assert done.exit_code == 0, done.output
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def name_roles(walk: Walk, form: dict[str, object]) -> None:
    assert walk.ivy.post(f"/tapes/{walk.tape_id}/voices", form).status_code == 303


def test_exports_follow_the_roles_and_come_back_when_they_are_taken_back(walk: Walk) -> None:
    ours = {path.name: path.read_bytes() for path in walk.folder.iterdir()}
    assert exported(walk, "first") == ours
    name_roles(walk, SWAPPED)
    swapped = exported(walk, "swapped")
    assert set(swapped) == set(ours)
    roles = {"S1": "client", "S2": "interviewer"}
    for name in TABLES:
        assert {row["role"] for row in rows(swapped[name]) if row.get("speaker") == "S1"} <= {"client"}, name
        assert swapped[name].splitlines()[0] == ours[name].splitlines()[0], name
    lines = rows(swapped["utterances.csv"])
    assert [(row["role"], row["codes"]) for row in lines[:2]] == [
        ("client", "change"),
        ("interviewer", "reflection_simple"),
    ]
    unchanged = ("tape_id", "utterance_id", "speaker", "start", "end", "text", "language", "zero")
    for row, before in zip(lines, rows(ours["utterances.csv"]), strict=True):
        assert [row[column] for column in unchanged] == [before[column] for column in unchanged]
    assert len(rows(ours["change_talk.csv"])) == 4
    assert [row["utterance_id"] for row in rows(swapped["change_talk.csv"])] == [f"u{n:04d}" for n in range(1, 12, 2)]
    measures = json.loads(swapped["measures.json"])
    assert measures["ratios"][CT]["value"] == 100
    assert measures["ratios"][RQ]["value"] is None
    assert measures["zero"] == json.loads(ours["measures.json"])["zero"]
    assert json.loads(swapped["provenance.json"])["named_roles"] == roles
    report = text_of(swapped["report.html"].decode())
    assert re.search(r"Client Voice S1 ", report)
    assert re.search(r"Interviewer Voice S2 \( named by hand|Interviewer Voice S2 \(named by hand", report)
    name_roles(walk, {"undo": "true"})
    assert exported(walk, "undone") == ours


def test_a_third_person_in_an_export_has_no_codes_and_is_named_in_words(walk: Walk) -> None:
    name_roles(walk, SWAPPED)
    name_roles(walk, THIRD)
    files = exported(walk, "third")
    lines = rows(files["utterances.csv"])
    assert [(row["role"], row["codes"]) for row in lines[:2]] == [("interviewer", "reflection_simple"), ("other", "")]
    assert rows(files["change_talk.csv"]) == []
    assert json.loads(files["measures.json"])["ratios"][CT]["value"] is None
    report = text_of(files["report.html"].decode())
    assert "Someone else Voice S2" in report
    assert "Someone else, not in any figure: " in report  # talk time
    assert not re.search(r"\bOther:", report)
    name_roles(walk, {"undo": "true"})
    swapped = rows(exported(walk, "back")["utterances.csv"])
    assert [row["role"] for row in swapped[:2]] == ["client", "interviewer"]


def test_pages_papers_and_agreement_say_what_the_export_says(walk: Walk) -> None:
    name_roles(walk, SWAPPED)
    measures = json.loads(exported(walk, "swapped")["measures.json"])
    for name in (CT, RQ):
        ratio = measures["ratios"][name]
        expected = "100%" if name == CT else ratio["undefined"]
        summary = walk.ivy.get(f"/tapes/{walk.tape_id}/summary").text
        shown = dict(re.findall(r'<th scope="row">(.*?)</th><td class="num" data-label="Value">(.*?)</td>', summary))
        assert shown[LABELS[name]] == expected
    assert total_noun("questions") in measures["ratios"][RQ]["undefined"]
    for coder in (walk.ada, walk.ben):
        coder.begin()
        for number in range(1, 13):
            coder.code(f"u{number:04d}", "change" if number % 2 else "reflection_simple")
        coder.lock()
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id

    def compared() -> dict[str, str]:
        page = text_of(walk.ada.browser.get(f"/groups/{group}/agreement").text)
        return dict(re.findall(r"members among themselves (All codes|Change and sustain talk) (\d+) \d+ %", page))

    # Six utterances are the client's, and can carry change talk.
    assert compared() == {"All codes": "12", "Change and sustain talk": "6"}
    assert [row["role"] for row in rows(walk.ada.browser.client.get(f"{walk.ada.path}/codes.csv").content)][:2] == [
        "client",
        "interviewer",
    ]


def test_a_third_person_s_utterances_are_no_agreement_on_no_code(walk: Walk) -> None:
    """Ada and Ben code the interviewer's six utterances. Nobody is asked for codes of the other six."""
    name_roles(walk, THIRD)
    for coder in (walk.ada, walk.ben):
        coder.begin()
        for number in range(1, 13, 2):
            coder.code(f"u{number:04d}", "reflection_simple")
        coder.lock()
    board = walk.ada.browser.get(f"/tapes/{walk.tape_id}/together/state?codebook=pretags").json()
    assert board["basis"] == "6 agreed by all coders"
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id
    page = text_of(walk.ada.browser.get(f"/groups/{group}/agreement").text)
    assert "members among themselves All codes 6 100 %" in page


def test_who_coded_for_other_roles_has_not_left_the_rest_without_a_code(walk: Walk) -> None:
    """Ada and Ben code the interviewer's six only; then the voices turn out to be swapped."""
    for coder in (walk.ada, walk.ben):
        coder.begin()
        for number in range(1, 13, 2):
            coder.code(f"u{number:04d}", "reflection_simple")
        coder.lock()
    with walk.room.home.database.reading() as database:
        group = database.get_one(Tape, walk.tape_id).group_id

    def compared() -> str:
        page = text_of(walk.ada.browser.get(f"/groups/{group}/agreement").text)
        match = re.search(r"members among themselves All codes (\d+)", page)
        assert match
        return match[1]

    assert compared() == "12"
    name_roles(walk, SWAPPED)
    assert compared() == "6"
    name_roles(walk, {"undo": "true"})
    assert compared() == "12"
