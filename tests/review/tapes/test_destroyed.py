"""The certificates of destroyed tapes reach whoever recorded the client, and nobody else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.tapes.retention import certificates, destruction
from tests.review.conftest import Browser, Room
from tests.review.peers import Peers


def links(browser: Browser) -> list[str]:
    return re.findall(r'href="(/destroyed/[0-9a-f]{16})"', browser.get("/destroyed").text)


def test_the_interviewer_reads_and_saves_the_certificate_that_the_client_is_owed(
    room: Room, peers: Peers, tmp_path: Path
) -> None:
    ada = room.signed_in(peers.ada)
    assert "/destroyed" not in ada.get("/").text
    submitted = room.clock()
    room.clock.advance(2 * 86_400_000)
    ada = room.signed_in(peers.ada)
    answer = ada.post(f"{peers.path}/destroy")
    assert "Destroyed tapes" in ada.get(answer.headers["location"]).text
    (link,) = links(ada)
    page = ada.get(link).text
    assert "Certificate of destruction" in page
    assert "the interviewer or the host destroyed it" in page
    assert "Robin" not in page
    assert peers.tape in page
    saved = ada.get(f"{link}/file")
    assert f"certificate-of-destruction-{peers.tape}.json" in saved.headers["content-disposition"]
    copy = tmp_path / "certificate.json"
    copy.write_bytes(saved.content)
    checked = certificates.read(copy, room.home.folder / "certificate-key.pub")
    assert checked.known
    assert (checked.facts["tape"], checked.facts["submitted"]) == (peers.tape, submitted)
    assert saved.content == destruction.certificate_path(room.home, peers.tape).read_bytes()


def test_a_certificate_is_nobody_else_s(room: Room, peers: Peers) -> None:
    ada = room.signed_in(peers.ada)
    ada.post(f"{peers.path}/destroy")
    (link,) = links(ada)
    for other in (peers.ben, peers.coach, room.person("Root", is_admin=True)):
        browser = room.signed_in(other)
        assert links(browser) == []
        assert "/destroyed" not in browser.get("/").text
        assert browser.get(link).status_code == browser.get(f"{link}/file").status_code == 404
    assert room.browser().get(link).status_code in (303, 401)


def test_a_destruction_that_goes_on_is_shown_without_a_certificate(room: Room, peers: Peers) -> None:
    destruction.begin(room.home, peers.tape, "withdrawn", room.clock())
    ada = room.signed_in(peers.ada)
    page = ada.get("/destroyed").text
    assert "It is being destroyed: the client withdrew the permission." in page
    assert links(ada) == []
    destruction.resume(room.home, room.clock())
    (link,) = links(ada)
    assert json.loads(ada.get(f"{link}/file").content)["certificate"]["why"] == "withdrawn"
