from __future__ import annotations

import json
import random
from dataclasses import asdict
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord, Correction, apply_corrections
from tests.review.coding import histories, node

SEEDS = st.integers(0, 2**32)


def utterance_of(*words: str) -> CorrectedUtterance:
    spoken = tuple(CorrectedWord(f"w{at}", word, at * 100, at * 100 + 80) for at, word in enumerate(words))
    return CorrectedUtterance("u1", "t1", "client", "S2", 0, spoken[-1].end, spoken)


def retype(old: list[str], new: list[str], after: str | None = None) -> Correction:
    return Correction("c1abcdefgh", "text", "u1", {"replace": old, "after": after, "with": new})


def test_as_many_words_keep_each_its_time() -> None:
    [utterance] = apply_corrections([utterance_of("I", "donut", "no")], [retype(["w1", "w2"], ["don't", "know"])])
    assert [(word.id, word.text, word.start) for word in utterance.words] == [
        ("w0", "I", 0),
        ("w1", "don't", 100),
        ("w2", "know", 200),
    ]
    assert utterance.edited


def test_more_words_share_the_time() -> None:
    [utterance] = apply_corrections([utterance_of("dunno")], [retype(["w0"], ["do", "not"])])
    assert [(word.text, word.start, word.end) for word in utterance.words] == [("do", 0, 40), ("not", 40, 80)]


def test_an_utterance_keeps_a_word() -> None:
    assert apply_corrections([utterance_of("um")], [retype(["w0"], [])]) == [utterance_of("um")]


def test_voices_change_places_from_here_on_and_back() -> None:
    spoken = histories.transcript(random.Random(3))
    swap = Correction("c1", "speaker", spoken[2].id, {})
    once = apply_corrections(spoken, [swap])
    assert once[:2] == spoken[:2]
    assert all(utterance.role != other.role for utterance, other in zip(once[2:], spoken[2:], strict=True))
    assert apply_corrections(spoken, [swap, Correction("c2", "speaker", spoken[2].id, {})]) == spoken


@given(SEEDS, st.integers(1, 15))
def test_nothing_is_lost_and_undo_leads_back(seed: int, count: int) -> None:
    draw = random.Random(seed)
    spoken = histories.transcript(draw)
    made = histories.corrections(draw, spoken, count)
    shown = apply_corrections(spoken, made)
    last = made[-1]
    undo = Correction("undo", last.kind, last.utterance_id, last.payload, last.id)
    assert apply_corrections(spoken, [*made, undo]) == apply_corrections(spoken, made[:-1])
    ids = [word.id for utterance in shown for word in utterance.words]
    assert len(ids) == len(set(ids))
    assert len({utterance.id for utterance in shown}) == len(shown)
    assert all(utterance.words and utterance.start <= utterance.end for utterance in shown)
    if not any(utterance.kind == "text" for utterance in made):
        assert sorted(ids) == sorted(word.id for utterance in spoken for word in utterance.words)
        times = {word.id: (word.start, word.end) for utterance in spoken for word in utterance.words}
        assert all(times[word.id] == (word.start, word.end) for utterance in shown for word in utterance.words)


def test_the_page_corrects_as_the_server_does(tmp_path: Path) -> None:
    draw = random.Random(11)
    cases = []
    for _ in range(200):
        spoken = histories.transcript(draw)
        cases.append((spoken, histories.corrections(draw, spoken, draw.randrange(12))))
    program = """
const { corrected } = await import(`${sources}/layout.js`);
console.log(JSON.stringify(input.map(([said, made]) => corrected(said, made))));
"""
    rows = [
        ([asdict(utterance) for utterance in spoken], [asdict(utterance) for utterance in made])
        for spoken, made in cases
    ]
    page = node.run(program, rows, tmp_path)
    for shown, (spoken, made) in zip(page, cases, strict=True):
        expected = json.loads(json.dumps([asdict(utterance) for utterance in apply_corrections(spoken, made)]))
        for utterance in shown:
            utterance.pop("pretag", None)
        assert shown == expected


def test_the_page_finds_the_smallest_change(tmp_path: Path) -> None:
    program = """
const { difference } = await import(`${sources}/layout.js`);
console.log(JSON.stringify(input.map(([words, text]) => difference(words, text))));
"""
    words = [{"id": f"w{at}", "text": text} for at, text in enumerate(["I", "donut", "no", "why"])]
    texts = ["I don't know why", "I donut no why", "well I donut no why", "I donut why", " ", "I donut no why not"]
    assert node.run(program, [[words, text] for text in texts], tmp_path) == [
        {"replace": ["w1", "w2"], "after": "w0", "with": ["don't", "know"]},
        None,
        {"replace": [], "after": None, "with": ["well"]},
        {"replace": ["w2"], "after": "w1", "with": []},
        None,
        {"replace": [], "after": "w3", "with": ["not"]},
    ]


def test_the_page_keeps_the_bars_of_masked_names(tmp_path: Path) -> None:
    program = """
const { difference, keepsBars } = await import(`${sources}/layout.js`);
const found = input.map(([words, text]) => difference(words, text));
console.log(JSON.stringify(found.map((one) => [one.kept ?? [], keepsBars(one)])));
"""
    texts = ["I", "▇▇▇", "no", "▇▇▇"]
    words = [{"id": f"w{at}", "text": text, "masked": text == "▇▇▇"} for at, text in enumerate(texts)]
    cases = {
        "you ▇▇▇ no": [["w1", "w3"], False],
        "you ▇▇▇ yes ▇▇▇ so": [["w1", "w3"], True],
        "I ▇▇▇ yes ▇▇▇": [[], True],
        "I ▇▇▇, no ▇▇▇": [["w1"], False],
    }
    assert node.run(program, [[words, text] for text in cases], tmp_path) == list(cases.values())
