"""What a change of the transcript rests on: worked by hand, and the same on the page as on the server."""

from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord, apply_corrections
from pipeline.review.coding.transcript_base import TranscriptBase, base_of
from tests.review.coding import histories, node


def spoken(roles: str) -> list[CorrectedUtterance]:
    """Utterances of two words each; one letter a role."""
    names = {"i": "interviewer", "c": "client"}
    return [
        CorrectedUtterance(
            *(f"u{at}", f"t{at}", names[letter], letter, at * 100, at * 100 + 90),
            tuple(CorrectedWord(f"w{at}{half}", "so", at * 100, at * 100 + 40) for half in "ab"),
        )
        for at, letter in enumerate(roles)
    ]


def test_a_split_rests_on_the_words_of_its_utterance() -> None:
    assert base_of(spoken("ici"), "split", "u1", {"word_id": "w1b"}) == TranscriptBase(
        words=(("w1a", "w1b"),), roles=()
    )


def test_a_merge_rests_on_the_words_of_both_utterances() -> None:
    both = TranscriptBase(words=(("w0a", "w0b"), ("w1a", "w1b")), roles=())
    assert base_of(spoken("iic"), "merge", "u1", {}) == both


def test_a_swap_of_one_rests_on_its_words_and_its_role() -> None:
    assert base_of(spoken("ici"), "speaker", "u1", {"only": True}) == TranscriptBase(
        words=(("w1a", "w1b"),), roles=(("u1", "client"),)
    )


def test_a_swap_of_all_from_here_rests_on_the_runs_of_roles() -> None:
    runs = TranscriptBase(words=(), roles=(("u1", "client"), ("u3", "interviewer"), ("u5", "client")))
    assert base_of(spoken("icciic"), "speaker", "u1", {}) == runs


def test_without_its_utterance_a_change_rests_on_nothing() -> None:
    for kind in ("split", "merge", "speaker"):
        assert base_of(spoken("ic"), kind, "u7", {}) == TranscriptBase(words=(), roles=())


def test_the_page_finds_the_same_base_as_the_server(tmp_path: Path) -> None:
    draw = random.Random(5)
    cases = []
    for _ in range(60):
        recorded = histories.transcript(draw)
        shown = apply_corrections(recorded, histories.corrections(draw, recorded, draw.randrange(9)))
        name = draw.choice(shown).id
        payloads = [("split", {"word_id": "w00001"}), ("merge", {}), ("speaker", {}), ("speaker", {"only": True})]
        cases += [(shown, kind, name, payload) for kind, payload in payloads]
    program = """
const { baseOf } = await import(`${sources}/base.js`);
console.log(JSON.stringify(input.map((each) => baseOf(...each))));
"""
    sent = [([asdict(utterance) for utterance in shown], *change) for shown, *change in cases]
    page = node.run(program, sent, tmp_path)
    assert page == [json.loads(base_of(*case).model_dump_json()) for case in cases]
