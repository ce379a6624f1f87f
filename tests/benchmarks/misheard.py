"""Does it help to have learned from misheard words? ``python -m tests.benchmarks.misheard --data DATA --keep KEEP``

Sessions are spoken by plain synthetic voices into a reverberant, noisy room and transcribed by ours. What becomes of
the words of some training sessions is put into all of them at random, and a network learns from that, beside the slips
that training has anyway. On held-out sessions, as written and as heard, it is set beside the networks that
``tape-review train --keep KEEP`` has left for the same fold. KEEP keeps what was heard, and the new network. Needs
`flite` (Debian); an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from safetensors.torch import load_file, save_file
from scipy.signal import fftconvolve

from pipeline import models, settings
from pipeline.coding import evaluation, finetuning, spoiling, tagger, training, weights
from pipeline.coding.classifier import OUTPUTS, Inputs, mixed
from pipeline.coding.features import bare
from pipeline.coding.network import Network
from pipeline.formats import annomi
from pipeline.progress import Progress, ignore
from pipeline.speech import transcriber
from tests.benchmarks.spoken import RATE, recognized
from tests.benchmarks.taggers import told

DECAY, DIRECT, NOISE = 0.4, 3.0, 12.0
"""Seconds in which the room's echo falls by 60 dB; how far it lies below the voice in dB, and the room's noise."""
LONGEST, UNSURE = 3, 3
"""Most words that are misheard as one; how many times more than it was each phrase is taken to have been heard well."""


def in_a_room(sound: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A voice from the other side of a room, with that room's noise, which falls by 3 dB an octave."""
    length = int(DECAY * RATE)
    echo = generator.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    echo *= 10 ** (-DIRECT / 20) / np.sqrt((echo**2).sum())
    echo[0] += 1
    far = fftconvolve(sound, echo)[: len(sound)]
    spectrum = np.fft.rfft(generator.standard_normal(len(far)))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), len(far))
    noise *= 10 ** (-NOISE / 20) * np.sqrt((far**2).mean() / (noise**2).mean())
    return (far + noise).astype(np.float32)


