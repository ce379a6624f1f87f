"""A member who begins tape after tape, or sends byte after byte; and refused forms, which take nothing away."""

from __future__ import annotations

import contextlib
import http.client

import pytest

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.review.upload import chunked_uploads, quotas
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import Item, Tape
from tests.review.coding.server import serving
from tests.review.conftest import QUICK, Room
from tests.review.upload.test_chunked_uploads import FORM, MB, Sender, sound, stored


def limited(room: Room, **limits: int) -> Sender:
    """Ada in a room with other limits."""
    loaded = settings.load().settings
    changed = loaded.model_copy(update={"review": loaded.review.model_copy(update=limits)})
    room.app = application.create(room.home, changed, clock=room.clock, passwords=QUICK)
    return Sender(room)


def kinds(room: Room, tape: str) -> list[str]:
    with room.home.database.reading() as database:
        return sorted({item.kind.partition("@")[0] for item in database.query(Item).filter(Item.tape_id == tape)})


def test_a_member_begins_so_many_tapes_and_no_more_until_one_is_handed_in_or_given_up(room: Room) -> None:
    sender = limited(room, drafts_limit=2)
    tapes = [sender.draft(), sender.draft()]
    form = FORM | {"group_id": sender.group, "group_ids": [sender.group], "target_behavior": "walking more"}
    refused = sender.browser.post("/tapes", form)
    assert refused.status_code == 409
    assert "You have 2 unfinished tapes" in refused.text
    assert "Discard this tape" in refused.text
    assert 'value="walking more"' in refused.text  # what was typed is still there
    with room.home.database.writing() as database:
        assert database.query(Tape).count() == 2
        database.get_one(Tape, tapes[0]).state = "ready"
    assert len(list((room.home.folder / "vault" / "keys").iterdir())) <= 3  # two tapes' and the home's own
    sender.draft()


def test_another_member_s_drafts_count_for_that_member(room: Room) -> None:
    sender = limited(room, drafts_limit=1, drafts_limit_mb=1)
    tape, whole = sender.draft(), sound(25.0)
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    room.tape(sender.group, room.person("Ben", sender.group), state="draft")
    assert sender.put(tape, 0, sound(2.0), 10**6).status_code == 413  # her own are what counts
    with room.home.database.writing() as database:
        database.get_one(Tape, tape).state = "ready"
    other = sender.draft()
    assert sender.put(other, 0, whole, len(whole)).json()["done"]


def test_a_member_s_drafts_hold_so_much_together(room: Room) -> None:
    sender = limited(room, drafts_limit_mb=1)
    first, second, whole = sender.draft(), sender.draft(), sound(20.0)  # 640 KB
    assert sender.put(first, 0, whole, len(whole)).json()["done"]
    refused = sender.put(second, 0, whole, len(whole))
    assert (refused.status_code, refused.json()["code"]) == (413, "TR-R09")
    assert "larger than 1 MB" in refused.json()["detail"]
    assert kinds(room, second) == []
    for name, field in (("form", "recording"), ("scan", "scan"), ("transcript", "transcript")):
        content = {"form": whole, "scan": b"%PDF-" + whole, "transcript": b"Ann: hi\nBo: " + b"x" * len(whole)}[name]
        files = {field: ("a.txt", content, "application/octet-stream")}
        answer = sender.browser.client.post(f"/uploads/{second}/{name}", data={"csrf": sender.token}, files=files)
        assert answer.status_code == 413, name
        assert "larger than 1 MB" in answer.text
        assert kinds(room, second) == []
        assert room.home.vault.files(second) == []
    small = sound(5.0)
    assert sender.put(second, 0, small, len(small)).json()["done"]


def test_an_upload_of_crumbs_ends(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "MOST_PIECES", 3)
    sender = limited(room)
    tape, whole = sender.draft(), sound()
    for at in range(3):
        assert sender.put(tape, 1000 * at, whole[1000 * at : 1000 * at + 1000], len(whole)).status_code == 200
    refused = sender.put(tape, 3000, whole[3000:4000], len(whole))
    assert (refused.status_code, refused.json()["code"]) == (413, "TR-R09")
    assert "too many small pieces" in refused.json()["detail"]
    assert len(room.home.vault.files(tape)) == 3


