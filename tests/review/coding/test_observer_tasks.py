from __future__ import annotations

import random

import pytest

from pipeline.coding import codebook
from pipeline.formats import codebook_files
from pipeline.review.coding import observer_tasks, pretag_hiding


def test_every_task_has_codes_in_the_book_of_the_pretags_or_of_miti() -> None:
    books = [codebook_files.read(name) for name in ("pretags", "miti-4.2")]
    assert all(any(task.codes_in(book) for book in books) for task in observer_tasks.TASKS)
    assert len(observer_tasks.offered_tasks(codebook_files.read("oars"))) < len(observer_tasks.TASKS)


def test_depth_of_reflections_asks_for_reflections_only() -> None:
    codes = observer_tasks.find_task("depth").codes_in(codebook_files.read("miti-4.2"))
    assert [code.name for code in codes] == ["reflection_simple", "reflection_complex"]


def test_a_fifth_of_the_utterances_is_coded_without_the_machine() -> None:
    names = [f"u{number:04d}" for number in range(400)]
    chosen = pretag_hiding.hidden_utterances(5, names)
    assert len(chosen) == 80
    assert chosen == pretag_hiding.hidden_utterances(5, random.Random(1).sample(names, len(names)))
    assert chosen != pretag_hiding.hidden_utterances(6, names)


def test_every_utterance_is_as_likely_to_be_hidden() -> None:
    names = [f"u{number:04d}" for number in range(50)]
    times = dict.fromkeys(names, 0)
    for seed in range(2000):
        for name in pretag_hiding.hidden_utterances(seed, names):
            times[name] += 1
    assert all(320 < count < 480 for count in times.values())


MISC = codebook.parse(
    """
name = "misc"
version = "1"
label = "MISC"
counting = "utterance"
"""
    + "".join(
        f'[[codes]]\nname = "{name}"\nlabel = "{name}"\nletter = "{name}"\nkey = "{key}"\nrole = "{role}"\n'
        f'family = "{family}"\npretags = {pretags}\n{more}\n'
        for key, (name, role, family, pretags, more) in zip(
            "abcdefgh",
            [
                ("OQ", "interviewer", "question", ["question_open"], ""),
                ("CQ", "interviewer", "question", ["question_closed"], ""),
                ("R", "interviewer", "ours", ["reflection_simple", "reflection_complex"], ""),
                ("Praise", "interviewer", "ours", [], 'measure = "affirmation"'),
                ("GI", "interviewer", "ours", ["information"], ""),
                ("D+", "client", "ours", ["change"], ""),
                ("D-", "client", "ours", ["sustain"], ""),
                ("Ask", "client", "ours", [], ""),
            ],
            strict=True,
        )
    )
)


@pytest.mark.parametrize(
    ("task", "codes"),
    [
        ("oars", ["OQ", "R", "Praise"]),
        ("questions-and-reflections", ["OQ", "CQ", "R"]),
        ("depth", ["R"]),
        ("change-and-sustain", ["D+", "D-"]),
        ("around-change-talk", ["OQ", "CQ", "R", "Praise", "D+", "D-"]),
        ("mi-inconsistent", ["GI"]),
        ("all", ["OQ", "CQ", "R", "Praise", "GI", "D+", "D-", "Ask"]),
    ],
)
def test_a_task_asks_for_codes_by_what_they_mean_not_by_what_they_are_called(task: str, codes: list[str]) -> None:
    assert [code.name for code in observer_tasks.find_task(task).codes_in(MISC)] == codes


def test_oars_takes_questions_of_any_kind_where_the_book_does_not_tell_them_apart() -> None:
    names = {
        name: [code.name for code in observer_tasks.find_task("oars").codes_in(codebook_files.read(name))]
        for name in codebook_files.shipped()
    }
    assert names == {
        "pretags": ["question_open", "reflection_simple", "reflection_complex"],
        "miti-4.2": ["question", "reflection_simple", "reflection_complex", "affirmation"],
        "oars": ["question_open", "affirmation", "reflection", "summary"],
    }
