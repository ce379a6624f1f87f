"""Ratings, names, and files of one's own pass."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import webvtt

from pipeline import settings
from pipeline.review.coding import name_detection
from pipeline.review.coding.corrections import Utterance, Word
from tests.review.coding.conftest import Table

ANSWERS = {"cultivating_change_talk": 3, "softening_sustain_talk": 4, "partnership": 5, "empathy": 2}


def test_the_four_ratings_are_kept_sealed(table: Table) -> None:
    ada = table.ada.begin()
    assert ada.browser.post(f"{ada.place}/ratings", dict(ANSWERS)).status_code == 303
    page = ada.browser.get(f"{ada.place}/ratings").text
    assert page.count(" checked") == 4
    assert 'Technical: <strong class="num">3.5</strong>' in page
    database = table.room.home.folder / "tapes.sqlite3"
    log = database.with_name(f"{database.name}-wal")
    assert not any(b"cultivating" in file.read_bytes() for file in (database, log) if file.exists())


@pytest.mark.parametrize("value", ["0", "6", "3.5", "x"])
def test_a_rating_lies_between_one_and_five(table: Table, value: str) -> None:
    ada = table.ada.begin()
    assert ada.browser.post(f"{ada.place}/ratings", {"empathy": value}).status_code == 422


def test_the_ratings_of_ended_passes_stand_side_by_side(table: Table) -> None:
    ada, ben = table.ada.begin(), table.ben.begin()
    ada.browser.post(f"{ada.place}/ratings", dict(ANSWERS))
    ben.browser.post(f"{ben.place}/ratings", {"empathy": 4})
    ada.lock()
    page = ada.browser.get(f"/tapes/{ada.tape_id}/together").text
    assert 'Empathy</th><td class="num">2</td></tr>' in page  # Ben is still at it
    ben.lock()
    page = ben.browser.get(f"/tapes/{ada.tape_id}/together").text
    assert 'name">Ada</th><th scope="col" class="num name">Ben</th>' in page
    assert 'Empathy</th><td class="num">2</td><td class="num">4</td></tr>' in page
    assert 'Partnership</th><td class="num">5</td><td class="num">–</td></tr>' in page


def test_codes_go_to_other_programs(table: Table) -> None:
    ada = table.ada.begin()
    ada.code("u0001", "question_open")
    ada.code("u0002", "change", action="unsure")
    rows = list(csv.DictReader(io.StringIO(ada.browser.get(f"{ada.place}/codes.csv").text)))
    assert [(row["codes"], row["unsure"]) for row in rows[:3]] == [
        ("question_open", "false"),
        ("change", "true"),
        ("", "false"),
    ]
    text = ada.browser.get(f"{ada.place}/codes.vtt").text
    captions = list(webvtt.from_buffer(io.StringIO(text)))
    assert len(captions) == len(rows)
    assert captions[0].text.endswith("[Open question]")
    assert captions[0].voice == "interviewer"
    assert ada.browser.get(f"{ada.place}/codes.exe").status_code == 404


def said(text: str) -> Utterance:
    words = tuple(Word(f"w{at}", word, at * 100, at * 100 + 90) for at, word in enumerate(text.split()))
    return Utterance("u1", "t1", "client", "S2", 0, words[-1].end, words)


class Entities:
    """Finds capitalized words, as a language model might."""

    def pipe(self, texts: list[str]) -> Any:
        for text in texts:
            found, at = [], 0
            for word in text.split(" "):
                name = word.strip(".,")
                if name.istitle():
                    found.append(Entity(at, at + len(name)))
                at += len(word) + 1
            yield Document(found)


class Entity:
    label_ = "PERSON"

    def __init__(self, start: int, end: int) -> None:
        self.start_char, self.end_char = start, end


class Document:
    def __init__(self, ents: list[Entity]) -> None:
        self.ents = ents


def test_a_name_is_found_in_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_detection, "_language_model", lambda _: Entities())
    [found] = name_detection.detect_names([said("so my sister Caroline, said no")], settings.load().settings)
    assert (found.text, found.before, found.after) == ("Caroline,", "so my sister", "said no")


def test_names_can_be_marked_where_no_language_model_is(tmp_path: Any) -> None:
    loaded = settings.load().settings
    empty = loaded.model_copy(update={"models": loaded.models.model_copy(update={"folder": str(tmp_path)})})
    masked = said("ask Bo again")
    masked = Utterance(
        *(masked.id, masked.turn, masked.role, masked.speaker, masked.start, masked.end),
        (masked.words[0], Word("w1", "Bo", 100, 190, True), masked.words[2]),
    )
    assert [one.text for one in name_detection.detect_names([masked], empty)] == ["Bo"]


def test_names_are_reviewed_on_a_page(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_detection, "_language_model", lambda _: Entities())
    ada = table.ada.begin()
    page = ada.browser.get(f"/tapes/{table.tape_id}/names").text
    assert "Mask it" in page
    word = ada.state()["utterances"][0]["words"][0]
    path = f"/tapes/{table.tape_id}/names"
    assert ada.browser.post(path, {"word": word["id"], "on": "1"}).status_code == 303
    assert ada.state()["utterances"][0]["words"][0]["text"] == "▇▇▇"
    assert table.interviewer.begin().state()["utterances"][0]["words"][0]["text"] == word["text"]
    assert ada.browser.post(path, {"word": word["id"], "on": "0"}).status_code == 422
    assert table.interviewer.browser.post(path, {"word": word["id"], "on": "0"}).status_code == 303
    assert ada.state()["utterances"][0]["words"][0]["text"] == word["text"]
    assert ada.browser.post(path, {"word": "w99999", "on": "1"}).status_code == 404


@pytest.mark.engines
def test_the_language_model_finds_a_person() -> None:
    loaded = settings.load().settings
    found = name_detection.detect_names([said("then Caroline Miller called me from Chicago")], loaded)
    assert [(one.text, one.kind) for one in found] == [("Caroline Miller", "person"), ("Chicago", "place")]
