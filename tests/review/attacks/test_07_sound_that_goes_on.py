"""A listener who keeps an answer running hears no more than seconds after a right to it has ended."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from pipeline.review.auth.current_user import SESSION
from pipeline.review.coding.sound import HEADER_BYTES, MAX_SECONDS
from pipeline.tapes.db.records import Item
from pipeline.tapes.vault.stage_store import item_row
from tests.review.coding.conftest import Coder, Table
from tests.review.coding.conftest import table as table
from tests.review.coding.server import serving
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import Sender, sound

SECOND = 2 * 16_000
MINUTES = 20


def longer(table: Table) -> None:
    """Put 20 minutes of noise in the place of the tape's sound."""
    home, noise = table.room.home, np.random.default_rng(0).integers(-9999, 9999, MINUTES * 60 * 16_000, np.int16)
    file = io.BytesIO()
    soundfile.write(file, noise, 16_000, format="FLAC")
    with home.database.writing() as session:
        session.delete(session.scalars(select(Item).where(Item.kind == "mono")).one())
        session.add(item_row(home.vault.put(table.tape_id, "mono", file.getvalue()), table.room.clock()))


def signed_out(table: Table) -> None:
    assert table.ada.browser.post("/account/sign-out-everywhere").status_code == 303


def withdrawn(table: Table) -> None:
    assert table.interviewer.browser.post(f"/tapes/{table.tape_id}/withdraw", {"sure": "yes"}).status_code == 303


def masked(table: Table) -> None:
    ben = table.ben.begin()
    for number in ("u0001", "u0002"):
        words = next(utterance for utterance in ben.state()["utterances"] if utterance["id"] == number)["words"]
        answer = ben.correct("mask", number, {"words": [word["id"] for word in words], "on": True})
        assert answer.json() == {"refused": []}


@pytest.mark.parametrize("ended", [signed_out, withdrawn, masked])
def test_what_was_asked_for_before_ends_within_seconds(table: Table, ended: Callable[[Table], None]) -> None:
    longer(table)
    cookie = f"{SESSION}={table.ada.browser.client.cookies[SESSION]}"
    _, port = table.room.addressed()
    with serving(table.room.app, port), socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)  # what is on its way is little
        wire.settimeout(30)
        wire.connect(("127.0.0.1", port))
        head = f"GET /tapes/{table.tape_id}/sound HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        wire.sendall(f"{head}Connection: close\r\n\r\n".encode())
        heard = wire.recv(1 << 12)
        ended(table)
        while block := wire.recv(1 << 16):
            heard += block
    head, _, content = heard.partition(b"\r\n\r\n")
    assert b" 206 " in head.splitlines()[0]
    assert f"bytes 0-{MAX_SECONDS * SECOND - 1}/{HEADER_BYTES + MINUTES * 60 * SECOND}".encode() in head
    assert len(content) == MAX_SECONDS * SECOND


def heard(coder: Coder, low: int, high: int) -> int:
    """The loudest sample between two moments, in ms."""
    header = {"Range": f"bytes={HEADER_BYTES + 32 * low}-{HEADER_BYTES + 32 * high - 1}"}
    answer = coder.browser.get(f"/tapes/{coder.tape_id}/sound", headers=header)
    return int(np.abs(np.frombuffer(answer.content, "<i2").astype(int)).max()) if answer.status_code == 206 else -1


def test_each_piece_asks_for_session_consent_and_masks_anew(table: Table) -> None:
    ben = table.ben.begin()
    word = ben.state()["utterances"][0]["words"][0]
    low, high = word["start"], word["end"]
    assert heard(table.ada, low, high) > 0
    assert ben.correct("mask", "u0001", {"words": [word["id"]], "on": True}).json() == {"refused": []}
    assert heard(table.ada, low, high) == 0
    signed_out(table)
    assert heard(table.ada, low, high) == -1
    assert heard(table.ben, low, high) == 0
    withdrawn(table)
    assert heard(table.ben, low, high) == -1


def test_a_recording_that_is_not_handed_in_yet_comes_in_seconds_too(room: Room) -> None:
    sender = Sender(room)
    tape, whole = sender.draft(), sound(60.0)
    assert sender.put(tape, 0, whole, len(whole)).json()["done"]
    answer = sender.browser.get(f"/tapes/{tape}/part/sound")
    assert (answer.status_code, len(answer.content)) == (206, len(whole) * MAX_SECONDS // 60)
