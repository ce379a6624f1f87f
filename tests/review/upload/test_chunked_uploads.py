"""Uploads: in pieces, encrypted as they come, going on after a cut, within the limit, checked while they stream."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.audio import sniff
from pipeline.audio.source_bytes import SoundSource
from pipeline.errors import ReviewError
from pipeline.review.errors import MEMBER_TEXTS
from pipeline.review.upload import chunked_uploads, surveys
from pipeline.tapes.db.records import Consent, Item, Job, Review, Tape
from tests.hostile import CANARY, CASES, DECODED
from tests.review.conftest import Browser, Room
from tests.sounds import encoded

MB = 1_000_000
FORM = {
    "target_behavior": "drinking less",
    "pseudonym": "Robin",
    "uses": ["group_review"],
    "destroy_by": "2025-12-31",
    "signed_on": "2025-10-01",
    "signed_form": "written",
    "method": "the key is destroyed",
}


def sound(seconds: float = 3.0) -> bytes:
    file, noise = io.BytesIO(), np.random.default_rng(1).normal(0, 0.1, int(16_000 * seconds))
    soundfile.write(file, noise, 16_000, format="WAV", subtype="PCM_16")
    return file.getvalue()


def stored(room: Room, tape: str) -> bytes:
    """The whole recording of a draft, or what a browser plays of it."""
    whole = chunked_uploads.sound(room.home, tape)
    assert whole
    with whole:
        return whole.readall()


class Sender:
    """Ada, who hands in a tape."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.ada = room.person("Ada", self.group)
        self.browser = room.signed_in(self.ada)
        self.token = self.browser.token("/account")

    def draft(self, **other: object) -> str:
        form = FORM | {"group_id": self.group, "group_ids": [self.group]} | other
        answer = self.browser.post("/tapes", form)
        assert answer.status_code == 303, answer.text
        match = re.fullmatch(r"/tapes/([0-9a-f]{16})/recording", answer.headers["location"])
        assert match
        return match[1]

    def put(self, tape: str, at: int, content: bytes | Iterator[bytes], length: int):
        headers = {"X-CSRF-Token": self.token, "Upload-Offset": str(at), "Upload-Length": str(length)}
        return self.browser.client.put(f"/uploads/{tape}", content=content, headers=headers)


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def test_a_tape_is_handed_in_step_by_step(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    assert "Step 2 of 3" in sender.browser.get(f"/tapes/{tape}/recording").text
    assert sender.put(tape, 0, whole[:50_000], len(whole)).json() == {"offset": 50_000, "done": False}
    assert sender.browser.get(f"/uploads/{tape}").json() == {"offset": 50_000, "done": False}
    answer = sender.put(tape, 50_000, whole[50_000:], len(whole)).json()
    assert answer == {"offset": len(whole), "done": True, "next": f"/tapes/{tape}/part"}
    assert "lasts 0:03" in sender.browser.get(f"/tapes/{tape}/part").text
    peaks = sender.browser.get(f"/tapes/{tape}/part/peaks").json()
    assert peaks["duration"] == 3000
    assert max(peaks["peaks"]) > 60
    assert peaks["pauses"] == [1500]  # a tone is nobody's speech: one pause, of which this is the middle
    piece = sender.browser.get(f"/tapes/{tape}/part/sound", headers={"range": "bytes=10-19"})
    assert (piece.status_code, piece.headers["content-type"], piece.content) == (206, "audio/wav", whole[10:20])
    assert piece.headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert sender.browser.get(f"/tapes/{tape}/part/sound").content == whole
    part = {"start": "0:01", "end": "0:03", "speakers": "2"}
    assert sender.browser.post(f"/tapes/{tape}/part", part).headers["location"] == f"/tapes/{tape}"
    page = sender.browser.get(f"/tapes/{tape}").text
    assert "Waiting for its turn" in page
    assert "drinking less" in page
    with room.home.database.reading() as database:
        kept = database.get_one(Tape, tape)
        assert (kept.state, kept.start_ms, kept.end_ms) == ("queued", 1000, 3000)
        assert database.query(Job).one().tape_id == tape
        assert database.query(Review).one().stage == "interviewer"
        kinds = sorted(item.kind for item in database.query(Item))
        assert kinds == ["asked", "recording@000000000000", "recording@000000050000", "survey"]
    assert stored(room, tape) == whole
    assert sender.browser.post(f"/tapes/{tape}/part", part).status_code == 404  # once only
    assert sender.browser.get(f"/tapes/{tape}/part/sound").status_code == 404


def test_nothing_of_the_recording_lies_in_the_clear(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole[: len(whole) // 2], len(whole))
    canary = whole[20_000:20_032]
    lying = [path for path in room.home.folder.rglob("*") if path.is_file() and canary in path.read_bytes()]
    assert lying == []


def test_a_cut_upload_goes_on_where_it_was_and_a_wrong_offset_is_told(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole[:30_000], len(whole))
    refused = sender.put(tape, 10_000, whole[10_000:], len(whole))
    assert (refused.status_code, refused.headers["upload-offset"]) == (409, "30000")
    assert sender.put(tape, 30_000, whole[30_000:], len(whole)).json()["done"]


def test_whose_last_answer_was_lost_is_told_where_to_go_on(sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole, len(whole))
    told = {"offset": 0, "done": True, "next": f"/tapes/{tape}/part"}
    assert sender.browser.get(f"/uploads/{tape}").json() == told


def test_a_recording_that_is_sent_again_takes_the_place_of_the_earlier_one(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    for seconds in (3.0, 2.0):
        whole = sound(seconds)
        assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    with room.home.database.reading() as database:
        assert sorted(item.kind for item in database.query(Item)) == ["recording@000000000000", "survey"]
    assert len(room.home.vault.files(tape)) == 2
    assert stored(room, tape) == whole
    assert "lasts 0:02" in sender.browser.get(f"/tapes/{tape}/part").text


def test_a_last_piece_that_comes_twice_at_once_is_looked_over_once(
    room: Room, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape, whole = sender.draft(), sound()
    looked, go_on, begun = [], threading.Event(), threading.Event()
    survey = surveys.of_files

    def slow(files: list[SoundSource], *given: Any) -> surveys.Surveyed:
        looked.append(files)
        begun.set()
        assert go_on.wait(60)
        return survey(files, *given)

    monkeypatch.setattr(surveys, "of_files", slow)
    chunked_uploads.keep(room.home, tape, 0, whole, room.clock())
    with ThreadPoolExecutor() as threads:
        given = (room.home, room.app.state.context.settings.audio, tape, room.clock())
        first = threads.submit(chunked_uploads.finish, *given)
        assert begun.wait(60)
        second = threads.submit(chunked_uploads.finish, *given)
        go_on.set()
        assert first.result() == second.result()
    assert len(looked) == 1


def test_two_processes_that_look_the_same_pieces_over_keep_one_survey(
    room: Room, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape, content = sender.draft(), sound()
    look_over, audio = chunked_uploads._looked_over, room.app.state.context.settings.audio
    monkeypatch.setattr(chunked_uploads, "_checking", nullcontext())  # each process has its own

    def meanwhile(*given: Any) -> dict[str, bytes]:
        monkeypatch.setattr(chunked_uploads, "_looked_over", look_over)
        chunked_uploads.finish(room.home, audio, tape, room.clock())  # the other process is faster
        return look_over(*given)

    monkeypatch.setattr(chunked_uploads, "_looked_over", meanwhile)
    assert sender.put(tape, 0, content, len(content)).status_code == 200
    assert stored(room, tape) == content
    with room.home.database.reading() as database:
        items = list(database.query(Item).filter(Item.tape_id == tape))
    assert sorted(item.kind for item in items).count("survey") == 1
    assert {path.name for path in room.home.vault.files(tape)} == {item.id for item in items}


def test_a_recording_that_comes_after_the_part_was_chosen_leaves_the_chosen_one(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole, len(whole))
    chunked_uploads.keep(room.home, tape, 0, sound(2.0), room.clock())
    assert sender.browser.post(f"/tapes/{tape}/part", {"start": "0:01", "end": "0:03"}).status_code == 303
    with pytest.raises(ReviewError, match="R02"):
        chunked_uploads.finish(room.home, room.app.state.context.settings.audio, tape, room.clock())
    assert stored(room, tape) == whole
    assert len(room.home.vault.files(tape)) == 3  # what was asked for is there as well


@pytest.mark.parametrize("length", [29_999, 30_001])
def test_more_than_was_announced_is_not_called_too_large(sender: Sender, length: int) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole[:30_000], len(whole))
    answer = sender.put(tape, 30_000, whole[30_000:], length)
    assert (answer.status_code, answer.json()["code"]) == (409, "TR-R02")
    assert "does not continue the upload" in answer.json()["detail"]
    assert sender.browser.get(f"/uploads/{tape}").json() == {"offset": 30_000, "done": False}


def test_a_length_beyond_the_limit_is_told_at_once(room: Room, sender: Sender) -> None:
    limit = room.app.state.context.settings.review.upload_limit_mb
    answer = sender.put(sender.draft(), 0, b"RIFF", limit * MB + 1)
    assert (answer.status_code, answer.json()["code"]) == (413, "TR-R01")


def test_a_stream_is_read_no_further_than_one_block_beyond_the_limit(room: Room, sender: Sender) -> None:
    """The test client hands a body over at once; a server reads block by block, as this does."""
    import asyncio
    from types import SimpleNamespace

    from pipeline.review.upload import receiving

    tape, read = sender.draft(), 0
    context = SimpleNamespace(
        home=room.home,
        clock=room.clock,
        settings=SimpleNamespace(review=SimpleNamespace(upload_limit_mb=1, drafts_limit_mb=10)),
    )
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(context=context)))
    block = sound()[: 1 << 16]

    async def endless():
        nonlocal read
        while True:
            read += len(block)
            yield block

    with pytest.raises(ReviewError, match="R01"):
        asyncio.run(receiving._store_stream(request, tape, 0, 10 * MB, endless()))  # type: ignore[arg-type]
    assert MB < read <= MB + (1 << 16)
    with room.home.database.reading() as database:
        assert sum(item.size for item in database.query(Item)) <= MB


def test_a_plain_form_sends_a_file_as_well(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    path = f"/uploads/{tape}/form"
    files = {"recording": ("a.wav", whole, "audio/wav")}
    refused = sender.browser.client.post(path, data={"csrf": "wrong"}, files=files)
    assert refused.status_code == 403
    answer = sender.browser.client.post(path, data={"csrf": sender.token}, files=files)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/tapes/{tape}/part")
    assert chunked_uploads.survey(room.home, tape)


def test_a_file_before_its_token_is_refused(sender: Sender) -> None:
    tape = sender.draft()
    body = (
        b'--x\r\nContent-Disposition: form-data; name="recording"; filename="a.wav"\r\n\r\n' + sound() + b"\r\n"
        b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + sender.token.encode() + b"\r\n--x--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert sender.browser.client.post(f"/uploads/{tape}/form", content=body, headers=headers).status_code == 403


SLOW = {"bomb.mp3", "ten-hours.flac", "pages-missing.ogg"}
"""They take long to make; what they do to the decoder stands in its own tests."""

NO_UPLOAD = {"half-an-hour.wav", "five-gigabytes.wav", "four-days.wav"}
"""Half an hour is welcome here, where a part is chosen; the others are beyond what may be sent."""

HOSTILE = [
    case
    for case in CASES
    if case.name not in SLOW | NO_UPLOAD and case.code not in ("TR-A01", "TR-A03", DECODED)  # no bytes at all, or sound
]


@pytest.mark.engines
def test_hostile_files_get_their_code_and_leave_nothing(room: Room, sender: Sender, tmp_path: Path) -> None:
    assert len(HOSTILE) > 70
    outcomes, canary = {}, tmp_path / CANARY
    os.mkfifo(canary)
    tape = sender.draft()
    for number, case in enumerate(HOSTILE):
        folder = tmp_path / str(number)
        folder.mkdir()
        content = case.make(folder / case.name)
        assert content is not None
        answer = sender.put(tape, 0, content, len(content))
        outcomes[case.name] = (answer.status_code, answer.json().get("code"))
        assert CANARY not in answer.text
        with room.home.database.reading() as database:
            assert database.query(Item).count() == 0, case.name
        assert room.home.vault.files(tape) == [], case.name
    assert outcomes == {case.name: (MEMBER_TEXTS[case.code.removeprefix("TR-")].status, case.code) for case in HOSTILE}


def test_what_is_no_sound_is_refused_at_its_first_bytes(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    answer = sender.put(tape, 0, b"ffconcat version 1.0\nfile '/etc/passwd'\n" * 3000, 100 * MB)
    assert answer.json()["code"] == "TR-A04"
    assert room.home.vault.files(tape) == []


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("0:02", "0:01", "ends before it begins"),
        ("0:00", "25:00", "longer than 20 minutes"),
        ("0:00", "0:20", "ends before the part does"),
        ("x", "0:02", "minutes and seconds"),
    ],
)
def test_a_part_that_is_none_is_told(sender: Sender, start: str, end: str, told: str) -> None:
    tape, whole = sender.draft(), encoded("FLAC")
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    answer = sender.browser.post(f"/tapes/{tape}/part", {"start": start, "end": end})
    assert answer.status_code == 422
    assert told in answer.text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"target_behavior": ""}, "name the target behavior"),
        ({"pseudonym": "Robin Smith"}, "the made-up word for the client is not one word; use up to 30 letters"),
        ({"pseudonym": ""}, "the made-up word for the client is not one word; use up to 30 letters"),
        ({"uses": []}, "the client allowed no use of the tape; check at least one"),
        ({"uses": ["sale"]}, "the client allowed no use of the tape; check at least one"),
        ({"destroy_by": "2020-01-01"}, "the last day to keep the tape is in the past; choose today or a later day"),
        ({"destroy_by": "soon"}, "the last day to keep the tape is not a valid date; choose a day"),
        ({"method": ""}, "how the tape will be destroyed is missing; choose a way"),
        ({"signed_form": ""}, "how the client agreed is missing; choose one"),
        ({"signed_on": "2030-01-01"}, "the date of the signature is in the future; choose the date"),
        ({"signed_on": ""}, "the date of the signature is not a valid date; choose the date"),
        ({"group_ids": []}, "not among the groups that may hear it; check it under"),
        (
            {"people_named": "ada@example.org, nobody@example.org"},
            "nobody here has the e-mail address nobody@example.org; correct it under",
        ),
    ],
)
def test_a_consent_that_lacks_something_keeps_nothing(
    room: Room, sender: Sender, change: dict[str, object], told: str
) -> None:
    form = FORM | {"group_id": sender.group, "group_ids": [sender.group]} | change
    answer = sender.browser.post("/tapes", form)
    assert answer.status_code == 422
    assert told in answer.text.lower()
    for raw in ("validation", "pattern", "should be", "tape-review person", "mend it"):
        assert raw not in answer.text
    with room.home.database.reading() as database:
        assert database.query(Tape).count() == database.query(Consent).count() == 0
    assert room.home.vault.tapes() == []


