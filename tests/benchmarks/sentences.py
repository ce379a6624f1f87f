"""How the tagger that ships does on single sentences: ``python -m tests.benchmarks.sentences``

The units are the lines of the 20-minute role-play's script, each one complete thought; listening noises and pauses are
left out. They are tagged as written, and bare (without punctuation and case).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.training.folds import VARIANTS, text_variants
from tests.recordings import script

SCRIPT = Path(__file__).resolve().parents[1] / "recordings" / "scripts" / "session-20-minutes.txt"
BEHAVIORS: Mapping[str, frozenset[str]] = {
    "questions": frozenset({"question_open", "question_closed"}),
    "reflections": frozenset({"reflection_simple", "reflection_complex"}),
    "information": frozenset({"information"}),
    "change talk": frozenset({"change"}),
    "sustain talk": frozenset({"sustain"}),
}


def transcript(told: script.Script) -> pd.DataFrame:
    """A script as a transcript, with its author's codes as ``by_hand``."""
    rows = [{"role": line.role, "text": line.text, "by_hand": "|".join(line.codes)} for line in told.lines if line.text]
    return pd.DataFrame(rows).assign(
        tape_id=told.name,
        utterance_id=[str(number) for number in range(len(rows))],
        target_behavior=told.target_behavior,
    )


def proposals(by_hand: pd.Series, codes: pd.Series) -> dict[str, tuple[int, int, int]]:
    """Behavior -> how many utterances have it, in how many of them it is found, in how many others it is proposed."""
    counts = {}
    for behavior, names in BEHAVIORS.items():
        meant, proposed = (~column.str.split("|").map(names.isdisjoint) for column in (by_hand, codes))
        counts[behavior] = int(meant.sum()), int((meant & proposed).sum()), int((proposed & ~meant).sum())
    return counts


def main() -> None:
    """Print a line a behavior."""
    tags, rows = tagger.load(settings.load().settings), transcript(script.read(SCRIPT))
    for label, texts in zip(VARIANTS, text_variants(rows), strict=True):
        for behavior, (meant, proposed, more) in proposals(rows["by_hand"], tags.tag(texts)["codes"]).items():
            print(f"{label}: {behavior}: {proposed} of {meant} found, and {more} more proposed")


if __name__ == "__main__":
    main()
