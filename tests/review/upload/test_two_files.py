"""A recording in two files, or in a file with several sound tracks, handed in by the room's pages."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from pipeline.audio.file_layout import ONE_FILE, FileLayout
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.formats import time_origin
from pipeline.review.authorization import Admitted
from pipeline.review.coding import transcripts
from pipeline.review.upload import chunked_uploads
from pipeline.tapes.db.records import Item, Tape
from pipeline.tapes.jobs import steps
from pipeline.tapes.retention import destruction
from pipeline.tapes.vault.stage_store import item_row
from tests.audio.sessions import leaking, voices, with_tracks
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import Sender, stored

SECOND_BEGINS = 4.0
"""Seconds after the first."""


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def wav(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound.T, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="module")
def session() -> np.ndarray:
    return leaking(voices(40), -30)


@pytest.fixture(scope="module")
def files(session: np.ndarray) -> tuple[bytes, bytes]:
    """A file per person; the second begins four seconds later."""
    return wav(session[0]), wav(session[1, round(SECOND_BEGINS * SAMPLE_RATE) :])


def put(sender: Sender, tape: str, content: bytes, file: int, at: int = 0, length: int | None = None):
    length = len(content) if length is None else length
    headers = {"X-CSRF-Token": sender.token, "Upload-Offset": str(at), "Upload-Length": str(length)}
    return sender.browser.client.put(f"/uploads/{tape}?file={file}", content=content, headers=headers)


def kinds(room: Room, tape: str) -> set[str]:
    with room.home.database.reading() as database:
        stored_kinds = database.scalars(select(Item.kind).where(Item.tape_id == tape))
        return {kind.partition("@")[0] for kind in stored_kinds}


def asked(room: Room, tape: str) -> steps.JobOptions:
    with room.home.database.reading() as database:
        item = database.query(Item).filter(Item.tape_id == tape, Item.kind == steps.ASKED).one()
    return steps._JOB_OPTIONS.validate_json(room.home.vault.read(item))


def test_a_file_per_person_is_put_together_by_its_sound(room: Room, sender: Sender, files: tuple[bytes, bytes]) -> None:
    tape = sender.draft()
    assert put(sender, tape, files[0], 1).json()["next"] == f"/tapes/{tape}/part"
    assert f'href="/tapes/{tape}/another"' in sender.browser.get(f"/tapes/{tape}/part").text
    page = sender.browser.get(f"/tapes/{tape}/another").text
    assert "permission covers all of them" in page
    half = len(files[1]) // 2
    assert put(sender, tape, files[1][:half], 2, 0, len(files[1])).json() == {"offset": half, "done": False}
    assert sender.browser.get(f"/uploads/{tape}?file=2").json() == {"offset": half, "done": False}
    answer = put(sender, tape, files[1][half:], 2, half, len(files[1])).json()
    assert answer["next"] == f"/tapes/{tape}/files"
    assert sender.browser.get(f"/tapes/{tape}/part").headers["location"] == f"/tapes/{tape}/recording"
    assert sender.browser.get(f"/tapes/{tape}/recording").headers["location"] == f"/tapes/{tape}/files"
    assert "How do the two files belong together?" in sender.browser.get(f"/tapes/{tape}/files").text
    together = sender.browser.post(f"/tapes/{tape}/files", {"together": "people", "who": "S2"})
    assert together.headers["location"] == f"/tapes/{tape}/part"
    page = sender.browser.get(f"/tapes/{tape}/part").text
    assert "lasts 0:40" in page
    assert "sound of both files together" in page
    assert "s after the beginning of the first" in page
    assert sender.browser.get(f"/tapes/{tape}/part/peaks").json()["duration"] == pytest.approx(40_000, abs=5)
    played = sender.browser.get(f"/tapes/{tape}/part/sound")
    assert (played.status_code, played.headers["content-type"]) == (206, "audio/flac")
    sender.browser.post(f"/tapes/{tape}/part", {"start": "0:05", "end": "0:35", "speakers": "2"})
    request = asked(room, tape)
    assert (request.layout, request.interviewer, request.diarizer) == (ONE_FILE, "S2", "channels")
    assert (request.start, request.end) == (5_000, 35_000)
    assert kinds(room, tape) == {"recording", "recording:2", "survey", "combined", "asked", "times:1", "times:2"}


def test_files_that_share_nothing_need_a_number(room: Room, sender: Sender) -> None:
    tape, apart = sender.draft(), voices(40)
    put(sender, tape, wav(apart[0]), 1)
    put(sender, tape, wav(apart[1, 2 * SAMPLE_RATE :]), 2)
    refused = sender.browser.post(f"/tapes/{tape}/files", {"together": "people"})
    assert refused.status_code == 422
    assert "share no sound" in refused.text
    assert "TR-A17" in refused.text
    assert sender.browser.post(f"/tapes/{tape}/files", {"together": "people", "seconds": "x"}).status_code == 422
    assert sender.browser.post(f"/tapes/{tape}/files", {"together": "people", "seconds": "2"}).status_code == 303
    seen = chunked_uploads.survey(room.home, tape)
    assert seen is not None
    assert (seen.layout, seen.voice, seen.duration) == (FileLayout(offset=2_000), None, 40_000)


def test_two_parts_are_joined_with_their_gap_and_the_first_stands_alone_again(
    room: Room, sender: Sender, session: np.ndarray
) -> None:
    """15 s, 2.5 s of nothing, 25 s: the whole lasts 42.5 s."""
    tape, cut = sender.draft(), 15 * SAMPLE_RATE
    put(sender, tape, wav(session[:, :cut]), 1)
    put(sender, tape, wav(session[:, cut:]), 2)
    sender.browser.post(f"/tapes/{tape}/files", {"together": "parts", "seconds": "2.5"})
    seen = chunked_uploads.survey(room.home, tape)
    assert seen is not None
    assert (seen.duration, seen.layout) == (42_500, FileLayout(join=True, gaps=(2_500,)))
    assert "after a gap of 2.500 s" in sender.browser.get(f"/tapes/{tape}/part").text
    gone = sender.browser.post(f"/tapes/{tape}/another/discard?file=2")
    assert gone.headers["location"] == f"/tapes/{tape}/part"
    assert kinds(room, tape) == {"recording", "survey", "times:1"}
    assert "lasts 0:15" in sender.browser.get(f"/tapes/{tape}/part").text


def test_another_first_file_takes_the_second_along(room: Room, sender: Sender, files: tuple[bytes, bytes]) -> None:
    tape = sender.draft()
    put(sender, tape, files[0], 1)
    put(sender, tape, files[1], 2)
    put(sender, tape, wav(voices(5)), 1)
    assert kinds(room, tape) == {"recording", "survey"}


def test_a_plain_form_sends_the_second_file_and_a_refused_one_leaves_the_first(
    room: Room, sender: Sender, files: tuple[bytes, bytes]
) -> None:
    tape = sender.draft()
    assert put(sender, tape, files[1], 2).status_code == 409  # there is no first
    put(sender, tape, files[0], 1)
    url, data = f"/uploads/{tape}/form?file=2", {"csrf": sender.token}
    refused = sender.browser.client.post(url, data=data, files={"recording": ("b.wav", b"no sound at all" * 9)})
    assert (refused.status_code, "TR-A04" in refused.text) == (422, True)
    assert kinds(room, tape) == {"recording", "survey"}
    taken = sender.browser.client.post(url, data=data, files={"recording": ("b.wav", files[1])})
    assert taken.headers["location"] == f"/tapes/{tape}/files"
    assert kinds(room, tape) == {"recording", "recording:2", "times:1", "times:2"}


def test_of_several_tracks_the_member_chooses(room: Room, sender: Sender, session: np.ndarray, tmp_path: Path) -> None:
    talk = session.sum(axis=0)
    path = with_tracks(tmp_path / "two.mkv", [talk, np.roll(talk, 12 * SAMPLE_RATE)], ["Room", "Dubbed"])
    tape = sender.draft()
    assert put(sender, tape, path.read_bytes(), 1).json()["next"] == f"/tapes/{tape}/files"
    page = sender.browser.get(f"/tapes/{tape}/files").text
    assert "Which sound track?" in page
    assert "&#39;Room&#39;, eng, 0:40" in page
    sender.browser.post(f"/tapes/{tape}/files", {"track": "2"})
    seen = chunked_uploads.survey(room.home, tape)
    assert seen is not None
    assert seen.layout == FileLayout(tracks=(2,))
    assert "lasts 0:40" in sender.browser.get(f"/tapes/{tape}/part").text
    assert kinds(room, tape) == {"recording", "survey", "combined", "tracks"}


def test_a_silent_track_is_passed_over_with_a_word_and_the_other_is_played(
    room: Room, sender: Sender, session: np.ndarray, tmp_path: Path
) -> None:
    talk = session.sum(axis=0)
    tape = sender.draft()
    put(sender, tape, with_tracks(tmp_path / "obs.mp4", [np.zeros_like(talk), talk]).read_bytes(), 1)
    assert "Sound track 1 of 2 holds no voice and was skipped" in sender.browser.get(f"/tapes/{tape}/part").text
    assert sender.browser.get(f"/tapes/{tape}/part/sound").content.startswith(b"fLaC")
    played, _ = soundfile.read(io.BytesIO(stored(room, tape)))
    assert np.abs(played).max() > 0.05


def test_an_empty_room_is_named_before_all_is_sent(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    noise = (1e-4 * np.random.default_rng(4).standard_normal((1, 90 * SAMPLE_RATE))).astype(np.float32)
    whole = wav(noise)
    put(sender, tape, whole[:1_000_000], 1, 0, len(whole))
    notes = sender.browser.get(f"/uploads/{tape}/check?file=1").json()["notes"]
    assert any("no speech was found" in note for note in notes)
    assert sender.browser.get(f"/uploads/{tape}/check?file=2").json() == {"notes": []}
    put(sender, tape, whole[1_000_000:], 1, 1_000_000, len(whole))
    assert "No speech was found" in sender.browser.get(f"/tapes/{tape}/part").text


def test_destroying_a_draft_destroys_both_files_and_certifies_each(
    room: Room, sender: Sender, files: tuple[bytes, bytes]
) -> None:
    tape = sender.draft()
    put(sender, tape, files[0], 1)
    put(sender, tape, files[1], 2)
    sender.browser.post(f"/tapes/{tape}/files", {"together": "people"})
    destruction.destroy(room.home, tape, "by hand", room.clock())
    assert destruction.survivors(room.home, tape) == []
    with room.home.database.reading() as database:
        assert database.get(Tape, tape) is None
    certificate = (room.home.folder / "certificates" / f"{tape}.json").read_text()
    assert certificate.count('"kind": "recording@000000000000"') == 1
    assert certificate.count('"kind": "recording:2@000000000000"') == 1


def test_nobody_else_reaches_the_files_of_a_draft(room: Room, sender: Sender, files: tuple[bytes, bytes]) -> None:
    tape = sender.draft()
    put(sender, tape, files[0], 1)
    ben = room.signed_in(room.person("Ben", sender.group))
    for path in (f"/tapes/{tape}/another", f"/tapes/{tape}/files", f"/uploads/{tape}/check", f"/uploads/{tape}?file=2"):
        assert ben.get(path).status_code == 404
    assert ben.post(f"/tapes/{tape}/another/discard").status_code == 404
    assert ben.post(f"/tapes/{tape}/files", {"together": "parts"}).status_code == 404


def test_a_tape_of_two_files_says_in_its_exports_where_each_begins(room: Room) -> None:
    group = room.group()
    tape = room.tape(group, room.person("Ada", group))
    files = [{"begins": "0.000"}, {"begins": "754.200"}]
    item = room.home.vault.put(tape, "provenance.json", json.dumps({"files": files}).encode())
    with room.home.database.writing() as database:
        database.get_one(Tape, tape).start_ms = 700_000
        database.add(item_row(item, room.clock()))
        database.flush()
        admitted = cast(Admitted, SimpleNamespace(session=database, home=room.home, tape=database.get_one(Tape, tape)))
        zero = transcripts.zero(admitted)
    assert time_origin.sentence(zero) == (
        "time 0 is 700.000 s into the recording, in which file 1 begins at 0.000 s and file 2 at 754.200 s"
    )


def dated(sound: np.ndarray, clock: str) -> bytes:
    """A broadcast WAV that says at which time of one day it began."""
    content = wav(sound)
    chunk = bytes(320) + b"2026-11-30" + clock.encode() + bytes(264)
    body = content[12:36] + b"bext" + len(chunk).to_bytes(4, "little") + chunk + content[36:]
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WAVE" + body


def test_three_parts_are_put_in_order_with_their_gaps(room: Room, sender: Sender, session: np.ndarray) -> None:
    """10 s, 2 s of nothing, 12 s, 3 s of nothing, 18 s: the whole lasts 45 s; the second part was sent first."""
    tape, second = sender.draft(), SAMPLE_RATE
    parts = [session[:, : 10 * second], session[:, 10 * second : 22 * second], session[:, 22 * second :]]
    put(sender, tape, wav(parts[1]), 1)
    put(sender, tape, wav(parts[0]), 2)
    answer = put(sender, tape, wav(parts[2]), 3)
    assert answer.json()["next"] == f"/tapes/{tape}/files"
    page = sender.browser.get(f"/tapes/{tape}/files").text
    assert "How do the 3 files belong together?" in page
    assert "Seconds between the second and the third part" in page
    assert "By the times" not in page
    twice = sender.browser.post(f"/tapes/{tape}/files", {"together": "parts", "position": ["1", "1", "3"]})
    assert (twice.status_code, "two files have the same place" in twice.text.lower()) == (422, True)
    form = {"together": "parts", "position": ["2", "1", "3"], "seconds": ["2", "3"]}
    assert sender.browser.post(f"/tapes/{tape}/files", form).headers["location"] == f"/tapes/{tape}/part"
    seen = chunked_uploads.survey(room.home, tape)
    assert seen is not None
    assert (seen.duration, seen.order) == (45_000, (2, 1, 3))
    assert "sound of all 3 files together" in sender.browser.get(f"/tapes/{tape}/part").text
    played, _ = soundfile.read(io.BytesIO(stored(room, tape)), always_2d=True)
    assert np.abs(played[10 * second + 800 : 12 * second - 800]).max() < 0.01
    assert np.corrcoef(played[12 * second : 24 * second, 0], parts[1][0])[0, 1] > 0.99
    sender.browser.post(f"/tapes/{tape}/part", {"start": "0:05", "end": "0:35", "speakers": "2"})
    request = asked(room, tape)
    assert (request.order, request.layout) == ((2, 1, 3), FileLayout(join=True, gaps=(2_000, 3_000)))


def test_the_times_in_files_suggest_their_order_and_are_shown(room: Room, sender: Sender, session: np.ndarray) -> None:
    """14:00:00 and 10 s, then 14:00:45: the recorder was off for 35 s."""
    tape, cut = sender.draft(), 10 * SAMPLE_RATE
    put(sender, tape, dated(session[:, cut:], "14:00:45"), 1)
    put(sender, tape, dated(session[:, :cut], "14:00:00"), 2)
    page = sender.browser.get(f"/tapes/{tape}/files").text
    assert "recorded November 30, 2026, 14:00:45" in page
    assert "the order is file 2, file 1" in page
    assert "the recorder was off for 35 seconds" in page
    sender.browser.post(f"/tapes/{tape}/files", {"together": "parts", "seconds": "0"})
    seen = chunked_uploads.survey(room.home, tape)
    assert seen is not None
    assert (seen.order, seen.layout.gaps) == ((), (0,))  # what is suggested is not done


def test_as_many_files_are_taken_as_the_command_takes_and_no_more(room: Room, sender: Sender) -> None:
    tape, part = sender.draft(), wav(voices(3))
    for number in range(1, 9):
        assert put(sender, tape, part, number).status_code == 200
    assert put(sender, tape, part, 9).status_code == 422
    assert sender.browser.get(f"/tapes/{tape}/another").headers["location"] == f"/tapes/{tape}/files"
    assert "Add another file" not in sender.browser.get(f"/tapes/{tape}/files").text
    assert sender.browser.post(f"/tapes/{tape}/files", {"together": "people"}).status_code == 422
    gone = sender.browser.post(f"/tapes/{tape}/another/discard?file=3")
    assert gone.headers["location"] == f"/tapes/{tape}/files"
    assert kinds(room, tape) == {"recording", "recording:2", "times:1", "times:2"}


def test_a_later_file_that_was_only_begun_is_taken_back_and_nothing_else(
    room: Room, sender: Sender, session: np.ndarray
) -> None:
    tape, cut = sender.draft(), 15 * SAMPLE_RATE
    put(sender, tape, wav(session[:, :cut]), 1)
    put(sender, tape, wav(session[:, cut:]), 2)
    sender.browser.post(f"/tapes/{tape}/files", {"together": "parts"})
    before, part = kinds(room, tape), wav(session)
    put(sender, tape, part[:90_000], 3, 0, len(part))
    sender.browser.post(f"/tapes/{tape}/another/discard?file=3")
    assert kinds(room, tape) == before
    assert "lasts 0:40" in sender.browser.get(f"/tapes/{tape}/part").text
