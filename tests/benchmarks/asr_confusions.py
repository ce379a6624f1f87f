"""What a noisy room makes of words, and what that costs the tags: ``python -m tests.benchmarks.asr_confusions``

Needs ``--data DATA`` and `flite` (Debian); half an hour of one core. Some sessions are spoken by plain synthetic voices
into a reverberant, noisy room and transcribed by ours. What became of which words is counted by fold (``--count FILE``:
`models/mishearings`, from which training learns). And for networks that ``tape-review train --keep FOLDER`` left
(``--networks FOLDER``, as often as wanted), every session is tagged as written and as heard by the network that saw
none of its fold. ``--heard FILE`` keeps what was heard, session by session.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.signal import fftconvolve

from pipeline import model_catalog, settings
from pipeline.coding import tagger
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS, LinearInputs, ensemble
from pipeline.coding.inference.features import strip_punctuation
from pipeline.coding.training import cross_validation, data, evaluation, finetuning, folds
from pipeline.coding.training.asr_confusions import COLUMNS, MAX_PHRASE_WORDS, AsrConfusions
from pipeline.coding.training.folds import CheckpointStore
from pipeline.speech import transcriber
from tests.benchmarks.spoken import RATE, recognized
from tests.benchmarks.taggers import metric_values

SPOKEN = ((range(4), 1200), (range(4, 5), 600))
"""How many utterances are spoken of the sessions of which folds; whole sessions that fit in."""
DECAY, DIRECT, NOISE = 0.4, 3.0, 12.0
"""Seconds in which the room's echo falls by 60 dB; how far it lies below the voice in dB, and the room's noise."""
OFTEN = 4
"""Phrases that were said less often are not stored."""


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


def counted(spoken_texts: Sequence[str], recognized_texts: Sequence[str], folds: Sequence[int]) -> pd.DataFrame:
    """What became of which words how often, as `pipeline.coding.training.asr_confusions.read` gives it.

    Of utterances without marks and the folds of their sessions; empty ones are left out, and so are rare phrases.
    """
    pairs = [row for row in zip(spoken_texts, recognized_texts, folds, strict=True) if row[0] and row[1]]
    aligned = jiwer.process_words([spoken for spoken, _, _ in pairs], [recognized for _, recognized, _ in pairs])
    times: Counter[tuple[int, str, str]] = Counter()
    for words, others, chunks, (_, _, fold) in zip(
        aligned.references, aligned.hypotheses, aligned.alignments, pairs, strict=True
    ):
        for length in range(1, MAX_PHRASE_WORDS + 1):
            for at in range(len(words) - length + 1):
                phrase = " ".join(words[at : at + length])
                times[fold, phrase, phrase] += 1
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
            if 0 < end - start <= MAX_PHRASE_WORDS:
                phrase = " ".join(words[start:end])
                times[fold, phrase, " ".join(others[other_start:other_end])] += 1
                times[fold, phrase, phrase] -= 1
    counts = pd.DataFrame([(*key, count) for key, count in times.items()], columns=list(COLUMNS))
    wrong = counts.loc[(counts["phrase"] != counts["heard"]) & (counts["times"] > 0), "phrase"].unique()
    counts = counts[counts["phrase"].isin(wrong)]
    often = counts.groupby("phrase")["times"].transform("sum") >= OFTEN
    return counts[often].sort_values(["phrase", "heard", "fold"]).reset_index(drop=True)


def some_sessions(table: pd.DataFrame, utterances: int, generator: np.random.Generator) -> pd.DataFrame:
    """Whole sessions, drawn at random, with about as many utterances."""
    tapes = generator.permutation(table["tape_id"].unique())
    sizes = table.groupby("tape_id").size().loc[tapes].cumsum()
    return table[table["tape_id"].isin(tapes[: int((sizes <= utterances).sum())])]


def heard(rows: pd.DataFrame, path: Path, seed: int) -> pd.DataFrame:
    """Sessions with the texts that were heard, stored tape by tape."""
    generator = np.random.default_rng(seed)
    known = json.loads(path.read_text()) if path.exists() else {}
    engine = transcriber.load(settings.load().settings)
    for tape, part in track(rows.groupby("tape_id", sort=False), "Speaking and hearing"):
        noise = np.random.default_rng(generator.integers(2**32))
        if str(tape) not in known:
            with tempfile.TemporaryDirectory() as name:
                room = partial(in_a_room, generator=noise)
                known[str(tape)] = recognized(part, Path(name), engine, room)
            path.write_text(json.dumps(known))
    texts = [text for tape in rows["tape_id"].unique() for text in known[str(tape)]]
    return rows.assign(text=texts)


def coded(
    rows: Sequence[pd.DataFrame], table: pd.DataFrame, encoder: Path, store: CheckpointStore, seed: int
) -> list[pd.DataFrame]:
    """The same sessions in several readings, tagged by what saw none of their folds, beside the codes by hand."""
    by_fold = checkpoint.fold_calibrations(checkpoint.read_metadata(tagger.weights_folder(settings.load().settings)))
    tokenizer = finetuning.load_tokenizer(encoder)
    logits = [np.zeros((len(reading), len(DECISIONS))) for reading in rows]
    for fold in rows[0]["fold"].unique():
        rest = table[table["fold"] != fold]
        linear = cross_validation.fit_linear(rest, [LinearInputs.of(reading) for reading in folds.text_variants(rest)])
        network = folds.load_network(encoder, store.network(seed, int(fold)))
        for row_logits, reading in zip(logits, rows, strict=True):
            held_out = (reading["fold"] == fold).to_numpy()
            part = reading[held_out].reset_index(drop=True)
            row_logits[held_out] = ensemble(linear(LinearInputs.of(part)), finetuning.scores(network, tokenizer, part))
    return [
        evaluation.join_predictions(reading, cross_validation.fold_predictions(reading, row_logits, by_fold))
        for reading, row_logits in zip(rows, logits, strict=True)
    ]


def main() -> None:
    """Transcribe, count, and print a line per network and reading."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.asr_confusions", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--heard", type=Path, required=True, help="a file that keeps what was heard")
    parser.add_argument("--count", type=Path, help="where the counts of mishearings go")
    parser.add_argument("--networks", type=Path, action="append", default=[], help="what `train --keep` left")
    parser.add_argument("--fold", type=int, action="append", help="whose sessions are tagged, if not all folds'")
    arguments = parser.parse_args()
    chosen = settings.load().settings
    table = data.read(arguments.data)
    draw = np.random.default_rng(0)
    parts = [some_sessions(table[table["fold"].isin(folds)], utterances, draw) for folds, utterances in SPOKEN]
    recognized_parts = [heard(part, arguments.heard, seed) for seed, part in enumerate(parts, 1)]
    written = pd.concat(parts).reset_index(drop=True)
    recognized_rows = pd.concat(recognized_parts).reset_index(drop=True)
    readings = {"as written": written, "as heard": recognized_rows}
    plain = [[strip_punctuation(text) for text in reading["text"]] for reading in readings.values()]
    console = Console(width=180)
    rate = jiwer.wer(*([text or "nothing" for text in texts] for texts in plain))
    console.print(f"{len(written)} utterances, word error rate {rate:.3f}")
    if arguments.count:
        counts = counted(*plain, written["fold"])
        counts.to_csv(arguments.count, index=False)
        confuse, generator = AsrConfusions.of(counts), np.random.default_rng(0)
        texts = [strip_punctuation(text) or "nothing" for text in table["text"]]
        console.print(f"put into all: {jiwer.wer(texts, [confuse(text, generator) for text in texts]):.3f}")
    wanted = written["fold"].isin(arguments.fold or written["fold"].unique())
    tagged = [reading[wanted].reset_index(drop=True) for reading in readings.values()]
    shown = Table(title=f"Networks that saw none of these sessions, {len(tagged[0])} utterances")
    for column in ("networks", "texts"):
        shown.add_column(column)
    for folder in arguments.networks:
        encoder = model_catalog.folder(chosen.coding.encoder, chosen.models)
        for seed in sorted({int(path.name.split("-")[1]) for path in folder.glob("seed-*-fold-*.safetensors")}):
            for name, rows in zip(readings, coded(tagged, table, encoder, CheckpointStore(folder), seed), strict=True):
                figures = metric_values(rows)
                if not shown.rows:
                    for column in figures:
                        shown.add_column(column, justify="right")
                shown.add_row(f"{folder.name}, seed {seed}", name, *(f"{value:.3f}" for value in figures.values()))
    if arguments.networks:
        console.print(shown)


if __name__ == "__main__":
    main()
