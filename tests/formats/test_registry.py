"""The list of readers and writers: every kind by name, by ending and by content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.errors import FormatError, TableError
from pipeline.formats import registry, uncoded
from tests.formats.transcripts import WALK

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("talk.rtf", "{}", "save it as .docx or .txt"),
        ("talk.pdf", "%PDF", "save the transcript as .docx or .txt"),
        ("talk.wav", "RIFF", "tape-review process"),
        ("talk.xyz", "", "save it as one of .casaa, .cha, .csv"),
        ("talk.json", '{"utterances": []}', "JSON, but not of a program that we know; give JSON of Whisper"),
        ("talk.rttm", "SPEAKER a 1 0.0 2.0 <NA> <NA> S0 <NA> <NA>\n", "has no words in any row"),
    ],
)
def test_what_cannot_be_coded_is_told_with_what_to_do(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises((FormatError, TableError)) as caught:
        uncoded.read(tmp_path / name)
    assert told in str(caught.value)


def test_the_page_on_formats_names_every_format_and_kind_that_is_read() -> None:
    page = (ROOT / "pipeline/formats/README.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \| `(\.[A-Za-z]+)` \|", page, flags=re.MULTILINE)
    assert listed == [(each.name, each.ending) for each in registry.FORMATS]
    rows = [cell for line in page.splitlines() if line.startswith("| ") for cell in line.split("|")[1:3]]
    named = {ending.lower() for cell in rows for ending in re.findall(r"`(\.[A-Za-z]+)`", cell)}
    assert named == set(registry.ENDINGS)
    assert "(pipeline/formats/README.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("path", "name"), [("a.eaf", "elan"), ("a.TEXTGRID", "textgrid"), ("a.VTT", "webvtt")])
def test_an_ending_stands_for_a_format_in_any_case(path: str, name: str) -> None:
    assert registry.format_of(Path(path)).name == name


def test_what_cannot_be_written_is_named_with_what_can() -> None:
    with pytest.raises(FormatError, match=r"TR-F09 format docx cannot be written; use one of elan, "):
        registry.format_named("docx")
    with pytest.raises(FormatError, match=r"TR-F09 file a.docx ends in nothing that can be written"):
        registry.format_of(Path("a.docx"))


def test_an_ending_that_several_programs_use_is_read_by_its_content(tmp_path: Path) -> None:
    whisper, tasks = tmp_path / "whisper.json", tmp_path / "tasks.json"
    whisper.write_text('{"segments": [{"start": 0, "end": 1, "text": "Hm."}]}')
    registry.write(WALK, tasks)
    assert [utterance.text for utterance in registry.read(whisper).utterances] == ["Hm."]
    assert registry.read(tasks).utterances[1].text == "I could walk."


def test_a_reader_that_is_named_is_taken_whatever_a_file_ends_in(tmp_path: Path) -> None:
    (tmp_path / "talk.dat").write_text("1\n00:00:01,000 --> 00:00:02,000\nHm.\n")
    with pytest.raises(FormatError, match="TR-F09"):
        registry.read(tmp_path / "talk.dat")
    assert registry.read(tmp_path / "talk.dat", "srt").utterances[0].text == "Hm."
    with pytest.raises(FormatError, match=r"TR-F09 format subrip is of no kind that can be read; use one of elan, "):
        registry.read(tmp_path / "talk.dat", "subrip")


def test_a_table_of_codes_has_its_dictionary_beside_it(tmp_path: Path) -> None:
    registry.write(WALK, tmp_path / "walk.csv")
    registry.write(WALK, tmp_path / "walk.vtt")
    assert {path.name for path in tmp_path.iterdir()} == {"walk.csv", "walk.csv-metadata.json", "walk.vtt"}


def test_endings_are_those_of_the_readers_of_these_names() -> None:
    assert registry.endings("webvtt", "word") == (".vtt", ".docx")
