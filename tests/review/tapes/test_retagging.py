"""Roles that somebody names voice by voice: suggestions and figures follow, and come back when it is taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from pipeline.coding.codebook import CODES
from pipeline.review.tapes import retagging
from pipeline.tapes.db.records import Pretag, Tape
from pipeline.tapes.vault.stage_store import item_row
from tests.review.conftest import Room

SPOKEN = ("What brings you here?", "I want to drink less.", "He drinks every day.", "I will stop.")


class ByRole:
    """Proposes an open question for each of the interviewer's utterances, and change talk for each of a client's."""

    session_effect_sd: Mapping[str, float] = {}

    def tag(self, table: pd.DataFrame) -> pd.DataFrame:
        codes = table["role"].map({"interviewer": "question_open", "client": "change"}).fillna("")
        chances = {f"p_{code}": (codes == code) * 0.8 for code in CODES}
        return table.assign(codes=codes, probability=0.8, needs_check=False, **chances)


class Session:
    """A tape of three voices, all of them without a role, as a worker leaves it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        group = room.group()
        self.ada = room.person("Ada", group)
        self.tape = room.tape(group, self.ada)
        voices = ("S1", "S2", "S3", "S2")
        rows = [
            {
                "utterance_id": f"u{number}",
                "turn_id": f"t{number}",
                "role": "unknown",
                "speaker": voice,
                "start": 10_000 * number,
                "end": 10_000 * number + 5_000,
                "text": text,
                "words": [[10_000 * number, 10_000 * number + 5_000, text, 0.9]],
            }
            for number, (voice, text) in enumerate(zip(voices, SPOKEN, strict=True))
        ]
        whole = json.dumps({"format": 1, "engine": {}, "utterances": rows, "vocalizations": [], "suppressed": []})
        put = room.home.vault.put(self.tape, "transcript", whole.encode())
        with room.home.database.writing() as database:
            tape = database.get_one(Tape, self.tape)
            tape.speakers = {"roles": dict.fromkeys(("S1", "S2", "S3"), "unknown"), "probability": 0.0}
            database.add(item_row(put, room.clock()))
            for utterance in tape_utterances(database, self.tape):
                utterance.role, utterance.speaker = "unknown", voices[utterance.position]
            database.add_all(
                Pretag(tape_id=self.tape, utterance_id=f"u{n}", codes=[], probability=0.0, needs_check=True, p={})
                for n in range(4)
            )

    def suggested(self) -> dict[str, tuple[str, ...]]:
        with self.room.home.database.reading() as database:
            current = retagging.suggestions(database, self.room.home, [self.tape])[self.tape]
        return {suggestion.utterance_id: suggestion.codes for suggestion in current}


def tape_utterances(database: Any, tape_id: str) -> list[Any]:
    from sqlalchemy import select

    from pipeline.tapes.db.records import Utterance

    return list(database.scalars(select(Utterance).where(Utterance.tape_id == tape_id)))


@pytest.fixture
def session(room: Room, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("pipeline.review.tapes.retagging.tagger.load", lambda settings: ByRole())
    return Session(room)


def test_each_voice_gets_a_role_and_codes_and_figures_follow(room: Room, session: Session) -> None:
    ada, path = room.signed_in(session.ada), f"/tapes/{session.tape}/voices"
    assert ada.get(path).text.count("<select") == 3
    answer = ada.post(path, {"speaker": ["S1", "S2", "S3"], "speaker_role": ["interviewer", "client", "client"]})
    assert answer.status_code == 303
    assert session.suggested() == {
        "u0": ("question_open",),
        **dict.fromkeys(("u1", "u2", "u3"), ("change",)),
    }
    ada.post(f"/tapes/{session.tape}/first", {"step": "waive"})
    summary = ada.get(f"/tapes/{session.tape}/summary").text
    assert "The machine took the wrong voice" not in summary
    assert "100" in summary  # %CT: three of three


def test_a_third_person_has_no_codes(room: Room, session: Session) -> None:
    roles = {"speaker": ["S1", "S2", "S3"], "speaker_role": ["interviewer", "client", "other"]}
    room.signed_in(session.ada).post(f"/tapes/{session.tape}/voices", roles)
    assert session.suggested() == {"u0": ("question_open",), "u1": ("change",), "u2": (), "u3": ("change",)}


def test_what_was_said_last_can_be_taken_back(room: Room, session: Session) -> None:
    ada, path = room.signed_in(session.ada), f"/tapes/{session.tape}/voices"
    ada.post(path, {"interviewer": "S1"})
    first = session.suggested()
    ada.post(path, {"interviewer": "S2"})
    assert session.suggested() != first
    assert ada.post(path, {"undo": "true"}).status_code == 303
    assert session.suggested() == first
    ada.post(path, {"undo": "true"})
    assert set(session.suggested().values()) == {()}
    assert ada.post(path, {"undo": "true"}).status_code == 404


@pytest.mark.parametrize(
    "form",
    [{"speaker": ["S1", "S9"], "speaker_role": ["client", "client"]}, {"speaker": ["S1"], "speaker_role": []}, {}],
    ids=["a voice that is not there", "no role", "nothing"],
)
def test_a_form_that_names_nobody_s_role_changes_nothing(form: dict[str, Any], room: Room, session: Session) -> None:
    assert room.signed_in(session.ada).post(f"/tapes/{session.tape}/voices", form).status_code == 404
    assert set(session.suggested().values()) == {()}
