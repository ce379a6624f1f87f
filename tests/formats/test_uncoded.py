"""Transcripts to code, as people have them: each kind of file gives the same table, and nothing is lost or made up."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FormatError, TableError
from pipeline.formats import registry, uncoded
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.talks import ASKS, PAIR, WALKS, saved, told

HEADER = "tape_id,utterance_id,role,text"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("commas.csv", f"Speaker,Text\nTherapist,{ASKS}\nClient,{WALKS}\n"),
        ("semicolons.csv", f"speaker;text\r\nTherapist;{ASKS}\r\nClient;{WALKS}\r\n"),
        ("tabs.tsv", f"WHO\tUtterance\nTherapist\t{ASKS}\nClient\t{WALKS}\n"),
        ("bars.csv", f"Name|Transcription|\nTherapist|{ASKS}|\nClient|{WALKS}|\n"),
        ("utf16.csv", f"Speaker\tText\nTherapist\t{ASKS}\nClient\t{WALKS}\n".encode("utf-16")),
        ("title.csv", f"Session of 3 March,\n,\nSpeaker,Text\n,\nTherapist,{ASKS}\nClient,{WALKS}\n,,\n"),
        ("bare.csv", f"Therapist,{ASKS}\nClient,{WALKS}\n"),
        ("plain.txt", f"Session 4\n\nTherapist: What would\n  you like?\n\nClient: {WALKS}\n"),
        ("stamped.txt", f"[00:00:01] Therapist: {ASKS}\n[00:00:04] Client: {WALKS}\n"),
        ("otter.txt", f"Therapist  0:01\n{ASKS}\n\nClient  0:04\n{WALKS}\n\nTranscribed by https://otter.ai\n"),
        ("zoom.txt", f"[Therapist] 10:12:33\n{ASKS}\n\n[Client] 10:12:36\n{WALKS}\n"),
        ("rev.txt", f"Therapist (00:01):\n{ASKS}\n\nClient (00:04):\n{WALKS}\n"),
        (
            "subtitles.srt",
            f"1\n00:00:01,000 --> 00:00:03,000\n[interviewer Therapist] {ASKS}\n\n"
            f"2\n00:00:04,000 --> 00:00:06,000\n[client Client] {WALKS}\n",
        ),
        (
            "noscribe.html",
            "<html><head><style>p {color: red}</style></head><body><p>Transcribed with noScribe</p>"
            f'<p><a name="ts_1000_3000_S00">Therapist: {ASKS}</a></p>'
            f'<p><a name="ts_4000_6000_S01">Client: {WALKS}</a></p></body></html>',
        ),
        (
            "whisperx.json",
            json.dumps({"segments": [{"start": 1, "end": 3, "text": f" {ASKS}", "speaker": "Therapist"},
                                     {"start": 4, "end": 6, "text": f" {WALKS}", "speaker": "Client"}]}),
        ),
    ],
)  # fmt: skip
def test_a_file_of_each_kind_tells_who_said_what(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert told(saved(tmp_path, content, name)) == PAIR


@pytest.mark.parametrize("name", ["talk.docx", "talk.xlsx"])
@pytest.mark.parametrize("part", ["damaged", "bomb", "entity", "other"])
def test_hostile_office_files_are_refused(tmp_path: Path, name: str, part: str) -> None:
    main = "word/document.xml" if name.endswith("docx") else "xl/workbook.xml"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<x/>")
        if part == "bomb":
            file.writestr(main, b" " * 20_000_000)
        elif part == "entity":
            file.writestr(main, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')
        elif part == "damaged":
            file.writestr(main, "<x>")
    path = saved(tmp_path, archive.getvalue(), name)
    with pytest.raises(FormatError) as caught:
        uncoded.read(path)
    codes = {"damaged": "TR-F03", "bomb": "TR-F05", "entity": "TR-F04", "other": "TR-F03"}
    assert caught.value.code == codes[part]
    assert "/etc/passwd" not in str(caught.value)


def test_our_own_tables_can_be_coded_again_without_the_apostrophe_of_spreadsheets(tmp_path: Path) -> None:
    transcript = ordered_transcript(
        "walk", [CodedUtterance("", Span(0, 900), "S2", "client", "=no", (Mark("change", "ana", "coach"),))]
    )
    registry.write(transcript, tmp_path / "x.csv")
    assert "'=no" in (tmp_path / "x.csv").read_text()
    assert told(tmp_path / "x.csv") == [("client", "S2", "=no")]
    assert "not taken over" in uncoded.read(tmp_path / "x.csv").notes[0]
    loose = saved(tmp_path, "role,text\nclient,'-5 is a lot\nclient,'cause I can\n")
    assert [text for _, _, text in told(loose)] == ["-5 is a lot", "'cause I can"]


def test_the_interviewer_can_be_named_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path, f"speaker,text\nAnn Lee,{ASKS}\nBob,{WALKS}\n")
    assert [role for role, _, _ in told(path)] == ["", ""]
    assert [role for role, _, _ in told(path, "ann")] == ["interviewer", "client"]
    with pytest.raises(TableError, match=r"TR-T08 transcript talk.csv has no voice 'Eve'.*its voices are Ann Lee, Bob"):
        uncoded.read(path, "Eve")


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [
        ("", "TR-T03", "nothing"),
        (f"{HEADER}\n", "TR-T04", "no rows"),
        ("tape_id,utterance_id,role\na,1,client\n", "TR-T03", "lacks the column 'text'"),
        (f"{HEADER}\na,1,client,hi\na,2,host,hi\n", "TR-T05", "row 3 has the role 'host'"),
        (f"{HEADER}\na,1,client,hi\nb,1,client,hi\na,1,client,yes\n", "TR-T06", "row 4 repeats utterance '1'"),
        (f"{HEADER}\na,1,client,hi, you\n", "TR-T05", "row 2 has 5 cells"),
        (f"{HEADER}\na,1,client\n", "TR-T05", "row 2 has 3 cells"),
        (f"{HEADER},start\na,1,client,hi,soon\n", "TR-T05", "start 'soon'"),
        (f"{HEADER},start\na,1,client,hi,nan\n", "TR-T05", "start 'nan'"),
        (f"{HEADER},start\na,1,client,hi,1e300\n", "TR-T05", "start '1e300'"),
        (f"{HEADER},start\na,1,client,hi,-5\n", "TR-T05", "start '-5'"),
        (f"{HEADER},start,end\na,1,client,hi,,2\na,2,client,hi,5,2\n", "TR-T05", "row 3 ends before it starts"),
        (f"{HEADER},text\na,1,client,hi,ho\n", "TR-T05", "'text' twice"),
        (f'{HEADER}\na,1,client,"hi\n', "TR-T02", "not CSV"),
        (b"text\n\x00\x01\x02", "TR-T02", "UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "TR-T02", ".xlsx"),
    ],
)
def test_a_wrong_transcript_is_named(tmp_path: Path, content: str | bytes, code: str, named: str) -> None:
    with pytest.raises(TableError) as caught:
        uncoded.read(saved(tmp_path, content))
    assert caught.value.code == code
    assert named in str(caught.value)
    assert "talk.csv" in str(caught.value)


def test_a_missing_file_and_talk_of_nobody_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="TR-T01 table none.csv"):
        uncoded.read(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="TR-F03 file talk.txt names no speaker"):
        uncoded.read(saved(tmp_path, "We talked about walking.\n", "talk.txt"))


_words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
_speeches = st.lists(
    st.tuples(st.sampled_from(["Therapist", "Client"]), st.lists(_words, min_size=1, max_size=5).map(" ".join)),
    min_size=1,
    max_size=8,
)


@given(speeches=_speeches)
def test_no_text_is_lost_none_is_made_up_and_the_order_is_kept(
    tmp_path_factory: pytest.TempPathFactory, speeches: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("script")
    lines = "".join(f"{speaker}: {text}\n" for speaker, text in speeches)
    transcript = uncoded.read(saved(folder, lines, "talk.txt")).table
    assert list(zip(transcript["speaker"], transcript["text"], strict=True)) == speeches