def test_a_draft_can_be_given_up(room: Room, sender: Sender) -> None:
    tape = sender.draft()
    assert sender.browser.post(f"/tapes/{tape}/destroy").status_code == 303
    assert not room.home.vault.has_key(tape)


def test_a_coach_hands_in_nothing(room: Room, sender: Sender) -> None:
    coach: Browser = room.signed_in(room.person("Coco", sender.group, role="coach"))
    form = FORM | {"group_id": sender.group, "group_ids": [sender.group]}
    assert coach.post("/tapes", form).status_code == 404


def test_the_scanned_form_is_kept_with_the_tape_and_encrypted(room: Room, sender: Sender) -> None:
    tape = sender.draft()

    def send(content: bytes):
        files = {"scan": ("form.pdf", content, "application/pdf")}
        return sender.browser.client.post(f"/uploads/{tape}/scan", data={"csrf": sender.token}, files=files)

    assert "(saved)" not in sender.browser.get(f"/tapes/{tape}/recording").text
    for content in (b"%PDF-1.7 ZEBRA1", b"\x89PNG\r\n\x1a\n ZEBRA2"):
        assert send(content).headers["location"] == f"/tapes/{tape}/recording?note=saved"
    assert "(saved)" in sender.browser.get(f"/tapes/{tape}/recording").text
    refused = send(b"MZ a program")
    assert refused.status_code == 422
    assert "TR-R06" in refused.text
    assert "TR-R06" in send(b"%PDF-" + bytes(chunked_uploads.SCAN_MB * MB)).text
    with room.home.database.reading() as database:
        form = database.query(Item).filter(Item.tape_id == tape, Item.kind == "form").one()
        assert database.query(Consent).filter(Consent.tape_id == tape).one().form_item_id == form.id
    assert room.home.vault.read(form).endswith(b"ZEBRA2")
    assert not [path for path in room.home.folder.rglob("*") if path.is_file() and b"ZEBRA" in path.read_bytes()]


