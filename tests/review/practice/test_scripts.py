"""The role-plays as calibration tapes: the gold is what was scripted, and every line says why."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.formats import codebook_files
from pipeline.review.practice import scripts

RECORDINGS = Path(__file__).parents[2] / "recordings"

OTHERWISE = {("roleplay-swapped", "55"): "reflection_complex"}
"""Lines whose gold is another code than the script's: "halfway there" adds meaning."""


def recorded(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((RECORDINGS / f"{name}.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("name", scripts.ROLE_PLAYS)
def test_the_gold_is_what_was_scripted_and_said(name: str) -> None:
    rows, truth = scripts._rows(name), recorded(name)
    for part in ("utterance_id", "start", "end", "speaker", "role", "text"):
        assert [row[part] for row in rows] == [row[part] for row in truth]
    expected = [OTHERWISE.get((name, row["utterance_id"]), row["codes"]) for row in truth]
    assert [row["pretags"] for row in rows] == expected
    assert {row["target_behavior"] for row in truth} == {scripts.ROLE_PLAYS[name].target_behavior}


@pytest.mark.parametrize("name", scripts.ROLE_PLAYS)
@pytest.mark.parametrize("codebook", scripts.CODEBOOKS)
def test_every_line_has_its_sentence_and_codes_that_fit_its_speaker(name: str, codebook: str) -> None:
    book, gold = codebook_files.read(codebook), scripts.gold(name, codebook)
    spoken = {utterance.id: utterance for utterance in scripts.utterances(name)}
    assert spoken.keys() == gold.keys()
    for utterance_id, line in gold.items():
        assert line.why.endswith("."), utterance_id
        assert {book[code].role for code in line.codes} <= {spoken[utterance_id].role}
    given = {code for line in gold.values() for code in line.codes}
    assert len(given) > 3


def test_words_fill_their_utterance_in_order() -> None:
    for utterance in scripts.utterances("roleplay-alcohol"):
        times = [(word.start, word.end) for word in utterance.words]
        assert times[0][0] == utterance.start
        assert times[-1][1] == utterance.end
        assert all(earlier[1] == later[0] for earlier, later in pairwise(times))
    first = scripts.utterances("roleplay-alcohol")[0]
    # "Hi Mark, come on in." of 1290 ms by 16 letters: "Hi" has two of them.
    assert [word.text for word in first.words] == ["Hi", "Mark,", "come", "on", "in."]
    assert first.words[0].end - first.words[0].start == 2 * 1290 // 16


def test_the_sound_and_its_drawing_are_as_long_as_the_talk() -> None:
    for name in scripts.ROLE_PLAYS:
        last = scripts.utterances(name)[-1].end
        with scripts.sound(name) as wav:
            assert last < wav.frames * 1000 // wav.rate < last + 5000
            assert abs(len(scripts.peaks(name)) - wav.frames * scripts.PEAKS_PER_SECOND // wav.rate) <= 1
        assert max(scripts.peaks(name)) > 50


def test_the_recordings_are_packed_into_the_wheel() -> None:
    packed = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for name, role_play in scripts.ROLE_PLAYS.items():
        path = f"recordings/{name}{role_play.recording}"
        assert f'"tests/{path}" = "pipeline/_project/{path}"' in packed
