"""Encrypted files read like plain ones from anywhere, and any change to them is noticed."""

from __future__ import annotations

import io
import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tapes.vault.encrypted_file import FRAME, TAG, DecryptingReader, FileLabel, Written, write

KEY, LABEL = bytes(range(32)), FileLabel("tape1", "mono", b"0123456789abcdef")
HEADER = len(LABEL.header())
SIZES = [0, 1, 100, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 17]


class RefusedError(Exception):
    pass


def content(size: int) -> bytes:
    """Bytes that differ from frame to frame and within a frame."""
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]


def encrypted(size: int, label: FileLabel = LABEL, key: bytes = KEY) -> bytes:
    target = io.BytesIO()
    assert write(io.BytesIO(content(size)), target, key, label).size == size
    return target.getvalue()


def opened(path: Path, sealed: bytes, label: FileLabel = LABEL, key: bytes = KEY) -> DecryptingReader:
    path.write_bytes(sealed)
    return DecryptingReader(path.open("rb"), key, label, RefusedError)


def refused(path: Path, sealed: bytes, label: FileLabel = LABEL, key: bytes = KEY) -> bool:
    """Whether a file is refused, and at the first byte where its length is wrong."""
    path.write_bytes(sealed)
    with path.open("rb") as file:
        try:
            DecryptingReader(file, key, label, RefusedError).readall()
        except RefusedError:
            return True
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("frames") / "file"


@pytest.mark.parametrize("size", SIZES)
def test_what_is_written_is_read(folder: Path, size: int) -> None:
    sealed = encrypted(size)
    assert len(sealed) == HEADER + size + TAG * max(1, -(-size // FRAME))
    with opened(folder, sealed) as reader:
        assert reader.size == size
        assert reader.readall() == content(size)
        assert reader.read(1) == b""


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from(SIZES),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(0, 2 * FRAME)),
            st.tuples(st.just("set"), st.integers(0, 4 * FRAME)),
            st.tuples(st.just("by"), st.integers(-FRAME, FRAME)),
            st.tuples(st.just("end"), st.integers(-FRAME, 10)),
        ),
        max_size=12,
    ),
)
def test_reader_does_what_a_file_does(folder: Path, size: int, steps: list[tuple[str, int]]) -> None:
    plain = io.BytesIO(content(size))
    with opened(folder, encrypted(size)) as reader:
        for what, amount in steps:
            if what == "read":
                assert reader.read(amount) == plain.read(amount)
            else:
                whence = {"set": os.SEEK_SET, "by": os.SEEK_CUR, "end": os.SEEK_END}[what]
                base = {"set": 0, "by": plain.tell(), "end": size}[what]
                if base + amount < 0:
                    with pytest.raises(ValueError, match="^cannot seek before the beginning$"):
                        reader.seek(amount, whence)
                else:
                    assert reader.seek(amount, whence) == plain.seek(amount, whence)
            assert reader.tell() == plain.tell()


class Dripping(io.BytesIO):
    """A network stream: hands over less than it is asked for."""

    def read(self, size: int = -1, /) -> bytes:
        return super().read(min(size, 1000))


def test_a_dripping_source_makes_the_same_file() -> None:
    target = io.BytesIO()
    write(Dripping(content(3 * FRAME + 17)), target, KEY, LABEL)
    assert target.getvalue() == encrypted(3 * FRAME + 17)


class Growing:
    """A file that somebody goes on writing: its end is none for long."""

    def __init__(self) -> None:
        self.pieces = [content(100), b"", content(50), b""]

    def read(self, _: int, /) -> bytes:
        return self.pieces.pop(0)


def test_what_comes_after_the_end_of_a_source_is_left_out(folder: Path) -> None:
    target = io.BytesIO()
    assert write(Growing(), target, KEY, LABEL).size == 100
    assert target.getvalue() == encrypted(100)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), size=st.sampled_from(SIZES))
def test_any_flipped_bit_is_noticed(folder: Path, data: st.DataObject, size: int) -> None:
    sealed = bytearray(encrypted(size))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert refused(folder, bytes(sealed))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.sampled_from(SIZES))
