import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.codebook import CLIENT_CODES, CODES, INTERVIEWER_CODES
from pipeline.coding.inference.features import strip_punctuation
from pipeline.coding.tagger import Tagger
from pipeline.errors import CodingError
from pipeline.measures.session.draws import SESSION_EFFECTS

pytestmark = pytest.mark.engines

SESSION = (
    ("interviewer", "Thanks for coming in. What would you like to talk about today?", "question_open"),
    ("client", "Well, my drinking, I guess. My wife wants me to stop.", None),
    ("interviewer", "So your wife is worried about your drinking.", "reflection"),
    ("client", "Yeah. I really want to cut down, for the kids.", "change"),
    ("interviewer", "How would things be different for you if you drank less?", "question_open"),
    ("client", "I'd have more energy, and I could play with them after work.", "change"),
    ("interviewer", "It sounds like being there for them matters a great deal to you.", "reflection"),
    ("client", "Mm-hm.", "neutral"),
    ("interviewer", "Have you ever tried to quit before?", "question_closed"),
    ("client", "Yes, two years ago.", None),
    ("interviewer", "Okay.", "other"),
    ("client", "Okay.", "neutral"),
)


@pytest.fixture(scope="module")
def shipped() -> Tagger:
    return tagger.load(settings.load().settings)


def transcript(tape: str = "walk", *, strip: bool = False) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "tape_id": tape,
            "utterance_id": [str(number) for number in range(len(SESSION))],
            "role": [role for role, _, _ in SESSION],
            "text": [strip_punctuation(text) if strip else text for _, text, _ in SESSION],
            "target_behavior": "drinking less alcohol",
        }
    )


@pytest.mark.parametrize("strip", [False, True])
def test_a_plain_session_is_coded_as_a_listener_would(shipped: Tagger, strip: bool) -> None:
    coded = shipped.tag(transcript(strip=strip))
    expected = [(number, code) for number, (_, _, code) in enumerate(SESSION) if code]
    right = [coded["codes"].iloc[number].startswith(code) for number, code in expected]
    assert sum(right) >= len(right) - 1, coded[["text", "codes"]]


def test_probabilities_keep_to_their_role(shipped: Tagger) -> None:
    coded = shipped.tag(transcript())
    p = coded[[f"p_{code}" for code in CODES]]
    assert ((p >= 0) & (p <= 1)).all(axis=None)
    interviewer = coded["role"] == "interviewer"
    assert (p.loc[interviewer, [f"p_{code}" for code in CLIENT_CODES]] == 0).all(axis=None)
    assert (p.loc[~interviewer, [f"p_{code}" for code in INTERVIEWER_CODES]] == 0).all(axis=None)
    client = p.loc[~interviewer, [f"p_{code}" for code in CLIENT_CODES]].sum(axis=1)
    np.testing.assert_allclose(client, 1, atol=2e-6)
    assert coded["probability"].between(0, 1).all()
    assert coded["needs_check"].dtype == bool


def test_rows_columns_and_index_stay(shipped: Tagger) -> None:
    table = transcript().assign(note="kept").set_index(pd.Index(range(100, 100 + len(SESSION))))
    before = table.copy()
    coded = shipped.tag(table)
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(coded[list(table.columns)], table)
    assert list(coded.columns[-12:]) == ["codes", "probability", "needs_check", *(f"p_{code}" for code in CODES)]


def test_tapes_side_by_side_are_coded_as_alone(shipped: Tagger) -> None:
    reversed_rows = transcript("two").iloc[::-1]
    both = pd.concat([transcript("one"), reversed_rows]).sort_values(
        "utterance_id", key=lambda ids: ids.astype(int), kind="stable"
    )
    together = shipped.tag(both)
    alone = shipped.tag(transcript("one"))
    pd.testing.assert_frame_equal(together[together["tape_id"] == "one"], alone)


def test_any_text_any_role_and_a_missing_target_are_taken(shipped: Tagger) -> None:
    texts = ["", None, float("nan"), "   ", "?", "\x00", "word " * 3000, "\N{PILE OF POO}", "Ünïcödé"]
    for role in ("interviewer", "client", "unknown"):
        table = pd.DataFrame({"tape_id": "x", "utterance_id": range(len(texts)), "role": role, "text": texts})
        coded = shipped.tag(table)
        assert coded[[f"p_{code}" for code in CODES]].notna().all(axis=None)
        assert (coded["codes"] == "").all() == (role == "unknown")
    assert (coded["probability"] == 0).all()
    assert coded["needs_check"].all()


def test_one_row_and_no_row_are_coded(shipped: Tagger) -> None:
    assert shipped.tag(transcript().iloc[:1])["codes"].iloc[0] == "question_open"
    empty = shipped.tag(transcript().iloc[:0])
    assert len(empty) == 0
    assert "p_neutral" in empty


def test_the_tagger_has_the_session_effects(shipped: Tagger) -> None:
    assert set(shipped.session_effect_sd) == set(SESSION_EFFECTS)
    assert all(0 <= deviation < 3 for deviation in shipped.session_effect_sd.values())


def test_progress_ends_at_one(shipped: Tagger) -> None:
    shares: list[float] = []
    shipped.tag(transcript(), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_missing_tagger_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAPE_REVIEW_CODING__TAGGER", str(tmp_path))
    with pytest.raises(CodingError, match="TR-C04"):
        tagger.load(settings.load().settings)


PROGRAM = r"""
import re, sys, time
from pathlib import Path
import pandas as pd
from pipeline import settings
from pipeline.coding import tagger
rows = [(f"{n}", "client" if n % 2 else "interviewer", f"So um I was thinking about number {n} and, you know, "
         "what it would take to get there, what do you think about it?") for n in range(400)]
table = pd.DataFrame(rows, columns=["utterance_id", "role", "text"]).assign(tape_id="t", target_behavior="x")
start = time.process_time()
tagger.load(settings.load().settings).tag(table)
seconds = time.process_time() - start
peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
print(seconds, peak / 1024, "torch" in sys.modules)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak memory is read from /proc")
def test_400_utterances_take_little_time_and_memory_and_no_torch() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    seconds, megabytes, torch = done.stdout.split()
    assert float(seconds) < 20  # of one core
    assert float(megabytes) < 800
    assert torch == "False"


def test_a_target_behavior_that_any_row_of_a_tape_names_holds_for_the_tape(shipped: Tagger) -> None:
    whole, late = transcript(), transcript().assign(target_behavior="")
    late.loc[late["role"] == "client", "target_behavior"] = "drinking less alcohol"
    other = transcript("other").assign(target_behavior="  ")
    coded = shipped.tag(pd.concat([other, late], ignore_index=True))
    codes = [f"p_{code}" for code in CODES]
    alone = coded[coded["tape_id"] == "walk"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone[codes], shipped.tag(whole)[codes])
    assert list(alone["target_behavior"]) == list(late["target_behavior"])
    without = shipped.tag(transcript().assign(target_behavior=""))
    assert not np.allclose(without["p_change"], alone["p_change"])


@pytest.mark.parametrize("text", ["", "...", None])
def test_what_holds_no_words_has_no_code(shipped: Tagger, text: str | None) -> None:
    table = transcript()
    table.loc[[2, 3], "text"] = text
    coded = shipped.tag(table)
    assert list(coded["codes"].iloc[[2, 3]]) == ["", ""]
    assert coded["needs_check"].iloc[[2, 3]].all()
    assert (coded[[f"p_{code}" for code in CODES]].iloc[[2, 3]] == 0).all(axis=None)
    assert coded["codes"].iloc[4] == "question_open"
