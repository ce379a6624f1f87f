"""A name that is masked stays masked, whatever others than the interviewer correct, take back or do again."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.coding import masks
from pipeline.review.coding.corrections import MASK, CorrectedUtterance, CorrectedWord, Correction, apply_corrections
from pipeline.review.coding.sound import HEADER_BYTES
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder
from tests.review.conftest import Room

NAME = "Waldemar"
KINDS = ("text", "text", "speaker", "merge", "split", "undo", "undo", "mask", "unmask")


class Peers:
    """An interviewer and two peers at a tape, in the first utterance of which a client's name is said."""

    def __init__(self, room: Room) -> None:
        group = room.group()
        people = [room.person(name, group) for name in ("Ivy", "Ada", "Ben")]
        utterances = shelf.talk(4, 0.7)
        utterances[0]["words"][2][2] = NAME
        self.tape = shelf.put_tape(room.home, group, people[0], room.clock(), minutes=0.7, utterances=utterances)
        self.ivy, self.ada, self.ben = (Coder(room.signed_in(person), self.tape).begin() for person in people)

    def sound(self, coder: Coder, start: int, end: int) -> int:
        """The loudest sample that somebody hears within a stretch of ms."""
        asked = {"range": f"bytes={HEADER_BYTES + 32 * start}-{HEADER_BYTES + 32 * end - 1}"}
        content = coder.browser.get(f"/tapes/{self.tape}/sound", headers=asked).content
        return max(abs(value) for (value,) in struct.iter_unpack("<h", content))


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def words(coder: Coder, utterance: int = 0) -> list[dict[str, Any]]:
    return coder.state()["utterances"][utterance]["words"]


def text(coder: Coder) -> str:
    """All that somebody gets of a tape's words: the page's JSON, the names, the captions and the table."""
    pages = [f"{coder.path}/{end}" for end in ("state", "codes.csv", "codes.vtt")]
    answers = [coder.browser.get(path) for path in (*pages, f"/tapes/{coder.tape_id}/names")]
    assert {answer.status_code for answer in answers} == {200}
    return "".join(answer.text for answer in answers)


def test_undoing_a_correction_keeps_the_name_masked(peers: Peers) -> None:
    word = words(peers.ada)[2]
    retyped = {"replace": [word["id"]], "after": None, "with": ["Mister", f"{NAME}son"]}
    assert peers.ada.correct("text", "u0001", retyped, id="fix").json() == {"refused": []}
    typed = [word["id"] for word in words(peers.ivy) if "+" in word["id"]]
    assert peers.ivy.correct("mask", "u0001", {"words": typed, "on": True}).json() == {"refused": []}
    assert NAME not in text(peers.ben)

    undone = peers.ada.correct("text", "u0001", {}, id="back", undoes="fix")
    assert undone.json() == {"refused": []}
    for peer in (peers.ada, peers.ben):
        assert NAME not in text(peer)
        assert peers.sound(peer, word["start"], word["end"]) == 0
    assert NAME in text(peers.ivy)
    assert peers.sound(peers.ivy, word["start"], word["end"]) > 1000


def test_one_word_in_the_place_of_three_masks_all_three(peers: Peers) -> None:
    three = words(peers.ada)[1:4]
    joined = {"replace": [word["id"] for word in three], "after": None, "with": [f"{NAME}."]}
    peers.ada.correct("text", "u0001", joined, id="join")
    [typed] = [word["id"] for word in words(peers.ivy) if "+" in word["id"]]
    peers.ivy.correct("mask", "u0001", {"words": [typed], "on": True})
    peers.ada.correct("text", "u0001", {}, id="back", undoes="join")
    assert [word["text"] for word in words(peers.ben)][1:4] == [MASK] * 3
    assert all(peers.sound(peers.ben, word["start"], word["end"]) == 0 for word in three)


