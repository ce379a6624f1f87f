"""The comparison's own ways, on a tiny encoder and invented sessions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from pipeline.coding.inference.classifier import DECISIONS
from pipeline.coding.training import data
from pipeline.coding.training.network import Network
from tests.benchmarks import taggers
from tests.benchmarks.encoders import MARKS, as_mpnet, vectors
from tests.coding.invented import write_annomi

pytestmark = pytest.mark.engines

WORDS = ("therapist", "client", "someone", "so", "you", "walk", "?")
WIDTH, HEADS, INNER, EPSILON = 16, 2, 32, 1e-12


def bert(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    """A BERT of two tiny layers with random weights."""
    folder.mkdir()
    torch.manual_seed(3)
    vocabulary = {word: number for number, word in enumerate([*MARKS, "[UNK]", *WORDS])}
    state = {
        "embeddings.word_embeddings.weight": torch.randn(len(vocabulary), WIDTH),
        "embeddings.position_embeddings.weight": torch.randn(512, WIDTH),
        "embeddings.token_type_embeddings.weight": torch.randn(2, WIDTH),
    }
    shapes = {
        **{f"attention.self.{name}": (WIDTH, WIDTH) for name in ("query", "key", "value")},
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH),
        "output.dense": (WIDTH, INNER),
    }
    names = ["embeddings.LayerNorm"]
    for number in range(2):
        for name, shape in shapes.items():
            state[f"encoder.layer.{number}.{name}.weight"] = torch.randn(shape) * 0.2
            state[f"encoder.layer.{number}.{name}.bias"] = torch.randn(shape[0]) * 0.2
        names += [f"encoder.layer.{number}.{name}.LayerNorm" for name in ("attention.output", "output")]
    for name in names:
        state |= {f"{name}.weight": torch.rand(WIDTH) + 0.5, f"{name}.bias": torch.randn(WIDTH) * 0.2}
    save_file(state, folder / "model.safetensors")
    settings = {
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_hidden_layers": 2,
        "layer_norm_eps": EPSILON,
        "max_position_embeddings": 512,
        "vocab_size": len(vocabulary),
    }
    (folder / "config.json").write_text(json.dumps(settings))
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a word piece
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = [(mark, vocabulary[mark]) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=marks)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder, state


def by_torch(state: dict[str, torch.Tensor], pieces: torch.Tensor) -> torch.Tensor:
    """What torch's own layers make of the same weights."""
    norm = nn.LayerNorm(WIDTH, EPSILON)
    norm.load_state_dict({part: state[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")})
    positions = state["embeddings.position_embeddings.weight"][: pieces.shape[1]]
    kind = state["embeddings.token_type_embeddings.weight"][0]
    states = norm(state["embeddings.word_embeddings.weight"][pieces] + positions + kind)
    for number in range(2):
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, 0.0, "gelu", EPSILON, batch_first=True).eval()
        given = f"encoder.layer.{number}"
        layer_state = {}
        for part in ("weight", "bias"):
            attend = [state[f"{given}.attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            layer_state |= {
                f"self_attn.in_proj_{part}": torch.cat(attend),
                f"self_attn.out_proj.{part}": state[f"{given}.attention.output.dense.{part}"],
                f"norm1.{part}": state[f"{given}.attention.output.LayerNorm.{part}"],
                f"linear1.{part}": state[f"{given}.intermediate.dense.{part}"],
                f"linear2.{part}": state[f"{given}.output.dense.{part}"],
                f"norm2.{part}": state[f"{given}.output.LayerNorm.{part}"],
            }
        layer.load_state_dict(layer_state)
        states = layer(states)
    return states


def test_bert_as_mpnet_computes_what_bert_does(tmp_path: Path) -> None:
    folder, state = bert(tmp_path / "bert")
    made = as_mpnet(folder, tmp_path / "mpnet")
    pieces = torch.tensor([[0, 5, 8, 9, 10, 11, 1]])
    with torch.no_grad():
        states = Network.of(made, 1, 1).eval().encode(pieces, torch.ones_like(pieces, dtype=torch.bool))
        torch.testing.assert_close(states, by_torch(state, pieces), atol=1e-4, rtol=1e-4)
        vector = by_torch(state, torch.tensor([[0, 8, 9, 10, 1]]))[0].mean(dim=0)
    alone, beside = vectors(made, ["so you walk"]), vectors(made, ["so you walk ? so you walk ?", "so you walk"])
    np.testing.assert_allclose(alone[0], (vector / vector.norm()).numpy(), atol=0.02)  # 16-bit numbers
    np.testing.assert_allclose(beside[1], alone[0], atol=0.02)


def test_every_way_finds_what_is_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taggers, "EPOCHS", 6)
    monkeypatch.setattr(taggers, "STRETCHES", 4)
    table = data.read(write_annomi(tmp_path))
    answers = table["text"].rank(method="dense").astype(int).to_numpy() % 64
    for logits in (taggers.words(table), taggers.recurrent(table, np.eye(64, dtype=np.float32)[answers], seed=1)):
        is_question = logits[:, DECISIONS.index("question")] > 0
        asked = table["question"].notna()
        assert (is_question == (table["question"] == 1))[asked].mean() > 0.9
    assert taggers.figures(table, logits)["question yes/no"] > 0.9
