"""The page on which anybody installs the room's certificate."""

from __future__ import annotations

from cryptography import x509

from pipeline.review.network.authority import Authority, fingerprint
from tests.review.conftest import Browser, Room, created


def test_nobody_signs_in_for_it_and_it_shows_the_fingerprint(room: Room) -> None:
    signer = Authority.of(room.home, room.clock())
    browser = Browser(created(room.home, room.clock))
    page = browser.get("/certificate")
    assert page.status_code == 200
    assert fingerprint(signer.certificate) in page.text
    for system in ("iPhone", "Android", "Mac", "Windows", "Linux", "Firefox"):
        assert system in page.text
    file = browser.get("/certificate/tape-review.crt")
    assert file.headers["content-type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(file.content) == signer.certificate
    assert "PRIVATE" not in file.text


def test_a_room_with_another_certificate_has_no_such_page(room: Room) -> None:
    assert room.browser().get("/certificate").status_code == 404  # none was made yet
    Authority.of(room.home, room.clock())
    elsewhere = Browser(created(room.home, room.clock, address="https://review.example.org"))
    headers = {"host": "review.example.org"}
    assert elsewhere.get("/certificate", headers=headers).status_code == 404
    assert elsewhere.get("/certificate/tape-review.crt", headers=headers).status_code == 404
