"""Hostile and broken files: each refused with its code, quickly, and without touching anything else."""

import io
import os
import stat
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import FormatError
from pipeline.formats import safe_reader
from pipeline.formats.safe_reader import Source

DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE a [%s]><a>&x;</a>'
LAUGHS = b'<!ENTITY l0 "ha">' + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def lying() -> bytes:
    """An archive whose headers call 40 MB of zeros 10 bytes: no more are unpacked, and their checksum is wrong."""
    data = bytearray(zipped(("a.txt", bytes(40_000_000))))
    for signature, field in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = data.find(signature) + field
        data[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(data)


def encrypted() -> bytes:
    data = bytearray(zipped(("a.txt", b"secret")))
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


HOSTILE: list[tuple[str, Callable[[Source], object], bytes, str]] = [
    ("laughs", lambda source: source.xml("a"), DOCTYPE % LAUGHS.replace(b"l9 ", b"x "), "TR-F04"),
    ("external", lambda source: source.xml("a"), DOCTYPE % b'<!ENTITY x SYSTEM "file:///etc/passwd">', "TR-F04"),
    ("parameter", lambda source: source.xml("a"), DOCTYPE % b'<!ENTITY % x SYSTEM "http://127.0.0.1:9/">', "TR-F04"),
    ("doctype", lambda source: source.xml("a"), b'<!DOCTYPE a SYSTEM "a.dtd"><a/>', "TR-F04"),
    ("utf-16 doctype", lambda source: source.xml("a"), "<!DOCTYPE a><a/>".encode("utf-16"), "TR-F04"),
    ("undeclared entity", lambda source: source.xml("a"), b"<a>&x;</a>", "TR-F03"),
    ("deep", lambda source: source.xml("a"), b"<a>" * 200_000, "TR-F02"),
    ("wide", lambda source: source.xml("a"), b"<a>" + b"<b/>" * 200_000, "TR-F02"),
    ("unclosed", lambda source: source.xml("a"), b"<a><b></a>", "TR-F03"),
    ("wrong root", lambda source: source.xml("a"), b"<html/>", "TR-F03"),
    ("no XML", lambda source: source.xml("a"), b"\x89PNG\r\n", "TR-F03"),
    ("NUL in XML", lambda source: source.xml("a"), b"<a>\0</a>", "TR-F03"),
    ("empty XML", lambda source: source.xml("a"), b"", "TR-F03"),
    ("unknown encoding", lambda source: source.xml("a"), b'<?xml version="1.0" encoding="x"?><a/>', "TR-F03"),
    ("deep JSON", Source.json, b"[" * 2_000_000, "TR-F02"),
    ("deep objects", Source.json, b'{"a":' * 1_000_000, "TR-F02"),
    ("no JSON", Source.json, b"{'a': 1}", "TR-F03"),
    ("NaN", Source.json, b"[NaN]", "TR-F03"),
    ("long number", Source.json, b"9" * 100_000, "TR-F03"),
    ("Latin-1", Source.text, b"caf\xe9", "TR-F06"),
    ("NUL", Source.text, b"a\0b", "TR-F06"),
    ("half UTF-16", Source.text, b"\xff\xfea\0b", "TR-F06"),
    ("slip", Source.members, zipped(("../../etc/cron.d/x", b"")), "TR-F05"),
    ("absolute", Source.members, zipped(("/etc/passwd", b"")), "TR-F05"),
    ("backslashes", Source.members, zipped(("..\\..\\x", b"")), "TR-F05"),
    ("drive", Source.members, zipped(("C:/x", b"")), "TR-F05"),
    ("link", Source.members, zipped((link(), b"/etc/passwd")), "TR-F05"),
    ("encrypted", Source.members, encrypted(), "TR-F05"),
    ("bomb", Source.members, zipped(("a.txt", bytes(40_000_000))), "TR-F05"),
    ("lying bomb", Source.members, lying(), "TR-F03"),
    ("thousand to one", Source.members, zipped(("a.txt", bytes(15_000_000))), "TR-F05"),
    ("bombs", Source.members, zipped(*((f"{n}.txt", bytes(1_000_000)) for n in range(20))), "TR-F05"),
    ("many", Source.members, zipped(*((str(n), b"") for n in range(1001))), "TR-F02"),
    ("cut archive", Source.members, zipped(("a.txt", b"a" * 1000))[:60], "TR-F03"),
    ("spoiled archive", Source.members, zipped(("a.txt", b"a" * 1000)).replace(b"K", b"k", 3), "TR-F03"),
    ("no archive", Source.members, b"PK", "TR-F03"),
]


@pytest.mark.parametrize(("take", "data", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_file_is_refused_soon_and_in_little_memory(
    take: Callable[[Source], object], data: bytes, code: str
) -> None:
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(FormatError) as caught:
        take(Source("hostile.bin", data))
    spent, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == code
    assert "hostile.bin" in str(caught.value)
    assert spent < 5
    assert peak < 100_000_000


def test_two_members_of_one_name_are_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.txt", b"one"), ("a.txt", b"two"))
    with pytest.raises(FormatError, match="TR-F05 .* two files with the same name"):
        Source("a.zip", data).members()


def test_a_sound_archive_is_unpacked_in_memory(tmp_path: Path) -> None:
    data = zipped(("project.qde", b"<Project/>"), ("sources/a.txt", b"a" * 900))
    result = Source("a.qdpx", data).members()
    assert {name: len(member.data) for name, member in result.items()} == {"project.qde": 10, "sources/a.txt": 900}
    assert list(tmp_path.iterdir()) == []


def test_xml_keeps_texts_and_drops_namespaces() -> None:
    data = b'<a xmlns="urn:x" xmlns:p="urn:p"><p:b p:c="1">&lt;&#228;</p:b>tail<?pi?><!-- no --></a>'
    (inner,) = Source("a.xml", data).xml("a")
    assert (inner.tag, inner.attrib, inner.text, inner.tail) == ("b", {"c": "1"}, "<ä", "tail")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_by_its_byte_order_mark(encoding: str) -> None:
    assert Source("a.txt", "mm-hm, ä\n".encode(encoding)).text() == "mm-hm, ä\n"


def test_what_is_no_regular_file_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.eaf"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "none.eaf", Path("/dev/zero")):
        with pytest.raises(FormatError, match="TR-F01"):
            Source.open(path)


def test_a_file_over_the_limit_is_refused_without_being_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
    with pytest.raises(FormatError, match="TR-F02 file big.json is larger than 16 MB"):
        Source.open(path)
    monkeypatch.setattr(safe_reader, "LIMIT", 3)
    path.write_bytes(b"1234")
    with pytest.raises(FormatError, match="TR-F02"):
        Source.open(path)
    path.write_bytes(b"123")
    assert Source.open(path) == Source("big.json", b"123")
