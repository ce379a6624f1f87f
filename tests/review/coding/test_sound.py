"""The sound over HTTP: ranges as players ask for them, from the encrypted file, silent where a name is masked."""

from __future__ import annotations

import io
import socket
import struct
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from sqlalchemy import select

from pipeline.review.access.viewer import SESSION
from pipeline.review.coding.sound import HEADER, PIECE, Part, RangeError, part
from pipeline.tapes.bench import item_row
from pipeline.tapes.records import AuditRow, Item
from tests.review.coding.conftest import Coder, Table
from tests.review.coding.server import free_port, serving

MINUTE = 60 * 16_000 * 2


def get(coder: Coder, header: str | None = None, method: str = "GET"):
    headers = {"Range": header} if header else {}
    return coder.browser.client.request(method, f"/tapes/{coder.tape_id}/sound", headers=headers)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", Part(0, 9)),
        ("bytes=90-", Part(90, 99)),
        ("bytes=-5", Part(95, 99)),
        ("bytes=-500", Part(0, 99)),
        ("bytes=0-500", Part(0, 99)),
        ("bytes=0-1,5-6", None),
        ("lines=0-9", None),
        ("bytes=-", None),
        ("bytes=x-y", None),
    ],
)
def test_a_range_is_read_as_the_standard_says(header: str | None, expected: Part | None) -> None:
    assert part(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=9-3", "bytes=-0"])
def test_a_range_beyond_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeError):
        part(header, 100)


def test_one_answer_holds_a_piece_at_most() -> None:
    assert part("bytes=10-", 10**9) == Part(10, PIECE + 9)


def test_the_whole_is_a_wav_file(table: Table) -> None:
    answer = get(table.ada)
    assert answer.status_code == 200
    assert answer.headers["accept-ranges"] == "bytes"
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    assert (rate, len(samples)) == (16_000, MINUTE // 2)
    with table.room.home.database.reading() as session:
        item = session.scalars(select(Item).where(Item.kind == "mono")).one()
        original, _ = soundfile.read(io.BytesIO(table.room.home.vault.read(item)), dtype="int16")
    assert np.array_equal(samples, original)


def test_the_parts_make_the_whole(table: Table) -> None:
    whole = get(table.ada).content
    places = [0, 1, 43, 44, 45, 46, 99_999, 100_000, *range(300_001, 1_900_000, 250_000), len(whole)]
    parts = [get(table.ada, f"bytes={low}-{high - 1}") for low, high in pairwise(places)]
    assert {answer.status_code for answer in parts} == {206}
    assert b"".join(answer.content for answer in parts) == whole
    assert parts[3].headers["content-range"] == f"bytes 44-44/{len(whole)}"
    assert parts[3].headers["content-length"] == "1"


def test_only_the_head_is_asked_for(table: Table) -> None:
    answer = get(table.ada, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(HEADER + MINUTE)


def test_beyond_the_end_there_is_nothing(table: Table) -> None:
    answer = get(table.ada, f"bytes={HEADER + MINUTE}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{HEADER + MINUTE}"


def test_what_was_played_stands_in_the_audit(table: Table) -> None:
    second = 32_000
    get(table.ada, f"bytes={HEADER + 10 * second}-{HEADER + 12 * second - 1}")
    with table.room.home.database.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "tape.play")).one()
    assert (row.span_start, row.span_end, row.actor_id) == (10_000, 12_000, table.ada_id)


def test_a_masked_name_is_silent_for_all_but_the_interviewer(table: Table) -> None:
    ada = table.ada.begin()
    word = ada.state()["utterances"][0]["words"][1]
    assert ada.correct("mask", "u0001", {"words": [word["id"]], "on": True}).json() == {"refused": []}
    low, high = (HEADER + 32 * time for time in (word["start"], word["end"]))

    def heard(coder: Coder) -> int:
        content = get(coder, f"bytes={low}-{high - 1}").content
        return max(abs(value) for (value,) in struct.iter_unpack("<h", content))

    assert heard(table.ben) == 0
    assert heard(ada) == 0
    assert heard(table.interviewer) > 1000
    drawn = table.ben.browser.get(f"/tapes/{table.tape_id}/peaks").content
    place = slice(word["start"] // 50 + 1, word["end"] // 50)
    assert set(drawn[place]) <= {0}
    assert max(table.interviewer.browser.get(f"/tapes/{table.tape_id}/peaks").content[place]) > 0
    shown = table.ben.begin().state()["utterances"][0]["words"][1]
    assert shown["masked"]
    assert word["text"] not in str(table.ben.state()["utterances"][0]["words"][1])
    # Whoever corrects the bar away, or turns the mask off, hears no more than before.
    table.ben.correct("text", "u0001", {"replace": [word["id"]], "after": None, "with": []})
    assert heard(table.ben) == 0
    answer = table.ben.correct("mask", "u0001", {"words": [word["id"]], "on": False})
    assert answer.json()["refused"]
    assert heard(table.ben) == 0


def test_a_transfer_under_way_ends_with_the_consent(table: Table) -> None:
    """A listener who reads slowly has heard a part when the client withdraws; nothing more comes after that."""
    home, room = table.room.home, table.room
    long = io.BytesIO()
    soundfile.write(long, np.zeros(20 * 60 * 16_000, np.int16), 16_000, format="FLAC")
    with home.database.writing() as session:
        session.delete(session.scalars(select(Item).where(Item.kind == "mono")).one())
        session.add(item_row(home.vault.put(table.tape_id, "mono", long.getvalue()), room.clock()))
    cookie = f"{SESSION}={table.ada.browser.client.cookies[SESSION]}"
    with serving(room.app, port := free_port()), socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # what is on the way is little
        wire.settimeout(30)
        wire.connect(("127.0.0.1", port))
        wire.sendall(
            f"GET /tapes/{table.tape_id}/sound HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        heard = wire.recv(1 << 16)
        assert heard.startswith(b"HTTP/1.1 200")
        assert f"content-length: {HEADER + 20 * MINUTE}".encode() in heard
        assert table.interviewer.browser.post(f"/tapes/{table.tape_id}/withdraw", {"sure": "yes"}).status_code == 303
        more = 0
        while block := wire.recv(1 << 16):
            more += len(block)
        assert more < 10 * MINUTE  # buffers of the system, some minutes at most
    assert get(table.ada).status_code == 404
