"""Names on a tape: found by the language model or marked by hand, and masked on their page."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import settings
from pipeline.review.coding import name_detection
from pipeline.review.coding.corrections import CorrectedUtterance, CorrectedWord


def utterance_of(text: str) -> CorrectedUtterance:
    words = tuple(CorrectedWord(f"w{at}", word, at * 100, at * 100 + 90) for at, word in enumerate(text.split()))
    return CorrectedUtterance("u1", "t1", "client", "S2", 0, words[-1].end, words)


class Entities:
    """Finds capitalized words, as a language model might."""

    def pipe(self, texts: list[str]) -> Any:
        for text in texts:
            entities, at = [], 0
            for word in text.split(" "):
                name = word.strip(".,")
                if name.istitle():
                    entities.append(Entity(at, at + len(name)))
                at += len(word) + 1
            yield Document(entities)


class Entity:
    label_ = "PERSON"

    def __init__(self, start: int, end: int) -> None:
        self.start_char, self.end_char = start, end


class Document:
    def __init__(self, ents: list[Entity]) -> None:
        self.ents = ents


def test_a_name_is_found_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_detection, "_language_model", lambda _: Entities())
    [name] = name_detection.detect_names([utterance_of("so my sister Caroline, said no")], settings.load().settings)
    assert (name.text, name.before, name.after) == ("Caroline,", "so my sister", "said no")


@pytest.mark.engines
def test_the_language_model_finds_a_person() -> None:
    loaded = settings.load().settings
    names = name_detection.detect_names([utterance_of("then Caroline Miller called me from Chicago")], loaded)
    assert [(name.text, name.kind) for name in names] == [("Caroline Miller", "person"), ("Chicago", "place")]
