import numpy as np
import pandas as pd
import pytest

from pipeline.coding.inference.features import Context, bare, hand, lexical, normalized


def session(*rows: tuple[str, str], tape: str = "a") -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["role", "text"])
    return table.assign(tape_id=tape, target_behavior="walking more")


def test_context_is_the_other_stretch_on_either_side() -> None:
    table = session(
        ("interviewer", "How are you?"),
        ("client", "Well."),
        ("unknown", "(a door)"),
        ("client", "It rained."),
        ("interviewer", "So you stayed in."),
    )
    context = Context.of(table)
    assert context.before == ((), (0,), (), (0,), (1, 3))
    assert context.after == ((1, 3), (4,), (), (4,), ())
    assert context.position.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_tapes_do_not_see_each_other() -> None:
    one, two = session(("interviewer", "Hi."), tape="a"), session(("client", "Hello."), tape="b")
    context = Context.of(pd.concat([one, two], ignore_index=True))
    assert context.before == ((), ())
    assert context.after == ((), ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Don’t you?  So", "don't you so"), ("", ""), ("?!", ""), ("CAFÉ 20-20", "café 20 20")],
)
def test_bare_is_without_marks_and_case(text: str, expected: str) -> None:
    assert bare(text) == expected


def test_a_missing_text_is_empty() -> None:
    assert normalized(float("nan")) == ""
    assert lexical("") == "^ ^"


def test_hand_features_see_questions_without_a_mark() -> None:
    marked, unmarked, told = hand(
        session(("interviewer", "What helps you?"), ("interviewer", "what helps you"), ("interviewer", "That helps.")),
        Context.of(session(("interviewer", ""), ("interviewer", ""), ("interviewer", ""))),
    )
    assert (marked != unmarked).sum() == 4  # length and position differ, and the two features of the mark itself
    assert not np.array_equal(unmarked, told)


def test_hand_features_of_any_text_are_finite_and_small() -> None:
    table = session(("client", ""), ("client", "x " * 5000), ("unknown", "???"), ("interviewer", "\N{PILE OF POO}"))
    found = hand(table, Context.of(table))
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 4