@pytest.mark.parametrize("fault", ["no token", "another file", "no sound", "too large", "another field"])
def test_a_refused_form_takes_nothing_away(room: Room, fault: str) -> None:
    sender = limited(room, upload_limit_mb=1)
    tape, whole = sender.draft(), sound()
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    contents = {
        "no sound": b"RIFF\0\0\0\0WAVEfmt " + bytes(90_000),
        "too large": sound(40.0),
        "another file": b"<html>",
    }
    files = {"x" if fault == "another field" else "recording": ("a.wav", contents.get(fault, whole), "audio/wav")}
    token = "wrong" if fault == "no token" else sender.token
    answer = sender.browser.client.post(f"/uploads/{tape}/form", data={"csrf": token}, files=files)
    assert answer.status_code >= 400
    assert kinds(room, tape) == ["recording", "survey"]
    assert len(room.home.vault.files(tape)) in (2, 3)  # the pieces in which it came, and its survey
    assert stored(room, tape) == whole
    if fault not in ("no token", "another field"):
        assert "The recording that you uploaded before is still here." in answer.text


def test_a_recording_that_is_refused_piece_by_piece_takes_nothing_away_either(room: Room) -> None:
    sender = limited(room)
    tape, whole = sender.draft(), sound()
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    refused = sender.put(tape, 0, b"RIFF\0\0\0\0WAVEfmt " + bytes(90_000), 90_016)
    assert refused.status_code == 422
    assert kinds(room, tape) == ["recording", "survey"]
    assert "lasts 0:03" in sender.browser.get(f"/tapes/{tape}/part").text


def test_a_form_leaves_an_upload_that_was_begun_until_it_is_whole_itself(room: Room) -> None:
    sender = limited(room)
    tape, whole = sender.draft(), sound()
    sender.put(tape, 0, whole[:30_000], len(whole))
    path, data = f"/uploads/{tape}/form", {"csrf": sender.token}
    assert sender.browser.client.post(path, data=data, files={"recording": ("a", b"<html>")}).status_code >= 400
    assert sender.browser.get(f"/uploads/{tape}").json() == {"offset": 30_000, "done": False}
    other = sound(2.0)
    assert sender.browser.client.post(path, data=data, files={"recording": ("a", other)}).status_code == 303
    assert kinds(room, tape) == ["recording", "survey"]
    assert stored(room, tape) == other


def test_a_form_that_is_cut_leaves_nothing_of_itself_and_all_that_was_there(room: Room) -> None:
    _, port = room.addressed()
    sender = Sender(room)
    tape, whole = sender.draft(), sound()
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    with serving(room.app, port):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.putrequest("POST", f"/uploads/{tape}/form")
            cookie = f"{SESSION}={sender.browser.client.cookies[SESSION]}"
            for name, value in {"Cookie": cookie, "Content-Type": "multipart/form-data; boundary=x"}.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(MB))
            connection.endheaders(
                b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n' + sender.token.encode() + b"\r\n"
                b'--x\r\nContent-Disposition: form-data; name="recording"; filename="a.wav"\r\n\r\n' + whole
            )
    assert kinds(room, tape) == ["recording", "survey"]  # the server has ended, and with it the request


def test_what_a_server_left_that_died_while_a_form_was_sent_is_removed(room: Room) -> None:
    sender = limited(room)
    tape, whole = sender.draft(), sound()
    chunked_uploads.keep(room.home, tape, 0, whole, room.clock(), chunked_uploads.by_form())
    room.clock.advance(DAY + 1)
    browser = room.signed_in(sender.ada)
    data, files = {"csrf": browser.token("/account")}, {"recording": ("a", whole)}
    assert browser.client.post(f"/uploads/{tape}/form", data=data, files=files).status_code == 303
    assert kinds(room, tape) == ["recording", "survey"]
    chunked_uploads.keep(room.home, tape, 0, whole, room.clock(), chunked_uploads.by_form())
    assert browser.post(f"/tapes/{tape}/recording/discard").status_code == 303
    assert kinds(room, tape) == []
