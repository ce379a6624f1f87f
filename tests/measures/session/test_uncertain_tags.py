import pytest

from pipeline.measures.session.uncertain_tags import uncertain_tags
from tests.measures.samples import coded, table


def test_doubts_begin_with_the_least_certain_and_name_the_next_best() -> None:
    result = uncertain_tags(coded())
    assert [(doubt.utterance_id, doubt.instead, doubt.decision) for doubt in result[:4]] == [
        ("u0056", None, "client"),
        ("u0019", "change", "client"),
        ("u0033", None, "client"),
        ("u0038", "question_closed", "question"),
    ]
    assert result[0].instead_probability == pytest.approx(0.49)
    assert [doubt.probability for doubt in result] == sorted(doubt.probability for doubt in result)


def test_only_rows_with_a_role_a_probability_and_a_need_are_in_doubt() -> None:
    rows = coded("I other .5 One two three.\nI other .5 One two.\nU - .5 One.\nC change .9 One.")
    rows.loc[1, "probability"] = None
    assert [doubt.utterance_id for doubt in uncertain_tags(rows)] == ["u0001"]
    assert uncertain_tags(table(("I", "other"))) == ()
