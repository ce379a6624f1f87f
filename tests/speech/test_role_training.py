"""Training of the role model, and how often it is right on sessions that it did not see."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from pipeline.coding.training import data
from pipeline.errors import SpeechError
from pipeline.settings import project_folder
from pipeline.speech import role_training, roles
from pipeline.speech.roles import RoleModel

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SHIPPED = project_folder("models") / "roles"


def table(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Utterances from (tape, role, text, start in ms), all of fold 0."""
    return pd.DataFrame(rows, columns=["tape_id", "role", "text", "start"]).assign(fold=0)


def test_sessions_have_turns_of_numbered_speakers() -> None:
    rows = table(
        ("a", "client", "I run.", 0),
        ("a", "interviewer", "So you run.", 1000),
        ("a", "interviewer", "What else?", 2000),
        ("alone", "client", "Hello?", 0),
    )
    (session,) = role_training.sessions(rows)
    assert (session.tape_id, session.interviewer) == ("a", "S2")
    assert [(turn.speaker, turn.text) for turn in session.turns] == [("S1", "I run."), ("S2", "So you run. What else?")]
    assert [turn.text for turn in session.bare().turns] == ["i run", "so you run what else"]


def test_the_opening_is_the_first_five_minutes() -> None:
    rows = table(("a", "client", "Hello.", 0), ("a", "interviewer", "Hi.", 299_999), ("a", "client", "Bye.", 300_000))
    (session,) = role_training.sessions(rows)
    assert [turn.text for turn in session.opening().turns] == ["Hello.", "Hi."]


def test_accuracy_leaves_short_sessions_out() -> None:
    rows = [("a", 20, "session", True), ("b", 30, "session", False), ("c", 19, "session", True)]
    predictions = pd.DataFrame(rows, columns=["tape_id", "utterances", "version", "right"])
    assert role_training.accuracy(predictions) == {"session": (1, 2)}


def test_missing_folds_are_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="TR-P03"):
        role_training.read_folds(tmp_path)


@pytest.mark.parametrize(
    ("version", "floor"), [("session", 0.98), ("session, bare", 0.98), ("opening", 0.95), ("opening, bare", 0.95)]
)
def test_roles_are_right_on_sessions_that_were_not_learned_from(version: str, floor: float) -> None:
    right, number = role_training.accuracy(role_training.read_folds(SHIPPED))[version]
    assert number >= 50
    assert right / number >= floor


@pytest.mark.engines
def test_the_stored_weights_come_from_the_data() -> None:
    if not (DATA / data.FILE).exists():
        pytest.skip("the training data are not on this machine")
    stored = json.loads((SHIPPED / roles.FILE).read_text())
    assert stored["data"]["sha256"] == data.checksum(DATA)
    model, fitted = RoleModel.read(SHIPPED), role_training.fit(role_training.sessions(data.read(DATA)))
    # Weights are kept with three decimals; another processor's arithmetic may round the last one the other way.
    assert fitted.words == pytest.approx(dict(model.words), rel=0, abs=0.0015)
    assert fitted.cues == pytest.approx(dict(model.cues), rel=0, abs=0.0015)
