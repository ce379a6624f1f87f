from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.coding.code_events import CodeState, CodingEvent, fold, in_effect
from tests.review.coding import histories, node

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(0, 30))
def test_taking_back_an_event_and_that_again_changes_nothing(seed: int, count: int) -> None:
    draw = random.Random(seed)
    events = histories.events(draw, count + 1)
    last = events[-1]
    undo = CodingEvent("undo", last.utterance_id, last.action, last.codes, last.id)
    assert fold([*events, undo]) == fold(events[:-1])
    assert fold([*events, undo, CodingEvent("redo", last.utterance_id, last.action, last.codes, "undo")]) == fold(
        events
    )


@given(SEEDS, st.integers(0, 30))
def test_an_utterance_carries_its_last_event_that_holds(seed: int, count: int) -> None:
    events = histories.events(random.Random(seed), count)
    now = fold(events)
    for name in {event.utterance_id for event in events}:
        of_utterance = [event for event in in_effect(events) if event.utterance_id == name]
        expected = None
        if of_utterance and of_utterance[-1].action != "clear":
            expected = CodeState(of_utterance[-1].codes, of_utterance[-1].action == "unsure")
        assert now.get(name) == expected


@given(SEEDS, st.integers(1, 30))
def test_events_of_one_utterance_leave_the_others_alone(seed: int, count: int) -> None:
    events = histories.events(random.Random(seed), count)
    of_others = [event for event in events if event.utterance_id != "u0"]
    assert {name: state for name, state in fold(events).items() if name != "u0"} == dict(fold(of_others))


def test_the_page_folds_as_the_server_does(tmp_path: Path) -> None:
    draw = random.Random(7)
    cases = [histories.events(draw, draw.randrange(25)) for _ in range(200)]
    program = """
const { fold } = await import(`${sources}/changes.js`);
const rows = (events) => [...fold(events)].map(([id, { codes, unsure }]) => [id, codes, unsure]);
console.log(JSON.stringify(input.map(rows)));
"""
    rows = [
        [
            {"id": e.id, "utterance_id": e.utterance_id, "action": e.action, "codes": e.codes, "undoes": e.undoes}
            for e in case
        ]
        for case in cases
    ]
    page = node.run(program, rows, tmp_path)
    server = [{name: (state.codes, state.unsure) for name, state in fold(case).items()} for case in cases]
    assert [{name: (tuple(codes), unsure) for name, codes, unsure in case} for case in page] == server
