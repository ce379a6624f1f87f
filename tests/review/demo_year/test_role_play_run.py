"""A role-play becomes a tape with its script's words and, save for the machine's mistakes, its script's codes."""

from __future__ import annotations

from pathlib import Path

from pipeline import settings
from pipeline.review.demo_year.role_play_run import SIMULATED, gold_codes, run_role_play
from pipeline.review.practice import scripts


def test_the_words_and_roles_are_the_script_s_and_most_codes(tmp_path: Path) -> None:
    made = run_role_play("roleplay-swapped", "tape1", 0, 1, settings.load().settings, tmp_path)
    spoken = scripts.utterances("roleplay-swapped")
    table = made.table
    assert list(table["text"]) == [" ".join(word.text for word in utterance.words) for utterance in spoken]
    assert list(table["role"]) == [utterance.role for utterance in spoken]
    assert set(table["tape_id"]) == {"tape1"}
    gold = gold_codes("roleplay-swapped")
    right = [row.codes == "|".join(gold[row.utterance_id]) for row in table.itertuples()]
    assert 0.65 < sum(right) / len(right) < 0.95
    assert list(table["needs_check"]) == [not agrees for agrees in right], "what the machine mistakes is to be checked"
    assert SIMULATED in made.files["report.html"].decode()
    assert SIMULATED in made.files["provenance.json"].decode()
