"""A certificate holds up in the hands of others: any change shows, and so does another key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import VaultError
from pipeline.tapes.retention.certificates import Signer, fingerprint, read, spelled

FACTS = {
    "tape": "tape1",
    "why": "due",
    "destroyed": 5,
    "destroyed_utc": "1970-01-01 00:00",
    "method": "by fire",
    "files": [{"kind": "mono", "bytes": 3, "sha256": "ab"}],
    "records": {"items": 1},
    "exports": {"removed": 0},
    "backups": {"not reached": 0},
}


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    (tmp_path / "keys").mkdir()
    return Signer(tmp_path / "keys" / "certificate.key")


@pytest.fixture
def path(signer: Signer, tmp_path: Path) -> Path:
    written = tmp_path / "certificate.json"
    written.write_bytes(signer.sign(FACTS).file())
    return written


def test_it_is_checked_with_and_without_the_key(path: Path, signer: Signer) -> None:
    alone, compared = read(path), read(path, signer.public_path)
    assert FACTS.items() <= alone.facts.items()
    assert (alone.known, compared.known) == (False, True)
    assert alone.fingerprint == compared.fingerprint
    assert len(alone.fingerprint.split()) == 8


def test_the_key_stays_and_is_the_owners_alone(signer: Signer, path: Path) -> None:
    before = signer.path.read_bytes()
    assert signer.path.stat().st_mode & 0o077 == 0
    signer.sign(FACTS)
    assert signer.path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts | {"destroyed": 4},
        lambda facts: facts | {"more": 1},
        lambda facts: {name: value for name, value in facts.items() if name != "why"},
        lambda facts: facts | {"files": []},
        lambda facts: facts | {"tape": "tape2"},
    ],
)
def test_any_change_shows(path: Path, change) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"certificate": change(content["certificate"])}))
    with pytest.raises(VaultError, match="TR-V11 certificate .* was altered"):
        read(path)


@given(offset=st.integers(0, 2000), bit=st.integers(0, 7))
def test_a_flipped_bit_never_passes_as_another_certificate(tmp_path_factory, offset: int, bit: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "flipped"
    (folder / "keys").mkdir(parents=True, exist_ok=True)
    path = folder / "certificate.json"
    content = bytearray(Signer(folder / "keys" / "certificate.key").sign(FACTS).file())
    content[offset % len(content)] ^= 1 << bit
    path.write_bytes(content)
    try:
        checked = read(path)
    except VaultError:
        return
    assert FACTS.items() <= checked.facts.items()  # a blank between two values, say


def test_another_key_shows_where_the_right_one_is_known(path: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "keys").mkdir(parents=True)
    other = Signer(tmp_path / "other" / "keys" / "certificate.key")
    forged = tmp_path / "forged.json"
    forged.write_bytes(other.sign(FACTS).file())
    assert not read(forged).known
    with pytest.raises(VaultError, match="TR-V12 certificate .* was signed by another key"):
        read(forged, tmp_path / "certificate-key.pub")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"certificate": {}, "signature": ""}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_certificate_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter.json"
    path.write_bytes(content)
    with pytest.raises(VaultError, match="TR-V10 certificate .* cannot be read"):
        read(path)
    with pytest.raises(VaultError, match="TR-V10 certificate .* cannot be read"):
        read(tmp_path / "missing.json")


@pytest.mark.parametrize("change", [{"files": 3}, {"records": {"items": "many"}}, {"backups": None}, {"method": 1}])
def test_what_anybody_signed_is_no_certificate_unless_it_says_what_one_says(
    tmp_path: Path, signer: Signer, change: dict[str, object]
) -> None:
    path = tmp_path / "signed.json"
    path.write_bytes(signer.sign(FACTS | change).file())
    with pytest.raises(VaultError, match="TR-V10 certificate .* lacks the contents of a certificate"):
        read(path)


def test_numbers_that_json_does_not_know_are_told(path: Path) -> None:
    path.write_text(path.read_text().replace('"destroyed": 5', '"destroyed": NaN'))
    with pytest.raises(VaultError, match="TR-V10 certificate .* cannot be read"):
        read(path)


def test_what_is_no_public_key_is_told(path: Path, signer: Signer) -> None:
    with pytest.raises(VaultError, match="TR-V10 public key"):
        read(path, path)
    with pytest.raises(VaultError, match="TR-V10 public key"):
        read(path, signer.path)


def test_a_damaged_signing_key_is_told(path: Path, signer: Signer) -> None:
    signer.path.write_text("no key")
    with pytest.raises(VaultError, match="TR-V10 signing key"):
        signer.sign(FACTS)


def test_there_is_one_spelling() -> None:
    assert spelled({"b": 1, "a": "ü"}) == '{"a":"\\u00fc","b":1}'
    with pytest.raises(ValueError, match="JSON"):
        spelled({"a": float("nan")})
    assert fingerprint(b"") == "e3b0 c442 98fc 1c14 9afb f4c8 996f b924"
