"""Transcripts as programs write them and people save them; each was misread or refused once."""

# ruff: noqa: E501 (rows of a file and what it says stand side by side)

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from docx import Document
from docx.oxml import parse_xml
from openpyxl import Workbook

from pipeline.errors import FormatError, TableError
from pipeline.formats import registry, uncoded

ROOT = Path(__file__).parents[2]
ASKS, WALKS = "What would you like?", "I want to walk."
Row = tuple[str, str, int | None, str]


def rows(path: Path) -> list[Row]:
    """Role, speaker, start in ms and text of each utterance."""
    table = uncoded.read(path).table
    starts = table["start"] if "start" in table else pd.Series([pd.NA] * len(table))
    columns = (table["role"], table["speaker"], [None if pd.isna(at) else int(at) for at in starts], table["text"])
    return list(zip(*columns, strict=True))


def of(
    speakers: Sequence[str], starts: Sequence[int | None] = (None, None), roles: Sequence[str] = ("", "")
) -> list[Row]:
    return list(zip(roles, speakers, starts, (ASKS, WALKS), strict=True))


NAMED = ("interviewer", "client")
TEXTS: dict[str, tuple[str, list[Row]]] = {
    "zoom.txt": (f"[Ann Lee] 09:01:23\n{ASKS}\n\n[Bo] 09:01:30\n{WALKS}\n", of(("Ann Lee", "Bo"), (0, 7000))),
    "zoom_captions.txt": (
        f"[11:59:58.331 AM] Ann Lee\n{ASKS}\n[12:00:02.100 PM] Bo Lee\n{WALKS}\n",
        of(("Ann Lee", "Bo Lee"), (0, 3769)),
    ),
    "zoom_chat.txt": (f"00:00:05\tAnn Lee:\t{ASKS}\n00:00:09\tBo:\t{WALKS}\n", of(("Ann Lee", "Bo"), (5000, 9000))),
    "zoom.vtt": (
        f"WEBVTT\n\n1\n00:00:02.190 --> 00:00:05.220\nAnn Lee (she/her): {ASKS}\n\n"
        f"2\n00:00:05.220 --> 00:00:09.430\nBo: {WALKS}\n",
        of(("Ann Lee (she/her)", "Bo"), (2190, 5220)),
    ),
    "teams.txt": (
        f"Meeting-20240501-Recording\n\nMay 1, 2024, 2:03PM\n23m 11s\n\nLee, Ann   0:03\n{ASKS}\n\nOh, Bo   1:02:15\n{WALKS}",
        of(("Lee, Ann", "Oh, Bo"), (3000, 3_735_000)),
    ),
    "vtt.txt": (
        f"WEBVTT\r\n\r\n1\r\n00:00:02.190 --> 00:00:05.220\r\nAnn: {ASKS}\r\n\r\n2\r\n00:00:06.000 --> 00:00:07.000\r\nBo: {WALKS}\r\n",
        of(("Ann", "Bo"), (2190, 6000)),
    ),
    "srt.txt": (
        f"1\n00:00:03,000 --> 00:00:06,000\nAnn: {ASKS}\n\n2\n00:00:07,000 --> 00:00:09,000\nBo: {WALKS}\n",
        of(("Ann", "Bo"), (3000, 7000)),
    ),
    "otter.srt": (
        f"1\n00:00:03,000 --> 00:00:06,000\nAnn: {ASKS}\n\n2\n00:00:07,000 --> 00:00:09,000\nBo: {WALKS}\n",
        of(("Ann", "Bo"), (3000, 7000)),
    ),
    "descript.txt": (f"[00:00:03] Ann: {ASKS}\n\n[00:00:07] Bo: {WALKS}\n", of(("Ann", "Bo"), (3000, 7000))),
    "descript.md": (f"**Ann:** [00:00:03] {ASKS}\n\n**Bo:** [00:00:07] {WALKS}\n", of(("Ann", "Bo"), (3000, 7000))),
    "happy_scribe.txt": (
        f"[00:00:03.20] - Speaker 1\n{ASKS}\n\n[00:00:07.10] - Speaker 2\n{WALKS}\n",
        of(("Speaker 1", "Speaker 2"), (3200, 7100)),
    ),
    "youtube.sbv": (
        f"0:00:00.160,0:00:02.010\nTherapist: {ASKS}\n\n0:00:02.010,0:00:04.010\nClient: {WALKS}\n",
        of(("Therapist", "Client"), (160, 2010), NAMED),
    ),
    "noscribe.txt": (
        f"tape\nTranscribed with noScribe vers. 0.6.2\nAudio source: tape.wav\nMark pause: short\n\nS00: {ASKS}\n\nS01: {WALKS}",
        of(("S00", "S01")),
    ),
    "noscribe.html": (
        f'<p><a name="ts_0_2000_S00">S00: {ASKS}</a></p><p><a name="ts_2000_4000_S01">//S01: {WALKS}//</a></p>',
        of(("S00", "S01"), (0, 2000)),
    ),
    "dashes.txt": (f"Therapist - {ASKS}\nClient – {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "tabs.txt": (f"Therapist\t{ASKS}\nClient\t{WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "turns.txt": (f"1. T: {ASKS}\n2. C: {WALKS}\n", of(("T", "C"), roles=NAMED)),
    "lines.txt": (f"1  T: {ASKS}\n2  C: I want\n3     to walk.\n", of(("T", "C"), roles=NAMED)),
    "brackets.txt": (f"[T] {ASKS}\n(C) {WALKS}\n", of(("T", "C"), roles=NAMED)),
    "marks.txt": (f">> Therapist: {ASKS}\n>> Client: {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "above.txt": (f"THERAPIST\n{ASKS}\n\nCLIENT\n{WALKS}\n", of(("THERAPIST", "CLIENT"), roles=NAMED)),
    "one_line.txt": (f"Therapist: {ASKS} Client: {WALKS}\n", of(("Therapist", "Client"), roles=NAMED)),
    "both.vtt": (
        f"WEBVTT\n\n00:01.000 --> 00:02.000\nTherapist: {ASKS}\nClient: {WALKS}\n",
        of(("Therapist", "Client"), (1000, 1000), NAMED),
    ),
    "both.srt": (
        f"1\n00:00:01,000 --> 00:00:02,000\nTherapist: {ASKS}\nClient: I want\n\n2\n00:00:02,000 --> 00:00:03,000\nto walk.\n",
        [*of(("Therapist", "Client"), (1000, 1000), NAMED)[:1], ("client", "Client", 1000, "I want"), ("client", "Client", 2000, "to walk.")],
    ),
    "heading.txt": (
        f"SESSION 4\nDate: 3 March 2024\nClient: P07\nTherapist: Ann\n\nTHERAPIST: {ASKS}\nCLIENT: {WALKS}\n",
        of(("THERAPIST", "CLIENT"), roles=NAMED),
    ),
    "german.csv": (
        f'Sprecher;Äußerung;Beginn;Ende\nTherapeut;{ASKS};0,5;2,25\nKlientin;{WALKS};2,5;4\n',
        of(("Therapeut", "Klientin"), (500, 2500), NAMED),
    ),
    "french.csv": (
        f"Locuteur;Texte;Début;Fin\nThérapeute;{ASKS};0,5;2,25\nClient;{WALKS};2,5;4\n",
        of(("Thérapeute", "Client"), (500, 2500), NAMED),
    ),
    "spanish.csv": (
        f"Hablante;Texto;Inicio;Fin\nTerapeuta;{ASKS};0,5;2,25\nCliente;{WALKS};2,5;4\n",
        of(("Terapeuta", "Cliente"), (500, 2500), NAMED),
    ),
    "units.csv": (
        f'Speaker,Text,Start (mm:ss)\nT,{ASKS},01:05\nC,{WALKS},1:02:03\n',
        of(("T", "C"), (65_000, 3_723_000), NAMED),
    ),
    "half_days.csv": (
        f"Time,Speaker,Text\n11:59:58 PM,T,{ASKS}\n12:00:02 AM,C,{WALKS}\n",
        of(("T", "C"), (0, 4000), NAMED),
    ),
    "dates.csv": (
        f"Timestamp,Speaker,Text\n2024-05-01 10:02:11.5,T,{ASKS}\n2024-05-01T10:02:15,C,{WALKS}\n",
        of(("T", "C"), (0, 3500), NAMED),
    ),
    "thousands.csv": (f'Speaker,Text,Start\nT,{ASKS},0.5\nC,{WALKS},"1,200.5"\n', of(("T", "C"), (500, 1_200_500), NAMED)),
    "nvivo.csv": (
        f"ID,Timespan,Content,Speaker\n1,0:00.5 - 0:03.2,{ASKS},T\n2,0:03.2 - 0:05.0,{WALKS},C\n",
        of(("T", "C"), (500, 3200), NAMED),
    ),
    "maxqda.csv": (
        f'"Document","Speaker","Segment","Beginning","End"\n"a","T","{ASKS}","1","1"\n"a","C","{WALKS}","2","2"\n',
        of(("T", "C"), roles=NAMED),
    ),
    "annomi.csv": (
        f"transcript_id,utterance_id,interlocutor,timestamp,utterance_text\n0,0,therapist,00:00:13,{ASKS}\n"
        f"0,1,client,00:00:24,{WALKS}\n",
        of(("therapist", "client"), (13_000, 24_000), NAMED),
    ),
    "turns.csv": (f"Turn,Speaker,Text\n1,T,{ASKS}\n1,C,{WALKS}\n", of(("T", "C"), roles=NAMED)),
    "voices.csv": (f"speaker_id,text\n0,{ASKS}\n1,{WALKS}\n", of(("0", "1"))),
    "whisper_cpp.json": (
        json.dumps({"transcription": [{"offsets": {"from": 0, "to": 900}, "text": f" {ASKS}", "speaker": "0"},
                                      {"offsets": {"from": 900, "to": 2000}, "text": f" {WALKS}", "speaker": "1"}]}),
        of(("0", "1"), (0, 900)),
    ),
    "segments.json": (
        json.dumps([{"start": 0, "end": 0.9, "text": ASKS, "speaker": "A"}, {"start": 0.9, "text": WALKS, "speaker": "B"}]),
        of(("A", "B"), (0, 900)),
    ),
    "chunks.json": (
        json.dumps({"chunks": [{"timestamp": [0.0, 0.9], "text": ASKS}, {"timestamp": [0.9, None], "text": WALKS}]}),
        of(("", ""), (0, 900)),
    ),
    "rev.json": (
        json.dumps({"monologues": [
            {"speaker": 0, "elements": [{"value": "What would"}, {"value": " "}, {"value": "you like?", "ts": 0.5, "end_ts": 1}]},
            {"speaker": 1, "elements": [{"value": WALKS, "ts": 2.0, "end_ts": 2.5}]}], "speakers": [{"id": 0, "name": "Ann"}]}),
        of(("Ann", "Speaker 1"), (500, 2000)),
    ),
    "whisperx.json": (
        json.dumps({"segments": [{"start": 0, "end": 4, "text": f" {ASKS} {WALKS}", "speaker": "S0", "words": [
            *({"word": word, "start": 0, "end": 1, "speaker": "S0"} for word in ASKS.split()),
            *({"word": word, "start": 2, "end": 3, "speaker": "S1"} for word in WALKS.split())]}]}),
        of(("S0", "S1"), (0, 2000)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_programs_file_says_who_said_what_and_when(tmp_path: Path, name: str) -> None:
    content, expected = TEXTS[name]
    (tmp_path / name).write_text(content)
    assert rows(tmp_path / name) == expected


@pytest.mark.parametrize("name", TEXTS)
def test_what_can_be_coded_can_be_converted(tmp_path: Path, name: str) -> None:
    content, expected = TEXTS[name]
    (tmp_path / name).write_text(content)
    utterances = registry.read(tmp_path / name).utterances
    assert [(utterance.speaker, utterance.span.start, utterance.text) for utterance in utterances] == [
        (speaker or "unknown", start or 0, text) for _, speaker, start, text in expected
    ]


def test_word_files_are_read_by_what_holds_the_talk(tmp_path: Path) -> None:
    def saved(name: str, lines: Sequence[str], *cells: Sequence[Sequence[str]]) -> Path:
        document = Document()
        for line in lines:
            document.add_paragraph(line)
        for table in cells:
            made = document.add_table(rows=len(table), cols=len(table[0]))
            for index, row in enumerate(table):
                for column, text in enumerate(row):
                    made.cell(index, column).text = text
        document.save(str(tmp_path / name))
        return tmp_path / name

    head = [["Client", "P07"], ["Therapist", "Ann"]]
    talk = [f"Therapist: {ASKS}", f"Client: {WALKS}"]
    assert rows(saved("heading.docx", talk, head)) == of(("Therapist", "Client"), roles=NAMED)
    numbered = saved("numbered.docx", ["Session 4"], [["1", "T", ASKS], ["2", "C", WALKS]])
    assert rows(numbered) == of(("T", "C"), roles=NAMED)
    assert uncoded.read(numbered).notes == ('Lines beside the table were skipped: "Session 4".',)
    pages = saved("pages.docx", [], [["Speaker", "Text"], ["T", ASKS]], [["C", WALKS]], [["x", "y", "z"]])
    assert rows(pages) == of(("T", "C"), roles=NAMED)
    assert uncoded.read(pages).notes == ("Tables beside the transcript were skipped: 1.",)
    teams = saved("teams.docx", ["May 1, 2024, 2:03PM", f"0:0:3.210 --> 0:0:6.80\nLee, Ann\n{ASKS}", f"0:0:7.0 --> 0:0:9.500\nBo\n{WALKS}"])  # fmt: skip
    assert rows(teams) == of(("Lee, Ann", "Bo"), (3210, 7000))
    assert list(uncoded.read(teams).table["end"]) == [6080, 9500]


def test_inserted_text_and_content_controls_of_word_are_not_lost_and_merged_rows_are_lines(tmp_path: Path) -> None:
    document = Document()
    first, second = document.add_paragraph("Therapist: What would "), document.add_paragraph(f"Client: {WALKS}")
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    first._p.append(parse_xml(f"<w:ins {space} w:id='1'><w:r><w:t>you like?</w:t></w:r></w:ins>"))
    first._p.append(parse_xml(f"<w:del {space} w:id='2'><w:r><w:delText>he like?</w:delText></w:r></w:del>"))
    control = parse_xml(f"<w:sdt {space}><w:sdtContent/></w:sdt>")
    second._p.addprevious(control)
    control[0].append(second._p)
    document.save(str(tmp_path / "changes.docx"))
    assert rows(tmp_path / "changes.docx") == of(("Therapist", "Client"), roles=NAMED)
    document = Document()
    table = document.add_table(rows=3, cols=2)
    for index, (who, what) in enumerate((("T", ASKS), ("[pause]", ""), ("C", WALKS))):
        table.cell(index, 0).text, table.cell(index, 1).text = who, what
    table.cell(1, 0).merge(table.cell(1, 1))
    document.save(str(tmp_path / "merged.docx"))
    assert rows(tmp_path / "merged.docx") == of(("T", "C"), roles=NAMED)
    assert uncoded.read(tmp_path / "merged.docx").notes == ('Lines beside the table were skipped: "[pause]".',)


def test_times_beyond_a_day_in_a_workbook_are_times(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Speaker", "Text", "Start"], ["T", ASKS, datetime.time(0, 0, 1)]):
        book.active.append(row)
    book.active.append(["C", WALKS, datetime.datetime(1900, 1, 1, 1, 2, 3)])
    book.save(tmp_path / "talk.xlsx")
    assert rows(tmp_path / "talk.xlsx") == of(("T", "C"), (1000, 90_123_000), NAMED)


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


def test_subtitles_that_name_nobody_have_no_role(tmp_path: Path) -> None:
    (tmp_path / "talk.vtt").write_text(
        f"WEBVTT\n\n00:00.000 --> 00:02.000\n{ASKS}\n\n00:02.000 --> 00:04.000\n{WALKS}\n"
    )
    assert rows(tmp_path / "talk.vtt") == of(("", ""), (0, 2000))


def test_the_page_on_formats_names_every_format_and_kind_that_is_read() -> None:
    page = (ROOT / "pipeline/formats/README.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \| `(\.[A-Za-z]+)` \|", page, flags=re.MULTILINE)
    assert listed == [(each.name, each.ending) for each in registry.FORMATS]
    rows = [cell for line in page.splitlines() if line.startswith("| ") for cell in line.split("|")[1:3]]
    named = {ending.lower() for cell in rows for ending in re.findall(r"`(\.[A-Za-z]+)`", cell)}
    assert named == set(registry.ENDINGS)
    assert "(pipeline/formats/README.md)" in (ROOT / "README.md").read_text()


def test_a_sentence_about_a_therapist_is_nobody_s_name(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text(
        f"T: {ASKS}\nC: I went there.\nMy therapist said: stop.\nThe patient said\nno.\n"
    )
    expected = "I went there. My therapist said: stop. The patient said no."
    assert [(role, text) for role, _, _, text in rows(tmp_path / "talk.txt")] == [
        ("interviewer", ASKS),
        ("client", expected),
    ]
