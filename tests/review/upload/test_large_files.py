"""Large recordings: neither memory nor disk grows with what is not needed of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.review.upload import chunked_uploads
from pipeline.tapes.vault.vault import StoredItem, Vault
from tests.review.conftest import Room
from tests.review.upload.test_chunked_uploads import Sender, sound, stored

ROOT = Path(__file__).parents[3]

LOOKED_OVER_AND_CUT = """
import json, resource, struct, sys
from pathlib import Path
import numpy as np
from pipeline import settings
from pipeline.audio import recording
from pipeline.audio.file_layout import ONE_FILE
from pipeline.review.upload import surveys
from pipeline.tapes.vault.joined_items import JoinedItems
from pipeline.tapes.vault.master_key import Ring
from pipeline.tapes.vault.vault import Vault

size, vault = int(sys.argv[2]) * 1_000_000, Vault(Path(sys.argv[1]), Ring.fresh())
vault.create_key("tape")
form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16)
head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
noise = np.random.default_rng(1).normal(0, 3000, 2_000_000).astype("<i2").tobytes()
blocks = [(at, (b"" if at else head) + noise[: size - at]) for at in range(0, size, len(noise))]
pieces = [vault.put("tape", f"piece@{at}", block) for at, block in blocks]
audio = settings.load().settings.audio
with JoinedItems(vault, pieces) as whole:
    survey = surveys.of_files([whole], ONE_FILE, None, audio).survey
    seen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cut = recording.decode(whole, audio, 20_000, 50_000)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([survey.duration, cut.duration, seen / 1024, *(used / 1024 for used in peak)]))
"""


def test_memory_does_not_grow_with_a_recording_that_is_looked_over_and_cut(tmp_path: Path) -> None:
    """30 and 300 MB of 192,000 bytes a second: 2 minutes 36 s, and 26 minutes."""
    runs = []
    for megabytes in (30, 300):
        command = [sys.executable, "-c", LOOKED_OVER_AND_CUT, str(tmp_path / str(megabytes)), str(megabytes)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        runs.append(json.loads(result.stdout))
    small, large = runs
    assert (small[:2], large[:2]) == ([156_250, 30_000], [1_562_500, 30_000])
    grown = [after - before for before, after in zip(small[2:], large[2:], strict=True)]
    assert max(grown) < 40, f"MB: {runs}"


@pytest.fixture
def sender(room: Room) -> Sender:
    return Sender(room)


def test_the_disk_never_holds_an_upload_twice(room: Room, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    tape, whole = sender.draft(), sound(400.0)  # 12.8 MB
    held: list[int] = []

    def put(vault: Vault, *given: object) -> StoredItem:
        item = _put(vault, *given)
        held.append(sum(path.stat().st_size for path in room.home.folder.rglob("*") if path.is_file()))
        return item

    _put = Vault.put
    before = sum(path.stat().st_size for path in room.home.folder.rglob("*") if path.is_file())
    monkeypatch.setattr(Vault, "put", put)
    for at in range(0, len(whole), chunked_uploads.PIECE):
        answer = sender.put(tape, at, whole[at : at + chunked_uploads.PIECE], len(whole))
    assert answer.json()["done"]
    assert len(held) >= 4
    assert max(held) - before < 1.1 * len(whole)
    assert stored(room, tape) == whole


def test_a_piece_that_was_altered_is_no_damage_of_the_recording(room: Room, sender: Sender) -> None:
    """What the member sent is not to blame, and stays."""
    tape, whole = sender.draft(), sound(20.0)
    half = len(whole) // 2
    sender.put(tape, 0, whole[:half], len(whole))
    chunked_uploads.keep(room.home, tape, half, whole[half:], room.clock())
    path = max(room.home.vault.files(tape), key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(path.read_bytes())
    content[100_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(VaultError, match="TR-V02"):
        chunked_uploads.finish(room.home, room.app.state.context.settings.audio, tape, room.clock())
    assert len(room.home.vault.files(tape)) == 2
