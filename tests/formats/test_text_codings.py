"""Codings of a text, and tiers whose names say nobody: no text is lost, and nobody is made to say another's words."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.formats import registry, text_codings
from pipeline.formats.safe_reader import Source
from pipeline.formats.text_codings import Selection
from pipeline.formats.transcript import Mark

TALK = "Therapist: What next?\nClient: I want to walk.\nTherapist: So."
Row = tuple[str, str, list[str]]
SPOKEN: list[Row] = [("Therapist", "What next?", []), ("Client", "I want to walk.", []), ("Therapist", "So.", [])]


def project(*selections: tuple[int, int]) -> bytes:
    made = io.BytesIO()
    codings = "".join(
        f'<PlainTextSelection guid="s{n}" startPosition="{first}" endPosition="{last}">'
        f'<Coding guid="c{n}"><CodeRef targetGUID="g1"/></Coding></PlainTextSelection>'
        for n, (first, last) in enumerate(selections)
    )
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(
            "project.qde",
            '<Project xmlns="urn:QDA-XML:project:1.0"><CodeBook><Codes><Code guid="g1" name="change"/></Codes>'
            f'</CodeBook><Sources><TextSource name="walk" plainTextPath="internal://a.txt">{codings}</TextSource></Sources></Project>',
        )
        archive.writestr("sources/a.txt", TALK)
    return made.getvalue()


def task(data: Any, kind: str, **value: Any) -> bytes:
    region = {"id": "r", "type": kind, "from_name": "label", "to_name": "talk", "value": {**value, kind: ["change"]}}
    return json.dumps([{"data": {"talk": data}, "annotations": [{"result": [region]}]}]).encode()


PARAGRAPHS = [{"author": who, "text": text} for who, text, _ in SPOKEN]
BOTH = [("Therapist", "What next?", ["change"]), ("Client", "I want to walk.", ["change"]), SPOKEN[2]]
ONE = [SPOKEN[0], ("Client", "I want to walk.", ["change"]), SPOKEN[2]]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("walk.qdpx", project((0, 45)), BOTH),
        ("walk.qdpx", project((30, 45)), ONE),
        ("walk.qdpx", project(), SPOKEN),
        ("walk.json", task(TALK, "labels", start=30, end=45, text="I want to walk."), ONE),
        (
            "walk.json",
            task(
                PARAGRAPHS, "paragraphlabels", start="1", end="1", startOffset=0, endOffset=15, text="I want to walk."
            ),
            ONE,
        ),
        (
            "walk.json",
            task(PARAGRAPHS, "paragraphlabels", start="0", end="1", startOffset=0, endOffset=15, text="both"),
            BOTH,
        ),
    ],
)
def test_a_coded_text_comes_whole_and_each_says_what_is_theirs(
    tmp_path: Path, name: str, data: bytes, expected: list[Row]
) -> None:
    (tmp_path / name).write_bytes(data)
    utterances = registry.read(tmp_path / name).utterances
    assert [
        (utterance.speaker, utterance.text, [mark.code for mark in utterance.marks]) for utterance in utterances
    ] == expected


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=4))
def test_no_line_is_lost_and_none_is_said_by_another(stretches: list[tuple[int, int]]) -> None:
    lines, starts = text_codings.lines_of(TALK)
    selections = [
        Selection(text_codings.position(starts, min(pair)), text_codings.position(starts, max(pair)), (Mark("change"),))
        for pair in stretches
    ]
    utterances = list(text_codings.utterances(lines, selections))
    for utterance in utterances:
        assert utterance.text in {"Therapist": "Therapist: What next? Therapist: So.", "Client": "Client: I want to walk."}[utterance.speaker]  # fmt: skip  # noqa: E501
    if not stretches:
        assert [(utterance.speaker, utterance.text, []) for utterance in utterances] == SPOKEN


def grid(*tiers: tuple[str, list[tuple[float, float, str]]]) -> Source:
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "0", "6", "<exists>", str(len(tiers))]
    for name, labels in tiers:
        lines += ['"IntervalTier"', f'"{name}"', "0", "6", str(len(labels))]
        lines += [f'{start} {end} "{text}"' for start, end, text in labels]
    return Source("walk.TextGrid", "\n".join(lines).encode())


def test_words_beside_utterances_are_theirs_and_are_not_said_twice() -> None:
    both = grid(
        ("utterances", [(0, 2, "what next"), (2, 6, "")]), ("words", [(0, 1, "what"), (1, 2, "next"), (2, 6, "")])
    )
    (utterance,) = registry.format_named("textgrid").read(both).utterances
    assert (utterance.speaker, utterance.text, [word.text for word in utterance.words]) == (
        "unknown",
        "what next",
        ["what", "next"],
    )


def test_names_before_colons_say_who_speaks_where_no_tier_does() -> None:
    utterance = grid(("default", [(0, 2, "T: What next?"), (2, 4, "C: I want to walk."), (4, 6, "T: So.")]))
    utterances = registry.format_named("textgrid").read(utterance).utterances
    assert [(utterance.role, utterance.text) for utterance in utterances] == [
        ("interviewer", "What next?"),
        ("client", "I want to walk."),
        ("interviewer", "So."),
    ]


def test_a_tier_of_behaviors_holds_codes_however_many_words_they_have() -> None:
    tiers = grid(("T", [(0, 2, "What is next?")]), ("Behavior counts", [(0, 2, "open question")]))
    (utterance,) = registry.format_named("textgrid").read(tiers).utterances
    assert (utterance.text, [mark.code for mark in utterance.marks]) == ("What is next?", ["open question"])
