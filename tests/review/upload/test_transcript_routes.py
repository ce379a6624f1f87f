"""A transcript that a member brings to a tape: read, asked about, kept encrypted, and put on the sound."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from docx import Document

from pipeline import settings
from pipeline.review.upload import transcripts
from pipeline.stages import STEPS
from pipeline.tapes.db.records import Item, Job, Tape, Utterance
from pipeline.tapes.jobs import job_state, steps
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import MB, Sender
from tests.tapes.fakes import Fakes, two_voices

TALK = "Ann: What brings you?\nRobin: ZEBRA, my drinking.\nAnn: Tell me more.\n"
LOADED = settings.load().settings


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def send(sender: Sender, tape: str, name: str, content: bytes | str):
    files = {"transcript": (name, content, "application/octet-stream")}
    return sender.browser.client.post(f"/uploads/{tape}/transcript", data={"csrf": sender.token}, files=files)


def work(room: Room, tape: str) -> None:
    """Do the tape's job, all its steps one after the other."""
    with room.home.database.reading() as database:
        job = database.query(Job).filter(Job.tape_id == tape).one()
    for step in STEPS:
        with room.home.database.writing() as database:
            assert job_state.begin(database, job.id, step, room.clock(), 3)
        steps.perform(room.home, LOADED, Fakes, job.id, step, lambda _: None, room.clock)


def word_file() -> bytes:
    document, file = Document(), io.BytesIO()
    for line in TALK.splitlines():
        document.add_paragraph(line)
    document.save(file)
    return file.getvalue()


