"""Pretrained sentence encoders for the comparison of taggers: MiniLM made to look like MPNet, and frozen vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from pipeline.coding.training import pretrained
from pipeline.coding.training.network import Network

DISTANCES = 32
"""Kinds of distance between two pieces that MPNet tells apart."""
MARKS = {"[CLS]": "<s>", "[SEP]": "</s>", "[PAD]": "<pad>", "[MASK]": "<mask>"}
LONGEST = 128
"""Word pieces of an utterance that a frozen encoder reads."""
AT_ONCE = 32


def as_mpnet(folder: Path, target: Path) -> Path:
    """Store a BERT encoder (all-MiniLM-L6-v2) as an MPNet one that computes the same: no distance counts in it.

    ``folder`` and ``target`` hold config.json, model.safetensors and tokenizer.json. Returns ``target``.
    """
    pretrained_state = load_file(folder / pretrained.STATE)
    settings = json.loads((folder / pretrained.SETTINGS).read_text(encoding="utf-8"))
    positions = (
        pretrained_state["embeddings.position_embeddings.weight"]
        + pretrained_state["embeddings.token_type_embeddings.weight"][0]
    )
    state = {
        "embeddings.word_embeddings.weight": pretrained_state["embeddings.word_embeddings.weight"],
        # MPNet counts positions from 2 on.
        "embeddings.position_embeddings.weight": torch.cat([torch.zeros(2, positions.shape[1]), positions]),
        "encoder.relative_attention_bias.weight": torch.zeros(DISTANCES, settings["num_attention_heads"]),
        **{
            f"embeddings.LayerNorm.{part}": pretrained_state[f"embeddings.LayerNorm.{part}"]
            for part in ("weight", "bias")
        },
    }
    ours = {
        "attention.self.query": "attention.attn.q",
        "attention.self.key": "attention.attn.k",
        "attention.self.value": "attention.attn.v",
        "attention.output.dense": "attention.attn.o",
        "attention.output.LayerNorm": "attention.LayerNorm",
        **{name: name for name in ("intermediate.dense", "output.dense", "output.LayerNorm")},
    }
    for number in range(settings["num_hidden_layers"]):
        for bert_name, mpnet_name in ours.items():
            for part in ("weight", "bias"):
                state[f"encoder.layer.{number}.{mpnet_name}.{part}"] = pretrained_state[
                    f"encoder.layer.{number}.{bert_name}.{part}"
                ]
    target.mkdir(parents=True, exist_ok=True)
    save_file(state, target / pretrained.STATE)
    mpnet_settings = settings | {
        "relative_attention_num_buckets": DISTANCES,
        "max_position_embeddings": 2 + len(positions),
    }
    (target / pretrained.SETTINGS).write_text(json.dumps(mpnet_settings), encoding="utf-8")
    tokenizer = (folder / pretrained.TOKENIZER).read_text(encoding="utf-8")
    for bert_name, mpnet_name in MARKS.items():
        tokenizer = tokenizer.replace(f'"{bert_name}"', f'"{mpnet_name}"')
    (target / pretrained.TOKENIZER).write_text(tokenizer, encoding="utf-8")
    return target


def vectors(folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Sentence vectors of unit length, as the encoders were pretrained to give: the mean of all pieces and marks."""
    tokenizer = Tokenizer.from_str(pretrained.read(folder, pretrained.TOKENIZER).decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    network = Network.of(folder, 1, 1).eval()
    network.halve()
    pieces = [tokenizer.encode(text).ids for text in texts]
    pad = tokenizer.token_to_id("<pad>")
    order = sorted(range(len(texts)), key=lambda row: len(pieces[row]))
    sentence_vectors = np.zeros((len(texts), network.words.shape[1]), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(order), AT_ONCE):
            rows = order[start : start + AT_ONCE]
            longest = len(pieces[rows[-1]])
            padded = torch.tensor([pieces[row] + [pad] * (longest - len(pieces[row])) for row in rows])
            real = padded != pad
            states = network.encode(padded, real).float() * real[..., None]
            sentence_vectors[rows] = torch.nn.functional.normalize(states.sum(dim=1), dim=1).numpy()
    return sentence_vectors
