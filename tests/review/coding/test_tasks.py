from __future__ import annotations

import random

from pipeline.formats import codebooks
from pipeline.review.coding import blindness, tasks


def test_every_task_has_codes_in_the_book_of_the_pretags_or_of_miti() -> None:
    books = [codebooks.read(name) for name in ("pretags", "miti-4.2")]
    assert all(any(task.of(book) for book in books) for task in tasks.TASKS)
    assert len(tasks.offered(codebooks.read("oars"))) < len(tasks.TASKS)


def test_depth_of_reflections_asks_for_reflections_only() -> None:
    found = tasks.task("depth").of(codebooks.read("miti-4.2"))
    assert [code.name for code in found] == ["reflection_simple", "reflection_complex"]


def test_a_fifth_of_the_utterances_is_coded_without_the_machine() -> None:
    names = [f"u{number:04d}" for number in range(400)]
    chosen = blindness.hidden(5, names)
    assert len(chosen) == 80
    assert chosen == blindness.hidden(5, random.Random(1).sample(names, len(names)))
    assert chosen != blindness.hidden(6, names)


def test_every_utterance_is_as_likely_to_be_hidden() -> None:
    names = [f"u{number:04d}" for number in range(50)]
    times = dict.fromkeys(names, 0)
    for seed in range(2000):
        for name in blindness.hidden(seed, names):
            times[name] += 1
    assert all(320 < count < 480 for count in times.values())
