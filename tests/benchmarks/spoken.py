"""What recognized speech costs the tags: held-out sessions are spoken, transcribed by ours, and tagged again.

``python -m tests.benchmarks.spoken --data DATA --keep KEEP``: KEEP is what ``tape-review train --keep`` left. Needs
`flite` (Debian). Its voices are plain, so the recognizer gets fewer words wrong than in a real room.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import jiwer
import numpy as np
import pandas as pd
import soundfile
import soxr

from pipeline import model_catalog, settings
from pipeline.coding import tagger
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import Classifier, LinearInputs
from pipeline.coding.inference.features import strip_punctuation
from pipeline.coding.inference.onnx_scorer import OnnxScorer
from pipeline.coding.tagger import Tagger
from pipeline.coding.training import cross_validation, data, evaluation, folds
from pipeline.coding.training.folds import CheckpointStore
from pipeline.speech import transcriber
from pipeline.speech.cores import Cores

VOICES = {"interviewer": "rms", "client": "slt"}
RATE, GAP = 16_000, 0.7
"""Samples a second; seconds of silence between utterances."""


def held_out(table: pd.DataFrame, fold: int, keep: Path, shipped: Path, pretrained: Path, folder: Path) -> Tagger:
    """The tagger that saw none of a fold's sessions, as it would ship."""
    rest, metadata = table[table["fold"] != fold], checkpoint.read_metadata(shipped)
    network = folds.load_network(pretrained, CheckpointStore(keep).network(metadata["seeds"][0], fold))
    cross_validation.network_weights(network, pretrained).write(folder)
    linear = cross_validation.fit_linear(rest, [LinearInputs.of(each) for each in folds.text_variants(rest)])
    return Tagger(Classifier(linear, OnnxScorer(folder)), checkpoint.fold_calibrations(metadata)[fold], metadata)


def spoken(rows: pd.DataFrame, folder: Path) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """A session's sound and the seconds of each utterance."""
    parts, spans, at = [], [], 0.0
    for role, text in zip(rows["role"], rows["text"], strict=True):
        path = folder / "said.wav"
        subprocess.run(["flite", "-voice", VOICES.get(role, "kal16"), "-t", text, "-o", str(path)], check=True)
        sound, rate = soundfile.read(path, dtype="float32")
        sound = soxr.resample(sound, rate, RATE)
        spans.append((at, at + len(sound) / RATE))
        parts += [sound, np.zeros(int(GAP * RATE), dtype=np.float32)]
        at += len(sound) / RATE + GAP
    return np.concatenate(parts), spans


def recognized(
    rows: pd.DataFrame,
    folder: Path,
    ours: transcriber.Transcriber,
    carried: Callable[[np.ndarray], np.ndarray] = lambda sound: sound,
) -> list[str]:
    """What our transcriber writes for each utterance; ``carried`` is what becomes of the sound on its way."""
    sound, spans = spoken(rows, folder)
    words = ours.transcribe(carried(sound), Cores(1)).words
    middles = np.array([(word.span.start + word.span.end) / 2000 for word in words])
    return [
        " ".join(words[at].text for at in np.flatnonzero((middles >= start - GAP / 2) & (middles < end + GAP / 2)))
        for start, end in spans
    ]


def main() -> None:
    """Speak, transcribe, tag, and print the figures of both texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=4)
    parser.add_argument("--utterances", type=int, default=300)
    arguments = parser.parse_args()
    chosen = settings.load().settings
    table = data.read(arguments.data)
    fold = table[table["fold"] == arguments.fold]
    sizes = fold.groupby("tape_id", sort=False).size().sort_values(kind="stable").cumsum()
    rows = fold[fold["tape_id"].isin(sizes.index[sizes <= arguments.utterances])].reset_index(drop=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = transcriber.load(chosen)
        texts = pd.concat(
            [
                pd.Series(recognized(tape, folder, engine), index=tape.index)
                for _, tape in rows.groupby("tape_id", sort=False)
            ]
        )
        pretrained = model_catalog.folder(chosen.coding.encoder, chosen.models)
        tags = held_out(
            table, arguments.fold, arguments.keep, tagger.weights_folder(chosen), pretrained, folder / "network"
        )
        recognized_rows = rows.assign(text=texts)
        metrics = [evaluation.utterance_metrics(tags.tag(each)) for each in (rows, recognized_rows)]
    plain = [[strip_punctuation(text) or "nothing" for text in each["text"]] for each in (rows, recognized_rows)]
    print(f"{len(rows)} utterances, word error rate {jiwer.wer(plain[0], plain[1]):.3f}")
    for written, asr in zip(*metrics, strict=True):
        print(
            f"{written.name:28} {written.value:.3f} {asr.value:.3f} {asr.value - written.value:+.3f} ({written.number})"
        )


if __name__ == "__main__":
    main()
