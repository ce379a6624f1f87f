"""What the pages draw and count in the browser: marks under the wave, and how far a pass is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.formats import codebook_files
from pipeline.review.coding import observer_tasks, page_state
from tests.review.coding import node

DRAW = """
const { letter, standingOf } = await import(`${sources}/marks.js`);
const drawn = (place) => {
  const [said, context] = [[], { dash: [] }];
  const note = (name) => (...given) => said.push([name, context.fillStyle, ...given]);
  for (const name of ["stroke", "moveTo", "lineTo", "beginPath"]) context[name] = () => {};
  Object.assign(context, { setLineDash: (dash) => { context.dash = dash; }, roundRect: () => {} });
  Object.assign(context, { fill: note("fill"), fillText: note("text") });
  const { names, standing } = standingOf(place);
  for (const name of names) letter(context, 0, 0, { letter: name }, standing, "ink", "paper");
  const kept = said.map(([name, color, text]) => (name === "text" ? [name, color, text] : [name, color]));
  return { said: kept, dash: context.dash };
};
console.log(JSON.stringify(input.map(drawn)));
"""


def drawn(folder: Path, **utterance: Any) -> dict[str, Any]:
    given = {"disputed": False, "source": "agreed", "codes": [], "opinions": []} | utterance
    [mark] = node.run(DRAW, [given], folder)
    return mark


def test_a_disputed_line_has_no_full_mark_and_shows_what_each_says(tmp_path: Path) -> None:
    """A full mark is a box in the code's color; this one is a box of paper with a corner in the color."""
    opinions = [{"codes": ["Q"]}, {"codes": []}, {"codes": ["R"]}]
    drawing = drawn(tmp_path, disputed=True, source="hand", codes=["Q"], opinions=opinions)
    mark = [["fill", "paper"], ["fill", "ink"]]
    assert drawing["said"] == [*mark, ["text", "ink", "Q"], *mark, ["text", "ink", "R"]]
    assert drawing["dash"] == []


@pytest.mark.parametrize(
    ("source", "drawing", "dash"),
    [
        ("agreed", [["fill", "ink"], ["text", "paper", "Q"]], []),
        ("consensus", [["fill", "ink"], ["text", "paper", "Q"]], []),
        ("machine", [["fill", "paper"], ["text", "ink", "Q"]], [2, 2]),
    ],
)
def test_a_mark_tells_what_stands_from_what_the_machine_says(
    tmp_path: Path, source: str, drawing: list[Any], dash: list[int]
) -> None:
    assert drawn(tmp_path, source=source, codes=["Q"]) == {"said": drawing, "dash": dash}


COUNT = """
const { progress } = await import(`${sources}/progress.js`);
const utterances = input.roles.map((role, at) => ({ id: `u${at + 1}`, role }));
console.log(JSON.stringify(progress(utterances, new Map(Object.entries(input.states)), input.codes)));
"""
ROLES = ("interviewer", "client", "interviewer", "client", "interviewer", "unknown")


def test_a_pass_counts_an_utterance_in_another_language_once_it_is_coded(tmp_path: Path) -> None:
    """Of six utterances the second and third are in Spanish; who leaves them has not left them without a code."""
    codes = page_state.code_fields(codebook_files.read("pretags"), observer_tasks.find_task("all"), {})
    count = COUNT.replace("({ id: `u${at + 1}`, role })", "({ id: `u${at + 1}`, role, language: input.languages[at] })")
    given = {"roles": ROLES, "languages": ["", "Spanish", "Spanish", "", "", ""], "codes": codes}
    for states, expected in (
        ({}, (0, 4)),
        ({"u2": {"codes": [], "unsure": False}}, (0, 4)),
        ({"u2": {"codes": ["change"], "unsure": False}}, (1, 5)),
    ):
        counted = node.run(count, given | {"states": states}, tmp_path)
        assert (counted["coded"], counted["codable"]) == expected


@pytest.mark.parametrize(
    ("book", "task", "states", "expected"),
    [
        ("pretags", "all", {}, (0, 6)),
        ("pretags", "change-and-sustain", {}, (0, 3)),  # u2, u4, and u6, of which nobody knows who says it
        ("pretags", "depth", {"u1": (["reflection_simple"], False)}, (1, 4)),
        ("miti-4.2", "all", {"u1": (["question"], False)}, (1, 4)),  # it has no codes for a client
        ("pretags", "all", {"u1": ([], True)}, (0, 6)),  # unsure, and nothing else
        ("pretags", "all", {"u1": (["question_open"], True), "u2": ([], False)}, (2, 6)),
        ("pretags", "depth", {"u1": (["question_open"], False), "u2": (["change"], False)}, (0, 4)),
    ],
)
def test_a_pass_counts_what_its_task_can_code(
    tmp_path: Path, book: str, task: str, states: dict[str, tuple[list[str], bool]], expected: tuple[int, int]
) -> None:
    given = {name: {"codes": codes, "unsure": unsure} for name, (codes, unsure) in states.items()}
    codes = page_state.code_fields(codebook_files.read(book), observer_tasks.find_task(task), {})
    counted = node.run(COUNT, {"roles": ROLES, "states": given, "codes": codes}, tmp_path)
    assert (counted["coded"], counted["codable"]) == expected
