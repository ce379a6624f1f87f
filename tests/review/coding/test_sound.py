"""The sound over HTTP: ranges as players ask for them, from the encrypted file, silent where a name is masked."""

from __future__ import annotations

import io
import struct
from itertools import pairwise

import numpy as np
import soundfile
from sqlalchemy import select

from pipeline.review.coding.sound import HEADER_BYTES
from pipeline.tapes.db.records import AuditRow, Item
from tests.review.coding.conftest import Coder, Table

MINUTE = 60 * 16_000 * 2


def get(coder: Coder, header: str | None = None, method: str = "GET"):
    headers = {"Range": header} if header else {}
    return coder.browser.client.request(method, f"/tapes/{coder.tape_id}/sound", headers=headers)


def whole(coder: Coder) -> bytes:
    """The sound as a player has it in the end: piece by piece."""
    sound, size = b"", HEADER_BYTES + MINUTE
    while len(sound) < size:
        answer = get(coder, f"bytes={len(sound)}-")
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-range"] == f"bytes {len(sound)}-{len(sound) + len(answer.content) - 1}/{size}"
        sound += answer.content
    return sound


def test_the_whole_is_a_wav_file(table: Table) -> None:
    samples, rate = soundfile.read(io.BytesIO(whole(table.ada)), dtype="int16")
    assert (rate, len(samples)) == (16_000, MINUTE // 2)
    with table.room.home.database.reading() as session:
        item = session.scalars(select(Item).where(Item.kind == "mono")).one()
        original, _ = soundfile.read(io.BytesIO(table.room.home.vault.read(item)), dtype="int16")
    assert np.array_equal(samples, original)


def test_the_parts_make_the_whole(table: Table) -> None:
    sound = whole(table.ada)
    offsets = [0, 1, 43, 44, 45, 46, 99_999, 100_000, *range(300_001, 1_900_000, 250_000), len(sound)]
    parts = [get(table.ada, f"bytes={low}-{high - 1}") for low, high in pairwise(offsets)]
    assert {answer.status_code for answer in parts} == {206}
    assert b"".join(answer.content for answer in parts) == sound
    assert parts[3].headers["content-range"] == f"bytes 44-44/{len(sound)}"
    assert parts[3].headers["content-length"] == "1"


def test_only_the_head_is_asked_for(table: Table) -> None:
    answer = get(table.ada, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(HEADER_BYTES + MINUTE)


def test_beyond_the_end_there_is_nothing(table: Table) -> None:
    answer = get(table.ada, f"bytes={HEADER_BYTES + MINUTE}-")
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{HEADER_BYTES + MINUTE}"


def test_what_was_played_stands_in_the_audit(table: Table) -> None:
    second = 32_000
    get(table.ada, f"bytes={HEADER_BYTES + 10 * second}-{HEADER_BYTES + 12 * second - 1}")
    with table.room.home.database.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "tape.play")).one()
    assert (row.span_start, row.span_end, row.actor_id) == (10_000, 12_000, table.ada_id)


def test_a_masked_name_is_silent_for_all_but_the_interviewer(table: Table) -> None:
    ada = table.ada.begin()
    word = ada.state()["utterances"][0]["words"][1]
    assert ada.correct("mask", "u0001", {"words": [word["id"]], "on": True}).json() == {"refused": []}
    low, high = (HEADER_BYTES + 32 * time for time in (word["start"], word["end"]))

    def heard(coder: Coder) -> int:
        content = get(coder, f"bytes={low}-{high - 1}").content
        return max(abs(value) for (value,) in struct.iter_unpack("<h", content))

    assert heard(table.ben) == 0
    assert heard(ada) == 0
    assert heard(table.interviewer) > 1000
    drawn = table.ben.browser.get(f"/tapes/{table.tape_id}/peaks").content
    stretch = slice(word["start"] // 50 + 1, word["end"] // 50)
    assert set(drawn[stretch]) <= {0}
    assert max(table.interviewer.browser.get(f"/tapes/{table.tape_id}/peaks").content[stretch]) > 0
    shown = table.ben.begin().state()["utterances"][0]["words"][1]
    assert shown["masked"]
    assert word["text"] not in str(table.ben.state()["utterances"][0]["words"][1])
    # Whoever corrects the bar away, or turns the mask off, hears no more than before.
    table.ben.correct("text", "u0001", {"replace": [word["id"]], "after": None, "with": []})
    assert heard(table.ben) == 0
    answer = table.ben.correct("mask", "u0001", {"words": [word["id"]], "on": False})
    assert answer.json()["refused"]
    assert heard(table.ben) == 0