def test_any_cut_is_noticed_before_the_first_byte(folder: Path, data: st.DataObject, size: int) -> None:
    sealed = encrypted(size)
    start = data.draw(st.integers(0, len(sealed) - 1))
    end = data.draw(st.integers(start + 1, len(sealed)))
    with pytest.raises(RefusedError):
        opened(folder, sealed[:start] + sealed[end:]).close()


def frames(sealed: bytes) -> list[bytes]:
    body = sealed[HEADER:]
    return [body[start : start + FRAME + TAG] for start in range(0, len(body), FRAME + TAG)]


@pytest.mark.parametrize(
    "order", [[1, 0, 2, 3], [0, 2, 1, 3], [0, 0, 2, 3], [0, 1, 3], [0, 1, 2, 3, 3], [3], [0, 1, 2]]
)
def test_frames_out_of_order_repeated_dropped_or_appended_are_noticed(folder: Path, order: list[int]) -> None:
    sealed = encrypted(3 * FRAME + 17)
    parts = frames(sealed)
    assert not refused(folder, sealed[:HEADER] + b"".join(parts))
    assert refused(folder, sealed[:HEADER] + b"".join(parts[number] for number in order))


OTHERS = [
    FileLabel("tape2", "mono", LABEL.file_id),
    FileLabel("tape1", "peaks", LABEL.file_id),
    FileLabel("tape1", "mono", bytes(16)),
]


@pytest.mark.parametrize("other", OTHERS)
def test_a_frame_or_file_from_elsewhere_is_noticed_even_under_one_key(folder: Path, other: FileLabel) -> None:
    mine, theirs = encrypted(2 * FRAME), encrypted(2 * FRAME, other)
    assert refused(folder, theirs)  # put in the folder of this file
    assert refused(folder, mine[:HEADER] + theirs[len(other.header()) :])  # under this file's header
    first, second = frames(mine)[0], theirs[len(other.header()) :][FRAME + TAG :]
    assert refused(folder, mine[:HEADER] + first + second)  # one frame of it


def test_another_key_opens_nothing(folder: Path) -> None:
    assert refused(folder, encrypted(100), key=bytes(32))


def test_a_file_that_is_removed_while_it_is_read_goes_silent(folder: Path) -> None:
    with opened(folder, encrypted(2 * FRAME)) as reader:
        assert reader.read(10) == content(10)
        folder.unlink()
        with pytest.raises(RefusedError, match="^was destroyed while it was being read$"):
            reader.read(10)


def test_nothing_of_the_plaintext_is_in_the_file_and_no_two_files_are_alike() -> None:
    target, other = io.BytesIO(), io.BytesIO()
    write(io.BytesIO(b"a phrase that was said" * 10_000), target, KEY, LABEL)
    write(io.BytesIO(b"a phrase that was said" * 10_000), other, KEY, FileLabel("tape1", "mono", bytes(16)))
    assert b"phrase" not in target.getvalue()
    seen = {target.getvalue()[HEADER + start : HEADER + start + 16] for start in range(0, 200_000, 16)}
    assert not seen & {other.getvalue()[HEADER + start : HEADER + start + 16] for start in range(0, 200_000, 16)}


@pytest.mark.parametrize(
    "label", [FileLabel("", "mono", bytes(16)), FileLabel("tape1", "x" * 256, bytes(16)), FileLabel("a", "b", b"")]
)
def test_a_label_that_does_not_fit_is_refused(label: FileLabel) -> None:
    with pytest.raises(ValueError, match="label"):
        label.header()


def test_closed_reader_reads_nothing(folder: Path) -> None:
    reader = opened(folder, encrypted(10))
    reader.close()
    with pytest.raises(ValueError, match="^the file is closed$"):
        reader.read(1)


FIXED = bytes.fromhex(
    "5441504500010001000030313233343536373839616263646566057461706531046d6f6e6f"
    "5c06f7b2d745adaf0f4e9331a67b680c3fc32e8293bfc2ea97aeb30e74"
)
"""A file as version 1 wrote it: it must open for ever."""


