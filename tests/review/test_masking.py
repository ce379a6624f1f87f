"""A masked name is in no answer for anybody but the interviewer, on a page or in a file, asked from the route table."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.review.coding import shelf
from tests.review.coding.conftest import Coder
from tests.review.conftest import Browser, Room
from tests.review.routes import calls

NAME = "Waldemar"


def holding(room: Room, browser: Browser, ids: dict[str, str]) -> set[str]:
    """The paths whose answers hold the name."""
    addresses = set()
    for call in calls(room.app):
        for address in call.addresses(ids) if call.method == "GET" else ():
            answer = browser.get(address)
            content = answer.content
            if answer.headers.get("content-type") == "application/pdf":
                content += "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(content)).pages).encode()
            if NAME.encode() in content:
                addresses.add(call.path)
    return addresses


def test_a_masked_name_reaches_the_interviewer_alone(room: Room) -> None:
    group = room.group()
    ivy, ben, coco = room.person("Ivy", group), room.person("Ben", group), room.person("Coco", group, role="coach")
    utterances = shelf.talk(8, 0.7)
    utterances[2]["words"][1][2] = f"{NAME},"
    utterances[2]["text"] = " ".join(word[2] for word in utterances[2]["words"])
    tape = shelf.put_tape(room.home, group, ivy, room.clock(), minutes=0.7, utterances=utterances)
    coders = {person: Coder(room.signed_in(person), tape).begin() for person in (ivy, ben, coco)}
    for person, coder in coders.items():
        coder.code("u0003", "question_closed" if person == ben else "question_open")
        coder.lock()
    ids = {
        person: {"tape_id": tape, "group_id": group, "person_id": ivy, "pass_id": coders[person].pass_id}
        for person in coders
    }
    shows = {f"/tapes/{{tape_id}}/{end}" for end in ("passes/{pass_id}/state", "together/state", "names", "moment")}
    shows.add("/tapes/{tape_id}/passes/{pass_id}/codes.{kind}")
    assert holding(room, coders[ben].browser, ids[ben]) == shows
    assert holding(room, coders[coco].browser, ids[coco]) == shows | {"/groups/{group_id}/pairs"}

    words = [
        word["id"]
        for utterance in coders[ivy].state()["utterances"]
        for word in utterance["words"]
        if NAME in word["text"]
    ]
    answer = coders[ivy].browser.post(f"/tapes/{tape}/names", {"word": words, "on": "1"})
    assert answer.status_code == 303
    for other in (ben, coco):
        assert holding(room, coders[other].browser, ids[other]) == set()
        assert "▇▇▇" in coders[other].browser.get(f"{coders[other].path}/codes.vtt").text
    assert holding(room, coders[ivy].browser, ids[ivy]) == shows | {"/tapes/{tape_id}/first"}  # the own page alone
    shown = {"word": words, "on": "0"}
    assert coders[ben].browser.post(f"/tapes/{tape}/names", shown).status_code == 422
    assert holding(room, coders[ben].browser, ids[ben]) == set()
    assert coders[ivy].browser.post(f"/tapes/{tape}/names", shown).status_code == 303
    assert holding(room, coders[ben].browser, ids[ben]) == shows