@dataclass(frozen=True)
class Mishearings:
    """Phrase -> what it is taken for -> how often, as a share of the times it is said."""

    shares: Mapping[str, Mapping[str, float]]

    @classmethod
    def learned(cls, said: Sequence[str], heard: Sequence[str]) -> Mishearings:
        """What becomes of which words, of utterances without marks; empty ones are left out."""
        pairs = [(one, other) for one, other in zip(said, heard, strict=True) if one and other]
        aligned = jiwer.process_words([one for one, _ in pairs], [other for _, other in pairs])
        taken: dict[str, Counter[str]] = {}
        for words, others, chunks in zip(aligned.references, aligned.hypotheses, aligned.alignments, strict=True):
            differing: list[list[int]] = []
            for chunk in chunks:
                ends = [chunk.ref_start_idx, chunk.ref_end_idx, chunk.hyp_start_idx, chunk.hyp_end_idx]
                if chunk.type == "equal":
                    continue
                if differing and (differing[-1][1], differing[-1][3]) == (ends[0], ends[2]):
                    differing[-1][1], differing[-1][3] = ends[1], ends[3]
                else:
                    differing.append(ends)
            for start, end, other_start, other_end in differing:
                if 0 < end - start <= LONGEST:
                    phrase = " ".join(words[start:end])
                    taken.setdefault(phrase, Counter())[" ".join(others[other_start:other_end])] += 1
        times: Counter[str] = Counter()
        for words in aligned.references:
            for length in range(1, LONGEST + 1):
                times.update(" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
        return cls(
            {
                phrase: {other: count / (times[phrase] + UNSURE) for other, count in counts.items()}
                for phrase, counts in taken.items()
            }
        )

    def __call__(self, text: str, generator: np.random.Generator) -> str:
        """A text with words misheard at random; where the text ended in a mark, it still does."""
        words = text.split()
        found: list[str] = []
        at = 0
        while at < len(words):
            for length in range(min(LONGEST, len(words) - at), 0, -1):
                last = words[at + length - 1]
                shares = self.shares.get(bare(" ".join(words[at : at + length])), {})
                chance = generator.random() if shares else 1.0
                if chance < sum(shares.values()):
                    reached = np.searchsorted(np.cumsum(list(shares.values())), chance, side="right")
                    other = list(shares)[int(reached)]
                    found += [other + last[len(last.rstrip(".?!,")) :]] if other else []
                    at += length
                    break
            else:
                found.append(words[at])
                at += 1
        return " ".join(found) or text


def some_sessions(table: pd.DataFrame, utterances: int, generator: np.random.Generator) -> pd.DataFrame:
    """Whole sessions, drawn at random, with about as many utterances."""
    tapes = generator.permutation(table["tape_id"].unique())
    sizes = table.groupby("tape_id").size().loc[tapes].cumsum()
    return table[table["tape_id"].isin(tapes[: int((sizes <= utterances).sum())])]


def heard(rows: pd.DataFrame, kept: Path, seed: int, progress: Progress = ignore) -> pd.DataFrame:
    """Sessions with the texts that were heard, tape by tape as they are kept."""
    generator = np.random.default_rng(seed)
    known = json.loads(kept.read_text()) if kept.exists() else {}
    ours = transcriber.load(settings.load().settings)
    for number, (tape, part) in enumerate(rows.groupby("tape_id", sort=False)):
        own = np.random.default_rng(generator.integers(2**32))
        if str(tape) not in known:
            with tempfile.TemporaryDirectory() as name:
                known[str(tape)] = recognized(part, Path(name), ours, lambda sound, own=own: in_a_room(sound, own))
            kept.write_text(json.dumps(known))
        progress((number + 1) / rows["tape_id"].nunique())
    texts = [text for tape in rows["tape_id"].unique() for text in known[str(tape)]]
    return rows.assign(text=texts)


def main() -> None:
    """Hear, learn, and print a line a figure."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.misheard", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learned", type=int, default=1200, help="utterances that are heard to learn what is misheard")
    parser.add_argument("--held", type=int, default=600, help="utterances of the fold that are heard")
    asked = parser.parse_args()
    chosen = settings.load().settings
    folder = models.folder(chosen.coding.encoder, chosen.models)
    table = annomi.read(asked.data)
    rest = table[table["fold"] != asked.fold]
    draw = np.random.default_rng(0)
    console = Console(width=180)

    def told_of(what: str) -> Progress:
        told = set[int]()

        def tell(done: float) -> None:
            if (share := int(20 * done)) not in told:
                told.add(share)
                console.print(f"{what}: {share / 20:.0%}", highlight=False)

        return tell

    said = some_sessions(rest, asked.learned, draw)
    taught = heard(said, asked.keep / f"heard-without-fold-{asked.fold}.json", 1, told_of("to learn from"))
    mishearings = Mishearings.learned([bare(text) for text in said["text"]], [bare(text) for text in taught["text"]])
    held = some_sessions(table[table["fold"] == asked.fold], asked.held, draw)
    texts = {"as written": held, "as heard": heard(held, asked.keep / f"heard-of-fold-{asked.fold}.json", 2)}
    plain = [[bare(text) or "nothing" for text in each["text"]] for each in texts.values()]
    console.print(f"{len(held)} held-out utterances, word error rate {jiwer.wer(*plain):.3f}")

    path = asked.keep / f"misheard-seed-{asked.seed}-fold-{asked.fold}.safetensors"
    if not path.exists():
        network = finetuning.finetune(
            rest,
            folder,
            asked.seed,
            told_of("learned"),
            lambda text, generator: spoiling.slips(mishearings(text, generator), generator),
        )
        save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)
    place = tagger.place(chosen)
    by_fold = weights.by_fold(weights.read_about(place))
    variants = [rest, rest.assign(text=[bare(text) or text for text in rest["text"]])]
    linear = training.fit_linear(rest, [Inputs.of(each) for each in variants])
    reader = finetuning.reader_of(folder)
    shown = Table(title="Networks that saw none of these sessions")
    for column in ("network", "texts"):
        shown.add_column(column)
    figures = {}
    for each in [*sorted(asked.keep.glob(f"seed-*-fold-{asked.fold}.safetensors")), path]:
        network = Network.of(folder, OUTPUTS, int(rest["annotator"].max()) + 1)
        network.load_state_dict(load_file(each))
        network.eval()
        for name, rows in texts.items():
            rows = rows.reset_index(drop=True)
            logits = mixed(linear(Inputs.of(rows)), finetuning.scores(network, reader, rows))
            figures[each.stem, name] = told(evaluation.joined(rows, training.predictions(rows, logits, by_fold)))
    for column in next(iter(figures.values())):
        shown.add_column(column, justify="right")
    for (network_name, text), values in figures.items():
        shown.add_row(network_name, text, *(f"{value:.3f}" for value in values.values()))
    console.print(shown)


if __name__ == "__main__":
    main()