KINDS = {
    "talk.txt": TALK,
    "talk.csv": 'speaker,text\nAnn,What brings you?\nRobin,"ZEBRA, my drinking."\nAnn,Tell me more.\n',
    "talk.vtt": "WEBVTT\n\n"
    + "".join(
        f"00:0{at}.000 --> 00:0{at + 1}.000\n<v {line.replace(': ', '>', 1)}\n\n"
        for at, line in enumerate(TALK.splitlines())
    ),
    "talk.srt": "".join(
        f"{at}\n00:00:0{at},000 --> 00:00:0{at + 1},000\n{line}\n\n" for at, line in enumerate(TALK.splitlines(), 1)
    ),
    "talk.docx": word_file(),
    "talk.json": json.dumps(
        {
            "segments": [
                {"start": at, "end": at + 1, "speaker": line.split(": ")[0], "text": line.split(": ")[1]}
                for at, line in enumerate(TALK.splitlines())
            ]
        }
    ),
    "talk.cha": "@UTF8\n@Begin\n@Languages:\teng\n@Participants:\tANN Ann Adult, ROB Robin Adult\n"
    "*ANN:\twhat brings you ?\n*ROB:\tZEBRA my drinking .\n*ANN:\ttell me more .\n@End\n",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_transcript_is_read_and_its_voices_are_asked_about(sender: Sender, name: str) -> None:
    tape = sender.draft()
    assert send(sender, tape, name, KINDS[name]).headers["location"] == f"/tapes/{tape}/transcript"
    page = sender.browser.get(f"/tapes/{tape}/transcript").text
    assert "3 turns with" in page
    assert "Who is the interviewer?" in page
    assert "I am not sure" in page
    written = transcripts.stored(sender.room.home, tape)
    assert written is not None
    assert [turn.voice[:3].upper() for turn in written.turns] == ["ANN", "ROB", "ANN"]
    assert "ZEBRA" in written.turns[1].text


def test_the_interviewer_whom_the_member_names_is_kept(sender: Sender) -> None:
    tape = sender.draft()
    send(sender, tape, "talk.txt", TALK)
    answer = sender.browser.post(f"/tapes/{tape}/transcript", {"way": "sound", "voice": "0"})
    assert answer.headers["location"] == f"/tapes/{tape}/recording"
    written = transcripts.stored(sender.room.home, tape)
    assert written is not None
    assert written.voices == {"Ann": "interviewer", "Robin": "client"}
    page = sender.browser.get(f"/tapes/{tape}/transcript").text
    assert "I am not sure" not in page
    assert re.search(r'id="voice-0"[^>]* checked', page)
    assert sender.browser.post(f"/tapes/{tape}/transcript", {"way": "sound", "voice": "2"}).status_code == 404


def test_names_that_say_a_role_settle_it(sender: Sender) -> None:
    tape = sender.draft()
    send(sender, tape, "talk.txt", "Robin: Hi.\nTherapist: Hello.\n")
    page = sender.browser.get(f"/tapes/{tape}/transcript").text
    assert re.search(r'id="voice-1"[^>]* checked', page)
    assert not re.search(r'id="voice-0"[^>]* checked', page)


def test_it_is_encrypted_replaced_and_taken_back(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    send(sender, tape, "first.txt", TALK)
    send(sender, tape, "ZEBRA.txt", TALK + "Robin: ZEBRA again.\n")
    assert not [path for path in room.home.folder.rglob("*") if path.is_file() and b"ZEBRA" in path.read_bytes()]
    assert len(room.home.vault.files(tape)) == 1
    assert "Add a transcript (saved)" in sender.browser.get(f"/tapes/{tape}/recording").text
    answer = sender.browser.post(f"/tapes/{tape}/transcript/discard")
    assert answer.headers["location"] == f"/tapes/{tape}/recording"
    assert room.home.vault.files(tape) == []
    assert sender.browser.get(f"/tapes/{tape}/transcript").status_code == 404


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<a>" + bytes(30 << 20))
    return file.getvalue()


HOSTILE = {
    "talk.docx": (bomb(), "could do harm"),
    "talk.eaf": (b'<!DOCTYPE a [<!ENTITY b "c">]><ANNOTATION_DOCUMENT/>', "could do harm"),
    "talk.txt": (b"no names here\n", "TR-R10"),
    "talk.exe": (b"MZ", "TR-R10"),
    "talk.mp3": (b"ID3", "it is a recording|save it as"),
    "talk.json": (b"[" * 100_000, "could do harm|TR-R10"),
    "": (b"x", "TR-R10"),
    "../../etc/passwd\x00.csv": (b"speaker,text\n", "TR-R10"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_transcript_is_refused_in_a_sentence_and_takes_nothing_away(
    room: Room, sender: Sender, name: str
) -> None:
    tape = sender.draft()
    send(sender, tape, "talk.txt", TALK)
    before = room.home.vault.files(tape)
    content, words = HOSTILE[name]
    answer = send(sender, tape, name, content)
    assert answer.status_code == 422, answer.text
    if name:
        assert re.search(words, answer.text)
        assert "tape-review " not in re.sub(r"<head>.*?</head>", "", answer.text, flags=re.DOTALL)
    assert room.home.vault.files(tape) == before


def test_a_transcript_beyond_the_limit_is_refused(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    answer = send(sender, tape, "talk.txt", b"Ann: hi\n" * (transcripts.MOST_MB * MB // 8 + 1))
    assert answer.status_code == 422
    assert f"larger than {transcripts.MOST_MB} MB" in answer.text
    assert room.home.vault.files(tape) == []


def test_a_tape_with_sound_and_transcript_from_end_to_end(room: Room, sender: Sender, tmp_path: Path) -> None:
    """Recognized: quince at 0 and .976 s, lantern at 1 and 1.976 s, marble at 2 and 3.744 s, thimble at 4.744 s."""
    tape, whole = sender.draft(), two_voices(tmp_path / "talk.wav").read_bytes()
    turns = (
        "Ann: Quince?",
        "Robin: Quince,",
        "Ann: lantern",
        "Robin: lantern.",
        "Ann: Marble?",
        "Robin: um marble thimble",
    )
    send(sender, tape, "talk.txt", "\n".join(turns))
    assert sender.browser.post(f"/tapes/{tape}/transcript", {"way": "sound", "voice": "0"}).status_code == 303
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    part = {"start": "0:00", "end": "0:06", "speakers": "2"}
    assert sender.browser.post(f"/tapes/{tape}/part", part).headers["location"] == f"/tapes/{tape}"
    work(room, tape)
    with room.home.database.reading() as database:
        kept = database.get_one(Tape, tape)
        assert kept.state == "ready"
        assert kept.speakers["roles"] == {"S1": "interviewer", "S2": "client"}
        spoken = [
            (row.role, row.start_ms, row.end_ms) for row in database.query(Utterance).order_by(Utterance.position)
        ]
        items = {item.kind: item for item in database.query(Item).filter(Item.tape_id == tape)}
    assert spoken == [
        ("interviewer", 0, 300),
        ("client", 976, 1276),
        ("interviewer", 1000, 1300),
        ("client", 1976, 2276),
        ("interviewer", 2000, 2300),
        ("client", 2722, 5044),
    ]
    words = json.loads(room.home.vault.read(items["transcript"]))["utterances"]
    assert [row["text"] for row in words] == [
        "Quince?",
        "Quince,",
        "lantern",
        "lantern.",
        "Marble?",
        "um marble thimble",
    ]
    measures = json.loads(room.home.vault.read(items["measures.json"]))
    assert measures["utterances"] == {"interviewer": 3, "client": 3, "other": 0, "unknown": 0}
    assert measures["talk"]["interviewer"]["value"] == pytest.approx(100 * 900 / (900 + 300 + 300 + 2322), abs=1e-3)
    assert "7 of its 8 words" in json.loads(room.home.vault.read(items["provenance.json"]))["warnings"][0]
    assert "Robin" not in room.home.vault.read(items["utterances.csv"]).decode()
