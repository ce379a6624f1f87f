"""Of a file of any program no text is lost, none is made up, and the order of speech is kept."""

from __future__ import annotations

import csv
import html
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from itertools import accumulate
from xml.sax.saxutils import escape

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.formats import casaa, chat, registry, rttm, uncoded
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript

Talk = list[tuple[str, str]]


def _text(talk: Talk) -> bytes:
    return "".join(f"{speaker}: {text}\n" for speaker, text in talk).encode()


def _csv(talk: Talk) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([("Speaker", "Text"), *talk])
    return file.getvalue().encode()


def _xlsx(talk: Talk) -> bytes:
    book = Workbook()
    for row in [("Speaker", "Text"), *talk]:
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"  # no formula
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _docx(talk: Talk) -> bytes:
    document = Document()
    for speaker, text in talk:
        document.add_paragraph(f"{speaker}: {text}")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _segments(talk: Talk) -> bytes:
    listed = [{"start": n, "end": n + 1, "text": text, "speaker": who} for n, (who, text) in enumerate(talk)]
    return json.dumps({"segments": listed}).encode()


def _page(talk: Talk) -> bytes:
    lines = (
        f'<p><a name="ts_{n}000_{n + 1}000_S0">{speaker}: {html.escape(text)}</a></p>'
        for n, (speaker, text) in enumerate(talk)
    )
    return f"<html><body>{''.join(lines)}</body></html>".encode()


def _sbv(talk: Talk) -> bytes:
    cues = (f"0:00:0{n}.000,0:00:0{n}.900\n{speaker}: {text}\n" for n, (speaker, text) in enumerate(talk))
    return "\n".join(cues).encode()


def _vtt(talk: Talk) -> bytes:
    cues = (
        f"00:0{n}.000 --> 00:0{n}.900\n<v {who}>{html.escape(text, quote=False)}</v>\n"
        for n, (who, text) in enumerate(talk)
    )
    return "\n".join(["WEBVTT\n", *cues]).encode()