def test_an_edit_across_a_mask_keeps_the_name_for_the_interviewer(peers: Peers) -> None:
    before = words(peers.ada)
    peers.ivy.correct("mask", "u0001", {"words": [before[2]["id"]], "on": True})
    assert words(peers.ada)[2]["text"] == MASK
    across = {"replace": [word["id"] for word in before[1:4]], "after": None, "with": ["one", "two", MASK, "three"]}
    assert peers.ada.correct("text", "u0001", across).json() == {"refused": []}
    assert [word["text"] for word in words(peers.ivy)][1:5] == ["one", "two", NAME, "three"]
    assert [word["text"] for word in words(peers.ben)][1:5] == ["one", "two", MASK, "three"]
    assert NAME not in text(peers.ben)
    again = [word["id"] for word in words(peers.ben)][1:3]  # words beside the bar are no bars
    change = {"replace": again, "after": None, "with": ["uno", "due"]}
    assert peers.ben.correct("text", "u0001", change).json() == {"refused": []}


@pytest.mark.parametrize("typed", [["xxx"], [], [MASK, MASK], [f"{MASK},"], ["Waldi"]])
def test_nobody_who_does_not_see_a_name_changes_it(peers: Peers, typed: list[str]) -> None:
    name = words(peers.ada)[2]["id"]
    peers.ivy.correct("mask", "u0001", {"words": [name], "on": True})
    answer = peers.ada.correct("text", "u0001", {"replace": [name], "after": None, "with": typed}, id="x")
    assert answer.json() == {"refused": [{"id": "x", "reason": "the bar of a masked name cannot change"}]}
    assert words(peers.ivy)[2]["text"] == NAME


@pytest.mark.parametrize("kind", ["mask", "text", "speaker"])
def test_a_peer_does_not_take_back_a_mask_by_any_name(peers: Peers, kind: str) -> None:
    name = words(peers.ada)[2]["id"]
    peers.ada.correct("mask", "u0001", {"words": [name], "on": True}, id="hide")
    answer = peers.ada.correct(kind, "u0001", {}, id="back", undoes="hide")
    assert answer.json() == {"refused": [{"id": "back", "reason": "only the interviewer can show a masked name"}]}
    assert words(peers.ben)[2]["text"] == MASK


def test_a_word_that_was_added_stays_masked_by_its_gap(peers: Peers) -> None:
    before, after = words(peers.ada)[1:3]
    added = {"replace": [], "after": before["id"], "with": [f"{NAME}a"]}
    peers.ada.correct("text", "u0001", added, id="add")
    [typed] = [word["id"] for word in words(peers.ivy) if "+" in word["id"]]
    peers.ivy.correct("mask", "u0001", {"words": [typed], "on": True})
    peers.ada.correct("text", "u0001", {}, id="back", undoes="add")
    peers.ada.correct("text", "u0001", {}, id="forth", undoes="back")
    assert [word["text"] for word in words(peers.ben)][2] == MASK
    middle = (before["end"] + after["start"]) // 2
    assert peers.sound(peers.ben, middle - 20, middle + 20) == 0


def test_the_interviewer_shows_a_name_again_by_any_of_its_words(peers: Peers) -> None:
    name = words(peers.ada)[2]["id"]
    peers.ada.correct("mask", "u0001", {"words": [name], "on": True})
    assert peers.ivy.correct("mask", "u0001", {"words": [name], "on": False}).json() == {"refused": []}
    assert words(peers.ben)[2]["text"] == NAME


def test_a_mask_names_words_of_the_tape(peers: Peers) -> None:
    answer = peers.ada.correct("mask", "u0001", {"words": ["w99999"], "on": True}, id="x")
    assert answer.json() == {"refused": [{"id": "x", "reason": "it does not name a word of this tape"}]}


