"""The parent's side of the decoder: whatever the decoder's process does, the error has a code."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.audio import decoder, source_bytes
from pipeline.audio.sniff import MP4, WEBM
from pipeline.audio.source_bytes import SourceBytes
from pipeline.errors import AudioError
from pipeline.run.progress import ignore

pytestmark = pytest.mark.usefixtures("cold_children")


def _decode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str, seconds: int = 5) -> AudioError:
    """The error that comes of a decoder that runs ``entry`` once it is ready."""
    monkeypatch.setattr(decoder, "_ENTRY", READY + entry)
    path = tmp_path / "sound"
    path.write_bytes(b"sound")
    request = decoder.DecodeRequest(MP4.key, 0, 5, (), 0, 1000, seconds, 400 << 20)
    with source_bytes.opened(path) as source, pytest.raises(AudioError) as caught:
        assert source
        decoder.decode(source, request, "recording x", ignore)
    return caught.value


READY = """
import os, time
from multiprocessing.connection import Connection
p = Connection(os.dup(1))
p.send_bytes(b'J{"ready": true}')
"""
FORMAT = """
p.send_bytes(b'J{"tracks": []}')
p.send_bytes(b'J{"format": {"codec": "x", "sample_rate": 16000, "channels": 1, "declared": null}}')
"""


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("os.abort()", "TR-A15"),
        ("os.kill(os.getpid(), 11)", "TR-A15"),
        ("os._exit(0)", "TR-A15"),
        ("os.kill(os.getpid(), 24)", "TR-A14"),
        ("time.sleep(60)", "TR-A14"),
        (FORMAT + "[p.send_bytes(b'S' + bytes(60_000)) for _ in range(100)]", "TR-A15"),
        ("p.send_bytes(bytes(2_000_000))", "TR-A15"),
        ("p.send_bytes(b'Jnonsense'); time.sleep(60)", "TR-A15"),
        ("p.send_bytes(b'J{}')", "TR-A15"),
        ('p.send_bytes(b\'J{"refused": ["A99", "", ""]}\')', "TR-A15"),
        ("p.send_bytes(b'J{\"refused\": 5}')", "TR-A15"),
    ],
)
def test_a_decoder_that_dies_hangs_or_raves_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, entry: str, code: str
) -> None:
    monkeypatch.setattr(decoder, "STALL_SECONDS", 1.0)
    assert _decode(monkeypatch, tmp_path, entry).code == code


def test_a_decoder_that_never_ends_is_stopped_by_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = FORMAT + "[(p.send_bytes(b'S'), time.sleep(0.05)) for _ in range(10_000)]"
    assert _decode(monkeypatch, tmp_path, entry, seconds=1).code == "TR-A14"


def test_a_decoder_that_cannot_start_is_our_mistake_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decoder, "_ENTRY", "import no_such_module")
    request = decoder.DecodeRequest(MP4.key, 0, 5, (), 0, 1000, 5, 400 << 20)
    source = SourceBytes(0, lambda offset, count: b"")
    with pytest.raises(RuntimeError, match="no_such_module"):
        decoder.decode(source, request, "recording x", ignore)


def test_the_decoder_inherits_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    entry = 'import json; p.send_bytes(b"J" + json.dumps({"refused": ["A05", " ".join(os.environ), ""]}).encode())'
    error = _decode(monkeypatch, tmp_path, entry)
    assert "SECRET" not in error.value
    assert "OMP_NUM_THREADS" in error.value


def test_every_sound_track_is_named_and_each_is_decoded_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "x.mkv"
    with av.open(path, "w", format="matroska") as container:
        streams = [container.add_stream("pcm_s16le", rate=16_000, layout="mono") for _ in range(2)]
        for stream, title in zip(streams, ("room", "remote"), strict=True):
            stream.metadata["title"] = title
        for stream, value in zip(streams, (8_000, -4_000), strict=True):
            frame = av.AudioFrame.from_ndarray(np.full((1, 32_000), value, np.int16), format="s16", layout="mono")
            frame.sample_rate = 16_000
            container.mux(stream.encode(frame))
    for track, value in enumerate((8_000, -4_000)):
        request = decoder.DecodeRequest(WEBM.key, 0, path.stat().st_size, (), 0, 2_000, 30, 2 << 30, track)
        with source_bytes.opened(path) as source:
            assert source
            decoded = decoder.decode(source, request, "recording x", ignore)
        assert [(track.title, track.channels) for track in decoded.tracks] == [("room", 1), ("remote", 1)]
        assert decoded.samples.shape == (1, 32_000)
        assert set(decoded.samples[0]) == {value / 32_768}