def _eaf(talk: Talk) -> bytes:
    """A tier each, with a translation that hangs on it, notes at the top, and ends that nobody aligned."""
    slots, tiers = [], {who: ([], []) for who, _ in talk}
    for number, (who, text) in enumerate(talk):
        slots.append(f'<TIME_SLOT TIME_SLOT_ID="b{number}" TIME_VALUE="{number}000"/>')
        slots.append(f'<TIME_SLOT TIME_SLOT_ID="e{number}" TIME_VALUE="{number}900"/>')
        value = f"<ANNOTATION_VALUE>{escape(text)}</ANNOTATION_VALUE>"
        times = f'TIME_SLOT_REF1="b{number}" TIME_SLOT_REF2="e{number}"'
        tiers[who][0].append(f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" {times}>{value}</ALIGNABLE_ANNOTATION>')
        value = "<ANNOTATION_VALUE>geht nicht mit</ANNOTATION_VALUE>"
        tiers[who][1].append(
            f'<REF_ANNOTATION ANNOTATION_ID="t{number}" ANNOTATION_REF="a{number}">{value}</REF_ANNOTATION>'
        )
    blocks = [f"<TIME_ORDER>{''.join(slots)}</TIME_ORDER>"]
    for who, (spoken, translated) in tiers.items():
        for name, parent, each in ((who, "", spoken), (f"{who}-de", f' PARENT_REF="{who}"', translated)):
            inner = "".join(f"<ANNOTATION>{annotation}</ANNOTATION>" for annotation in each)
            blocks.append(f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="default-lt"{parent}>{inner}</TIER>')
    return f"<ANNOTATION_DOCUMENT>{''.join(blocks)}</ANNOTATION_DOCUMENT>".encode()


def _textgrid(talk: Talk) -> bytes:
    """The short form, with pauses, and a tier of notes."""
    names = list(dict.fromkeys(who for who, _ in talk))
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", str(len(talk)), "<exists>"]
    lines.append(str(len(names) + 1))
    for name in names:
        lines += ['"IntervalTier"', f'"{name}"', "0", str(len(talk)), str(2 * len(talk))]
        for number, (who, text) in enumerate(talk):
            lines += [
                str(number),
                f"{number}.9",
                f'"{text if who == name else ""}"',
                f"{number}.9",
                f"{number + 1}",
                '""',
            ]
    lines += ['"IntervalTier"', '"Notes"', "0", str(len(talk)), "1", "0", str(len(talk)), '"a note"']
    return "\n".join(lines).encode()


def _cha(talk: Talk) -> bytes:
    lines = ["@UTF8", "@Begin", "@Participants:\tTHE Therapist, CLI Client"]
    for number, (who, text) in enumerate(talk):
        lines += [f"*{who[:3].upper()}:\t{text} . \x15{number}000_{number}900\x15", "%mor:\tn|left adv|out"]
    return "\n".join([*lines, "@End"]).encode()


def _ctm(talk: Talk) -> bytes:
    lines = [";; a comment"]
    for number, (who, text) in enumerate(talk):
        words = text.split()
        lines += [f"walk {who} {3 * number + at / 10:.2f} 0.08 {word} 0.9" for at, word in enumerate(words)]
    return "\n".join(lines).encode()


def _rttm(talk: Talk) -> bytes:
    return "".join(f"SPEAKER walk 1 {n}.0 0.9 <NA> <NA> {who} <NA> <NA>\n" for n, (who, _) in enumerate(talk)).encode()


def _casaa(talk: Talk) -> bytes:
    """A session of CACTI 2 with annotations."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(casaa.SCHEMA)
        database.executemany("INSERT INTO speakers VALUES (?, ?)", enumerate(["Therapist", "Client"]))
        database.executemany("INSERT INTO codes VALUES (?, ?, ?)", [(0, "GI", 0), (1, "FN", 1)])
        for number, (who, text) in enumerate(talk):
            row = (str(1000 + number), f"0:00:0{number}.5", int(who == "Client"), text)
            database.execute("INSERT INTO utterances VALUES (?, ?, ?, ?)", row)
        database.commit()
        return database.serialize()


def _qdpx(talk: Talk) -> bytes:
    """A text whose every other line is coded."""
    lines = [f"{who}: {text}\n" for who, text in talk]
    starts = [0, *accumulate(len(line) for line in lines)]
    selections = "".join(
        f'<PlainTextSelection startPosition="{starts[n]}" endPosition="{starts[n + 1] - 1}">'
        '<Coding><CodeRef targetGUID="c1"/></Coding></PlainTextSelection>'
        for n in range(0, len(talk), 2)
    )
    text = f"<PlainTextContent>{escape(''.join(lines))}</PlainTextContent>"
    book = '<CodeBook><Codes><Code guid="C1" name="ct"/></Codes></CodeBook>'
    project = f'{book}<Sources><TextSource name="walk">{text}{selections}</TextSource></Sources>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("project.qde", f'<Project xmlns="urn:QDA-XML:project:1.0">{project}</Project>')
    return file.getvalue()


def _label_studio(talk: Talk) -> bytes:
    """Sound whose regions have a label for who speaks, and a text area."""
    result = []
    for number, (who, text) in enumerate(talk):
        region = {"id": f"r{number}", "original_length": 60, "to_name": "audio"}
        times = {"start": number, "end": number + 0.9}
        result.append({**region, "type": "labels", "from_name": "who", "value": {**times, "labels": [who]}})
        result.append({**region, "type": "textarea", "from_name": "what", "value": {**times, "text": [text]}})
    return json.dumps([{"data": {"audio": "walk.wav"}, "annotations": [{"result": result}]}]).encode()


def _label_studio_text(talk: Talk) -> bytes:
    """Paragraphs whose every other one is labelled."""
    paragraphs = [{"author": who, "text": text} for who, text in talk]
    result = [
        {
            "id": f"r{number}",
            "type": "paragraphlabels",
            "from_name": "code",
            "to_name": "talk",
            "value": {
                "start": str(number),
                "end": str(number),
                "startOffset": 0,
                "endOffset": len(talk[number][1]),
                "paragraphlabels": ["ct"],
            },
        }
        for number in range(0, len(talk), 2)
    ]
    return json.dumps([{"data": {"talk": paragraphs}, "annotations": [{"result": result}]}]).encode()


WRITERS: dict[str, Callable[[Talk], bytes]] = {
    ".txt": _text,
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".docx": _docx,
    ".json": _segments,
    ".html": _page,
    ".sbv": _sbv,
    ".vtt": _vtt,
    ".eaf": _eaf,
    ".TextGrid": _textgrid,
    ".casaa": _casaa,
    ".qdpx": _qdpx,
}
_words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8) | st.sampled_from(
    ["it's", "ah,", "-", "50%"]
)
_talk = st.lists(
    st.tuples(st.sampled_from(["Therapist", "Client"]), st.lists(_words, min_size=1, max_size=5).map(" ".join)),
    min_size=1,
    max_size=8,
)


_plain = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=8)
_plain_talk = st.lists(
    st.tuples(
        st.sampled_from(["Therapist", "Client"]),
        st.lists(_plain.filter(lambda word: word not in ("xxx", "yyy", "www")), min_size=1, max_size=5).map(" ".join),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize(
    ("name", "writer"), [("sound.json", _label_studio), ("text.json", _label_studio_text), ("talk.ctm", _ctm)]
)
@given(talk=_talk)
@settings(max_examples=20)
def test_words_speakers_and_order_are_those_of_the_file(name: str, writer: Callable[[Talk], bytes], talk: Talk) -> None:
    read = registry.of_source(Source(name, writer(talk)))
    assert isinstance(read, CodedTranscript)
    assert [(each.speaker, each.text) for each in read.utterances] == talk


@given(talk=_plain_talk)
@settings(max_examples=20)
def test_words_speakers_and_order_are_those_of_a_chat_file(talk: Talk) -> None:
    """Whose signs have a meaning, so that these are plain words, with CHAT's full stop."""
    read = chat.read(Source("talk.cha", _cha(talk)))
    spoken = [("Therapist" if each.role == "interviewer" else "Client", each.text) for each in read.utterances]
    assert spoken == [(who, f"{text}.") for who, text in talk]


@given(talk=_talk)
@settings(max_examples=20)
def test_speakers_and_order_are_those_of_an_rttm_file(talk: Talk) -> None:
    read = rttm.read_transcript(Source("talk.rttm", _rttm(talk)))
    assert [each.speaker for each in read.utterances] == [who for who, _ in talk]


@pytest.mark.parametrize("ending", WRITERS)
@given(talk=_talk)
@settings(max_examples=25)
def test_no_text_is_lost_none_is_made_up_the_order_is_kept_and_it_comes_back(
    tmp_path_factory: pytest.TempPathFactory, ending: str, talk: Talk
) -> None:
    path = tmp_path_factory.mktemp("programs") / f"talk{ending}"
    path.write_bytes(WRITERS[ending](talk))
    read = registry.read(path)
    assert [(each.speaker, each.text) for each in read.utterances] == talk
    registry.write(read, path.with_name("back.csv"))
    back = uncoded.read(path.with_name("back.csv")).table
    assert list(zip(back["speaker"], back["text"], strict=True)) == talk