def test_names_and_terms_reach_the_recognizer_and_lie_sealed(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole, len(whole))
    part = {"start": "0:01", "end": "0:03", "terms": "Suboxone, Presque Isle;\nSuboxone"}
    assert sender.browser.post(f"/tapes/{tape}/part", part).status_code == 303
    with room.home.database.reading() as database:
        asked = database.query(Item).filter(Item.kind == "asked").one()
    assert json.loads(room.home.vault.read(asked))["terms"] == ["Suboxone", "Presque Isle"]
    lying = [path for path in room.home.folder.rglob("*") if path.is_file() and b"Presque" in path.read_bytes()]
    assert lying == []


def test_too_many_terms_are_refused_and_kept_in_the_form(room: Room, sender: Sender) -> None:
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole, len(whole))
    many = ", ".join(f"term {number}" for number in range(61))
    refused = sender.browser.post(f"/tapes/{tape}/part", {"start": "0:01", "end": "0:03", "terms": many})
    assert refused.status_code == 422
    assert "List at most 60 names and terms" in refused.text
    assert many in refused.text


def test_the_file_picker_offers_exactly_what_is_read(sender: Sender) -> None:
    page = sender.browser.client.get(f"/tapes/{sender.draft()}/recording").text
    assert f'accept="{sniff.picker()}"' in page
    assert all(container.name in page for container in sniff.CONTAINERS)