@pytest.mark.parametrize("seed", range(4))
def test_no_walk_of_the_peers_uncovers_a_name(peers: Peers, seed: int) -> None:
    """The same over HTTP: whatever two peers send, in which order ever."""
    draw = random.Random(seed)
    covered = set()
    for number in range(14):
        peer, other = draw.sample([peers.ada, peers.ben], 2)
        state = peer.state()
        utterance = draw.choice(state["utterances"])
        ids, kind = [word["id"] for word in utterance["words"]], draw.choice(KINDS)
        first = draw.randrange(len(ids))
        gone = utterance["words"][first : first + 2]
        change: dict[str, Any] = {
            "id": f"{number:08d}{seed}",
            "kind": kind,
            "utterance_id": utterance["id"],
            "payload": {},
        }
        if kind == "text":
            typed = [word["text"] if word["text"] == MASK else "so" for word in gone] + draw.choice([[], ["it"]])
            after = ids[first - 1] if first else None
            change["payload"] = {"replace": [word["id"] for word in gone], "after": after, "with": typed}
        elif kind == "split":
            change["payload"] = {"word_id": ids[first]}
        elif kind == "undo":
            own_corrections = state["corrections"]
            change |= {"kind": "text", "undoes": draw.choice(own_corrections)["id"] if own_corrections else "nothing"}
        elif kind in ("mask", "unmask"):
            change |= {"kind": "mask", "payload": {"words": [ids[first]], "on": kind == "mask"}}
        assert peer.send(change).status_code == 200
        if number == 5:
            spoken = peers.ivy.state()
            name = [word for utterance in spoken["utterances"] for word in utterance["words"] if NAME in word["text"]]
            peers.ivy.send({**change, "id": "hide", "kind": "mask", "undoes": None, "payload": {
                "words": [word["id"] for word in name] or ["w00003"], "on": True,
            }})  # fmt: skip
        masked = set(other.state()["masked"])
        assert masked >= covered
        covered = masked
        seen = other.state()["utterances"]
        assert all(
            word["text"] == MASK
            for correction in seen
            for word in correction["words"]
            if masked & set(word.get("roots") or [word["id"]])
        )
        assert MASK not in text(peers.ivy)
    assert covered
    assert NAME not in text(peers.ada)
    assert NAME not in text(peers.ben)


def spoken_words() -> list[CorrectedUtterance]:
    """Two speakers, three utterances of four words, each word unlike all others."""
    utterances = []
    for number in range(3):
        row = [
            CorrectedWord(f"w{n:05d}", f"secret{n}.", n * 100, n * 100 + 80)
            for n in range(number * 4 + 1, number * 4 + 5)
        ]
        utterances.append(
            CorrectedUtterance(f"u{number}", f"t{number}", "client", "S1", row[0].start, row[-1].end, tuple(row))
        )
    return utterances


def random_changes(draw: random.Random, made: list[tuple[Correction, bool]], count: int, interviewer: bool) -> None:
    """Add changes as a page could send them, and as one could that means harm; each fits what is shown just then."""
    for _ in range(count):
        shown = apply_corrections(spoken_words(), masks.permitted_corrections(made))
        utterance, name = draw.choice(shown), f"c{len(made):07d}-x"
        ids, kind = [word.id for word in utterance.words], draw.choice(KINDS)
        first = draw.randrange(len(ids))
        payload: dict[str, Any] = {}
        undoes = None
        if kind == "undo":
            own_corrections = [correction for correction, whose in made if whose == interviewer]
            if not own_corrections:
                continue
            undoes, kind = draw.choice(own_corrections).id, draw.choice(["text", "mask"])
        elif kind == "text":
            gone = ids[first : first + draw.randrange(4)]
            typed = [f"typed{len(made)}.{at}" for at in range(draw.randint(0 if gone else 1, 3))]
            payload = {"replace": gone, "after": ids[first - 1] if first else None, "with": typed}
        elif kind == "split":
            payload = {"word_id": ids[first]}
        elif kind in ("mask", "unmask"):
            payload, kind = {"words": [ids[first]], "on": kind == "mask"}, "mask"
        made.append((Correction(name, kind, utterance.id, payload, undoes), interviewer))


@given(st.integers(0, 2**32), st.integers(0, 8), st.integers(1, 10))
def test_changes_by_others_never_make_fewer_words_masked(seed: int, before: int, after: int) -> None:
    draw, made = random.Random(seed), list[tuple[Correction, bool]]()
    for _ in range(before):
        random_changes(draw, made, 1, draw.random() < 0.5)
    covered = masks.masked_roots(masks.permitted_corrections(made))
    random_changes(draw, made, after, False)
    rightful = masks.permitted_corrections(made)
    assert masks.masked_roots(rightful) >= covered
    seen = " ".join(
        word.text
        for utterance in masks.mask_names(apply_corrections(spoken_words(), rightful))
        for word in utterance.words
    )
    assert not [
        word for utterance in spoken_words() for word in utterance.words if word.id in covered and word.text in seen
    ]
    silent = masks.masked_spans(spoken_words(), masks.masked_roots(rightful))
    for word in (word for utterance in spoken_words() for word in utterance.words if word.id in covered):
        assert any(span.start <= word.start and word.end <= span.end for span in silent)
