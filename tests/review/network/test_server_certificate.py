"""A certificate that is renewed while the server runs."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from pipeline.errors import ReviewError
from pipeline.review.network import authority
from pipeline.review.network.authority import RENEWED, SERVER_LASTS, Authority
from pipeline.review.network.server_certificate import FromFiles, SignedHere, kept_fresh
from pipeline.tapes.home import Home

NOW = 1_800_000_000_000


def written(signer: Authority, folder: Path, name: str = "ada.local") -> tuple[Path, Path]:
    certificate, key = signer.issue([name], NOW)
    chain, key_file = folder / "chain.pem", folder / "key.pem"
    chain.write_text(authority.pem(certificate))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, key_file


def test_it_is_renewed_before_its_end_and_when_the_computer_moves(home: Home) -> None:
    names = ["192.168.1.5"]
    certificate = SignedHere(Authority.of(home, NOW), lambda: tuple(names), NOW)
    first = certificate.context
    assert not certificate.refresh(NOW + SERVER_LASTS - RENEWED - 1)
    assert certificate.context is first
    assert certificate.refresh(NOW + SERVER_LASTS - RENEWED)
    second = certificate.context
    assert second is not first
    names.append("8.8.8.8")  # no name that it could sign for
    assert not certificate.refresh(NOW + SERVER_LASTS - RENEWED)
    names[0] = "192.168.7.7"
    assert certificate.refresh(NOW + SERVER_LASTS - RENEWED)


def test_files_are_read_again_when_they_change_and_the_last_good_ones_serve(home: Home, tmp_path: Path) -> None:
    signer = Authority.of(home, NOW)
    chain, key = written(signer, tmp_path)
    certificate = FromFiles(chain, key)
    first = certificate.context
    assert not certificate.refresh(NOW)
    chain.write_text("half a certificate")
    with pytest.raises(ReviewError, match="TR-R12"):
        certificate.refresh(NOW)
    assert certificate.context is first
    written(signer, tmp_path)
    assert certificate.refresh(NOW)
    assert certificate.context is not first


@pytest.mark.parametrize("what", ["missing", "foreign key", "locked key", "text"])
def test_files_that_make_no_certificate_are_refused(home: Home, tmp_path: Path, what: str) -> None:
    signer = Authority.of(home, NOW)
    chain, key = written(signer, tmp_path)
    if what == "missing":
        key.unlink()
    elif what == "text":
        chain.write_text("no certificate")
    else:
        locked = serialization.BestAvailableEncryption(b"secret") if "lock" in what else serialization.NoEncryption()
        key.write_bytes(
            signer.issue(["ada.local"], NOW)[1].private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
            )
        )
    with pytest.raises(ReviewError, match=r"TR-R12 certificate .*chain.pem cannot be used .*certificate_key_file"):
        FromFiles(chain, key)


class Failing:
    """A certificate that cannot be renewed the first time."""

    context: ssl.SSLContext

    def __init__(self) -> None:
        self.looks = 0

    def refresh(self, now: int) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise ReviewError("R12", "certificate", "cannot be used", "mend it")
        return True


def test_what_fails_once_is_tried_again() -> None:
    certificate, renewed = Failing(), threading.Event()
    with kept_fresh(certificate, lambda: NOW, renewed.set, every=0.001):
        assert renewed.wait(30)
    assert certificate.looks >= 2