def test_a_file_of_then_opens_and_is_what_is_written_now(folder: Path) -> None:
    with opened(folder, FIXED) as reader:
        assert reader.readall() == b"what was said"
    target = io.BytesIO()
    written = write(io.BytesIO(b"what was said"), target, KEY, LABEL)
    assert target.getvalue() == FIXED
    assert (written.size, written.sha256) == (13, "198e83a8606650902ea53e000a7a826e5fe1cb4d171fd4e358a19ecf05e8de59")


@pytest.mark.parametrize("size", [0, 65536, 131089])
def test_a_file_of_several_frames_is_put_together_as_it_is_described(size: int) -> None:
    plain = content(size)
    header = b"TAPE" + b"\x00\x01" + b"\x00\x01\x00\x00" + LABEL.file_id + b"\x05tape1" + b"\x04mono"
    key = HKDF(SHA256(), 32, LABEL.file_id, b"tape-review frames 1" + header).derive(KEY)
    parts = [plain[start : start + 65536] for start in range(0, size, 65536)] or [b""]
    sealed = header
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        bound = header + number.to_bytes(8, "big") + bytes([is_last]) + (size if is_last else 0).to_bytes(8, "big")
        sealed += AESGCM(key).encrypt(number.to_bytes(12, "big"), part, bound)
    assert encrypted(size) == sealed


@pytest.mark.parametrize("length", [0, 1, 255, 256])
@pytest.mark.parametrize("part", ["tape", "kind"])
def test_a_label_has_1_to_255_bytes_of_tape_and_kind(folder: Path, part: str, length: int) -> None:
    label = (
        FileLabel("x" * length, "mono", bytes(16)) if part == "tape" else FileLabel("tape1", "x" * length, bytes(16))
    )
    if length in (1, 255):
        with opened(folder, encrypted(10, label), label) as reader:
            assert reader.readall() == content(10)
        return
    with pytest.raises(ValueError, match="^a label needs an id of 16 bytes, a tape and a kind of 1 to 255 bytes$"):
        label.header()


@pytest.mark.parametrize("length", [15, 17])
def test_an_id_has_16_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="an id of 16 bytes"):
        FileLabel("tape1", "mono", bytes(length)).header()


def test_a_reader_is_readable_seekable_and_closed_after_closing(folder: Path) -> None:
    reader = opened(folder, encrypted(10))
    assert (reader.readable(), reader.seekable(), reader.writable(), reader.closed) == (True, True, False, False)
    file = reader._file
    reader.close()
    assert reader.closed
    assert file.closed
    assert reader._held is None


def test_a_reader_cannot_seek_before_the_beginning_and_reads_nothing_beyond_the_end(folder: Path) -> None:
    with opened(folder, encrypted(10)) as reader:
        assert reader.seek(0) == 0
        assert reader.seek(-10, os.SEEK_END) == 0
        with pytest.raises(ValueError, match="^cannot seek before the beginning$"):
            reader.seek(-1)
        assert reader.seek(10) == 10
        assert reader.read(1) == b""


def test_what_is_wrong_with_a_file_is_told(folder: Path) -> None:
    sealed = encrypted(100)
    with pytest.raises(RefusedError, match="^was cut$"):
        opened(folder, sealed[: HEADER + TAG - 1])
    with pytest.raises(RefusedError, match="^is not the file that is expected here$"):
        opened(folder, b"X" + sealed[1:])
    with pytest.raises(RefusedError, match="^was altered, cut or encrypted with another key$"):
        opened(folder, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_frame_that_was_altered_after_opening_is_told_when_it_is_read(folder: Path) -> None:
    sealed = encrypted(2 * FRAME)
    with opened(folder, sealed) as reader:
        with folder.open("r+b") as file:
            file.seek(HEADER)
            file.write(bytes([sealed[HEADER] ^ 1]))
        with pytest.raises(RefusedError, match="^was altered, cut or encrypted with another key$"):
            reader.read(1)


def test_a_label_and_what_was_written_are_values_that_nobody_changes() -> None:
    assert len({LABEL, FileLabel("tape1", "mono", LABEL.file_id)}) == 1
    assert len({Written(1, "a"), Written(1, "a")}) == 1
    with pytest.raises(FrozenInstanceError):
        LABEL.kind = "peaks"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Written(1, "a").size = 2  # type: ignore[misc]
