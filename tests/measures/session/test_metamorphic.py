"""What must not change in one tape's measures, and what must, when the tape changes in a way whose effect is known."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.coding.volleys import volleys
from pipeline.formats import codebook_files
from pipeline.measures.session.context import change_talk_context
from pipeline.measures.session.counts import BY_UTTERANCE, BY_VOLLEY, CountingRule
from pipeline.measures.session.measures import SessionMeasures, session_measures
from tests.measures.samples import coded


def tape() -> pd.DataFrame:
    """The invented session, certain of its codes, with its volleys."""
    table = coded()
    table = table.drop(columns=[column for column in table if column.startswith("p_")]).assign(probability=1.0)
    return table.assign(volley=volleys(table))


def counted(result: SessionMeasures) -> dict[str, float | None]:
    return {name: each.value for part in (result.counts, result.oars, result.client) for name, each in part.items()}


@pytest.mark.parametrize("rule", [BY_UTTERANCE, BY_VOLLEY])
def test_a_tape_that_is_split_between_turns_counts_as_its_parts_together(rule: CountingRule) -> None:
    whole = tape()
    wanted = counted(session_measures(whole, rule, draws=50))
    turn, volley = whole["turn_id"].to_numpy(), whole["volley"].astype(float)
    cuts = [at for at in range(1, len(whole)) if turn[at] != turn[at - 1] and volley[:at].max() < volley[at:].min()]
    for at in cuts[::5]:
        parts = [counted(session_measures(part, rule, draws=50)) for part in (whole.iloc[:at], whole.iloc[at:])]
        for name, value in wanted.items():
            assert value is None or value == sum(part.get(name) or 0 for part in parts), name
    assert len(cuts) > 20


@pytest.mark.parametrize("rule", [BY_UTTERANCE, BY_VOLLEY])
def test_other_names_and_a_later_start_change_no_figure(rule: CountingRule) -> None:
    table = tape()
    other = table.assign(
        tape_id="else",
        utterance_id="x" + table["utterance_id"],
        turn_id="y" + table["turn_id"],
        start=table["start"] + 60_000,
        end=table["end"] + 60_000,
    )
    assert session_measures(other, rule, draws=50) == session_measures(table, rule, draws=50)
    same = [
        column
        for column in change_talk_context(table)
        if "utterance" not in column and column not in ("tape_id", "start", "end")
    ]
    pd.testing.assert_frame_equal(change_talk_context(other, rule)[same], change_talk_context(table, rule)[same])


@pytest.mark.parametrize("book", ["pretags", "miti-4.2", "oars"])
def test_a_tape_without_codes_has_counts_of_nothing_and_no_ratio(book: str) -> None:
    measures = session_measures(tape().assign(codes=""), codebook_files.read(book).rule(), draws=50)
    assert {value for value in counted(measures).values() if value is not None} <= {0}
    for name, ratio in measures.ratios.items():
        assert ratio.value is None, name


@pytest.mark.parametrize(("code", "role"), [("question_open", "interviewer"), ("change", "client")])
def test_a_tape_coded_alike_throughout_counts_every_utterance_of_its_role(code: str, role: str) -> None:
    table = tape()
    measures = session_measures(table.assign(codes=code), BY_UTTERANCE, draws=50)
    assert measures.counts[code].value == (table["role"] == role).sum()
    assert sum(value.value or 0 for name, value in measures.counts.items() if name != code) == 0
