import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.features import Neighbors, handmade_features, lexical_terms, normalize, strip_punctuation


def session(*rows: tuple[str, str], tape: str = "a") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["role", "text"])
    return table.assign(tape_id=tape, target_behavior="walking more")


def test_neighbors_are_the_other_stretch_on_either_side() -> None:
    table = session(
        ("interviewer", "How are you?"),
        ("client", "Well."),
        ("unknown", "(a door)"),
        ("client", "It rained."),
        ("interviewer", "So you stayed in."),
    )
    neighbors = Neighbors.of(table)
    assert neighbors.before == ((), (0,), (), (0,), (1, 3))
    assert neighbors.after == ((1, 3), (4,), (), (4,), ())
    assert neighbors.position.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_neighbors_are_of_the_same_tape() -> None:
    first, second = session(("interviewer", "Hi."), tape="a"), session(("client", "Hello."), tape="b")
    neighbors = Neighbors.of(pd.concat([first, second], ignore_index=True))
    assert neighbors.before == ((), ())
    assert neighbors.after == ((), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Don’t you?  So", "don't you so"), ("", ""), ("?!", ""), ("CAFÉ 20-20", "café 20 20")],
)
def test_punctuation_and_case_are_removed(text: str, expected: str) -> None:
    assert strip_punctuation(text) == expected


def test_a_missing_text_is_empty() -> None:
    assert normalize(float("nan")) == ""
    assert lexical_terms("") == "^ ^"


def test_handmade_features_see_questions_without_a_mark() -> None:
    marked, unmarked, statement = handmade_features(
        session(("interviewer", "What helps you?"), ("interviewer", "what helps you"), ("interviewer", "That helps.")),
        Neighbors.of(session(("interviewer", ""), ("interviewer", ""), ("interviewer", ""))),
    )
    assert (marked != unmarked).sum() == 4  # length and position differ, and the two features of the mark itself
    assert not np.array_equal(unmarked, statement)


def test_handmade_features_of_any_text_are_finite_and_small() -> None:
    table = session(("client", ""), ("client", "x " * 5000), ("unknown", "???"), ("interviewer", "\N{PILE OF POO}"))
    features = handmade_features(table, Neighbors.of(table))
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 4
