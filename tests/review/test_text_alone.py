"""A transcript without sound in the room, from the draft to the summary: coded from text, and every page says so."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfReader

from pipeline.review.tapes.stored_measures import FROM_TEXT
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Item, Job, Tape, Utterance
from pipeline.tapes.home import Home
from pipeline.tapes.retention import destruction, retention
from tests.review.coding.conftest import Coder
from tests.review.conftest import Room, home_settings
from tests.review.upload.test_chunked_uploads import Sender, sound
from tests.review.upload.test_transcript_routes import send, work

TALK = "Ann: What brings you?\nRobin: ZEBRA, my drinking.\nAnn: You want less.\nRobin: I do.\nAnn: Is it every day?\n"
CLOCK = re.compile(r">\s*\d+:\d\d|\d+:\d\d to \d+:\d\d|<audio|data-peaks")
"""What only a tape with sound has on a page."""


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def handed_in(sender: Sender, talk: str = TALK, voice: str = "0", **given: object) -> str:
    """A tape that is queued."""
    tape = sender.draft(**given)
    send(sender, tape, "talk.txt", talk)
    answer = sender.browser.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": voice})
    assert answer.headers.get("location") == f"/tapes/{tape}", answer.text
    return tape


def coded(sender: Sender, **given: object) -> tuple[str, Coder, Coder]:
    """A tape that Ada and Ben coded alike but for one utterance."""
    room = sender.room
    tape = handed_in(sender, TALK, "0", **given)
    work(room, tape)
    ada = Coder(sender.browser, tape)
    assert sender.browser.post(f"/tapes/{tape}/first", {"step": "waive"}).status_code == 303
    ben = Coder(room.signed_in(room.person("Ben", sender.group)), tape)
    for coder, third in ((ada, "reflection_complex"), (ben, "reflection_simple")):
        coder.begin()
        coder.code("u0001", "question_open", audio_ms=None)
        coder.code("u0003", third, audio_ms=None)
        coder.code("u0005", "question_closed", audio_ms=None)
        coder.code("u0002", "change", audio_ms=None)
        coder.code("u0004", "change", audio_ms=None)
    return tape, ada, ben


def test_from_the_draft_to_the_summary(room: Room, sender: Sender) -> None:
    """By hand: questions 2, one of them open; reflections 1; so R:Q 0.5, %OQ 50, %CT 100, and %CR once settled."""
    tape, ada, ben = coded(sender)
    with room.home.database.reading() as database:
        kept = database.get_one(Tape, tape)
        assert (kept.state, kept.from_text, kept.duration_ms) == ("ready", True, None)
        rows = [(row.utterance_id, row.role) for row in database.query(Utterance).order_by(Utterance.position)]
        kinds = {item.kind for item in database.query(Item).filter(Item.tape_id == tape)}
    assert rows == [(f"u000{at}", ("client", "interviewer")[at % 2]) for at in range(1, 6)]
    assert not kinds & {"mono", "peaks", "recording"}

    state = ada.state()
    assert state["tape"]["from_text"] is True
    assert not {"play", "slower", "again", "follow"} & {row["action"] for row in state["bindings"]}
    assert [[word["text"] for word in row["words"]] for row in state["utterances"]][1] == ["ZEBRA,", "my", "drinking."]
    for page in ("", "/voices", "/coding", "/names", f"/passes/{ada.pass_id}"):
        shown = ada.browser.get(f"/tapes/{tape}{page}").text
        assert not CLOCK.search(shown.partition("<main")[2]), page
    assert FROM_TEXT in ada.browser.get(f"/tapes/{tape}").text
    assert FROM_TEXT in ada.browser.get(ada.path).text
    voices = ada.browser.get(f"/tapes/{tape}/voices").text
    assert "ZEBRA, my drinking." in voices
    assert "67 % of the words" in voices  # Ann has 10 of the 15
    for gone in ("/peaks", "/sound", f"/passes/{ada.pass_id}/codes.vtt"):
        assert ada.browser.get(f"/tapes/{tape}{gone}").status_code == 404, gone
    table = list(csv.DictReader(io.StringIO(ada.browser.get(f"{ada.path}/codes.csv").text)))
    assert {(row["start"], row["end"], row["zero"]) for row in table} == {("", "", "")}
    assert [row["codes"] for row in table] == [
        "question_open",
        "change",
        "reflection_complex",
        "change",
        "question_closed",
    ]

    ada.lock()
    ben.lock()
    pages = ("", "/voices", "/coding", "/names", "/first", "/feedback", "/permission", "/together", "/summary")
    for shown in (*pages, f"/passes/{ada.pass_id}", f"/passes/{ada.pass_id}/ratings"):
        assert "oded from text" in ada.browser.get(f"/tapes/{tape}{shown}").text, shown
    assert "Ada with Robin (coded from text)" in ada.browser.get("/").text
    page = ada.browser.get(f"/tapes/{tape}/together").text
    assert FROM_TEXT in page
    assert not CLOCK.search(page.partition("<main")[2])
    board = ada.browser.get(f"/tapes/{tape}/together/state?codebook=pretags").json()
    assert board["queue"] == ["u0003"]
    settled = {"id": "s1", "codebook": "pretags", "utterance_id": "u0003", "action": "set"}
    answer = ada.browser.client.post(
        f"/tapes/{tape}/together",
        json=settled | {"codes": ["reflection_complex"]},
        headers={"X-CSRF-Token": ada.token},
    ).json()
    values = {row["label"]: row["value"] for row in answer["measures"]}
    assert values["Reflections per question (R:Q)"] == 0.5
    assert values["Open questions (%OQ)"] == 50
    assert values["Complex reflections (%CR)"] == 100
    assert values["Change talk (%CT)"] == 100

    summary = ada.browser.get(f"/tapes/{tape}/summary").text
    pdf = PdfReader(io.BytesIO(ada.browser.get(f"/tapes/{tape}/summary.pdf").content)).pages[0].extract_text()
    document = Document(io.BytesIO(ada.browser.get(f"/tapes/{tape}/summary.docx").content))
    growth = ada.browser.get("/growth").text
    for paper in (summary, " ".join(pdf.split()), " ".join(line.text for line in document.paragraphs), growth):
        assert FROM_TEXT in paper
    assert re.search(r"Reflections per question.{0,80}0\.5", summary, re.DOTALL)
    measures = next(item for item in _items(room, tape) if item.kind == "measures.json")
    talk = json.loads(room.home.vault.read(measures))["talk"]["interviewer"]
    assert (talk["value"], talk["undefined"]) == (None, "the utterances have no times")


def _items(room: Room, tape: str) -> list[Item]:
    with room.home.database.reading() as database:
        return database.query(Item).filter(Item.tape_id == tape).all()


def test_a_coach_compares_it_and_no_page_of_the_group_shows_a_time(room: Room, sender: Sender) -> None:
    tape, ada, ben = coded(sender, uses=["group_review", "coach_check"])
    ada.lock()
    ben.lock()
    coach = Coder(room.signed_in(room.person("Kim", sender.group, role="coach")), tape).begin()
    coach.code("u0001", "question_closed", audio_ms=None)
    coach.lock()
    for page in ("agreement", "visit", "visit?by=minutes"):
        for browser in (coach.browser,) if page != "agreement" else (ada.browser, coach.browser):
            answer = browser.get(f"/groups/{sender.group}/{page}")
            assert answer.status_code == 200, page
            assert not CLOCK.search(answer.text.partition("<main")[2]), page
            assert "minute 0" not in answer.text
    links = re.findall(r'href="(/groups/[^"]*pairs[^"]*)"', coach.browser.get(f"/groups/{sender.group}/visit").text)
    pair = coach.browser.get(html.unescape(links[0])).text
    assert "What brings you?" in pair
    assert "coded from text, without sound" in pair
    assert not CLOCK.search(pair.partition("<main")[2])


def test_a_correction_of_text_speaker_and_boundary_keeps_the_order(sender: Sender) -> None:
    tape = handed_in(sender)
    work(sender.room, tape)
    coder = Coder(sender.browser, tape).begin()
    words = coder.state()["utterances"][0]["words"]
    coder.correct("split", "u0001", {"word_id": words[1]["id"]})
    texts = [" ".join(word["text"] for word in row["words"]) for row in coder.state()["utterances"]]
    assert texts[:3] == ["What", "brings you?", "ZEBRA, my drinking."]
    coder.correct("merge", f"u0001~{words[1]['id']}", {})
    texts = [" ".join(word["text"] for word in row["words"]) for row in coder.state()["utterances"]]
    assert texts[:2] == ["What brings you?", "ZEBRA, my drinking."]


def test_a_masked_name_is_a_bar_for_others(sender: Sender) -> None:
    _, ada, ben = coded(sender)
    word = ada.state()["utterances"][1]["words"][0]["id"]
    ada.correct("mask", "u0002", {"words": [word], "on": True})
    assert "ZEBRA" in json.dumps(ada.state())
    assert "ZEBRA" not in json.dumps(ben.state())
    assert "ZEBRA" not in ben.browser.get(f"{ben.path}/codes.csv").text


NAMELESS = {
    "no names": ('speaker,text\n"",Hello there.\nAnn,Hi.\n', "talk.csv", "1 of 2 turns without a speaker"),
    "one voice": ("Ann: Hello.\nAnn: Hi.\n", "talk.txt", "the one voice"),
}


@pytest.mark.parametrize("case", NAMELESS)
def test_a_transcript_that_does_not_tell_who_speaks_is_not_coded_without_sound(sender: Sender, case: str) -> None:
    talk, name, words = NAMELESS[case]
    tape = sender.draft()
    send(sender, tape, name, talk)
    answer = sender.browser.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": "-1"})
    assert answer.status_code == 422
    assert words in answer.text.replace("&#39;", "'")
    assert "bring the recording" in answer.text
    with sender.room.home.database.reading() as database:
        assert database.get_one(Tape, tape).state == "draft"
        assert database.query(Job).count() == 0


def test_a_tape_with_a_recording_is_not_coded_from_text_by_mistake(sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    send(sender, tape, "talk.txt", TALK)
    assert "Submit without sound" in sender.browser.get(f"/tapes/{tape}/transcript").text
    sender.put(tape, 0, whole[:50_000], len(whole))
    assert "Submit without sound" not in sender.browser.get(f"/tapes/{tape}/transcript").text
    answer = sender.browser.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": "0"})
    assert answer.status_code == 422
    assert "This tape has a recording" in answer.text
    sender.browser.post(f"/tapes/{tape}/recording/discard")
    assert sender.browser.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": "0"}).status_code == 303
    again = sender.browser.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": "0"})
    assert again.status_code == 404  # it is no draft any more
    assert sender.put(tape, 0, whole, len(whole)).status_code == 404


def test_only_its_member_hands_it_in(sender: Sender) -> None:
    tape = sender.draft()
    send(sender, tape, "talk.txt", TALK)
    ben = sender.room.signed_in(sender.room.person("Ben", sender.group))
    assert ben.post(f"/tapes/{tape}/transcript", {"way": "text", "voice": "0"}).status_code == 404
    with sender.room.home.database.reading() as database:
        assert (database.get_one(Tape, tape).state, database.query(Job).count()) == ("draft", 0)


def test_a_backup_brings_it_back_and_the_last_day_ends_it(room: Room, sender: Sender, tmp_path: Path) -> None:
    tape, _, ben = coded(sender)
    made = backup.make(room.home, tmp_path / "one.backup", room.clock())
    elsewhere = home_settings(tmp_path / "elsewhere")
    master = Path(shutil.copy2(room.home.master.path, tmp_path / "copy of the master key"))
    restore.restore(made.path, elsewhere, room.clock(), master=master)
    brought = Home.open(elsewhere)
    with brought.database.reading() as database:
        assert database.get_one(Tape, tape).from_text
        items = {item.kind: item for item in database.query(Item).filter(Item.tape_id == tape)}
    assert b"ZEBRA" in brought.vault.read(items["transcript"])
    brought.close()
    room.clock.advance(400 * DAY)  # its last day is over
    assert [destroyed.tape_id for destroyed in retention.enforce(room.home, room.clock())] == [tape]
    assert ben.browser.get(f"/tapes/{tape}").status_code in (303, 404)
    assert room.home.vault.files(tape) == []


def test_nothing_of_it_lies_in_the_clear_and_a_withdrawal_destroys_it(room: Room, sender: Sender) -> None:
    tape, ada, ben = coded(sender)
    assert not [path for path in room.home.folder.rglob("*") if path.is_file() and b"ZEBRA" in path.read_bytes()]
    assert sender.browser.post(f"/tapes/{tape}/withdraw").status_code == 303
    for path in (f"/tapes/{tape}", f"/tapes/{tape}/summary", ben.path, f"{ada.path}/state"):
        assert ben.browser.get(path).status_code == 404
    destruction.resume(room.home, room.clock())
    assert room.home.vault.files(tape) == []
    assert not room.home.vault.has_key(tape)
    with room.home.database.reading() as database:
        assert database.get(Tape, tape) is None
        assert database.query(Utterance).filter(Utterance.tape_id == tape).count() == 0
