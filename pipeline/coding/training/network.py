"""The network that is fine-tuned: MPNet (Song et al., NeurIPS 2020), with heads that code all utterances of a window.

It is written for training on a processor that multiplies 16-bit numbers: layers compute in bfloat16, and
`pipeline.coding.training.finetuning` holds 32-bit copies of the parameters. The shipped network runs with ONNX Runtime
(`pipeline.coding.training.onnx_export`), without torch.
The MPNet of transformers 5.24 gives the same states with the same weights: within 4e-6 in 32 bits; in bfloat16 the two
differ by as much as each does from 32 bits (0.05), in the same time. It stays out: 130 MB for training alone, and as it
adds in another order, training would give other weights and figures than those that ship.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.coding.inference.onnx_scorer import distance_buckets
from pipeline.coding.training import pretrained

DROPOUT = 0.15
"""Dropout rate of the heads' inputs in training."""


class EncoderLayer(nn.Module):
    """Self-attention and two dense layers, each with a residual connection and normalization after it."""

    def __init__(self, width: int, heads: int, inner: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.attend = nn.Linear(width, 3 * width)
        self.gather = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, epsilon)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.end = nn.LayerNorm(width, epsilon)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """Return states of shape (windows, pieces, width); ``bias`` is added to the attention."""
        windows, pieces, width = states.shape
        query_key_value = (
            self.attend(states).view(windows, pieces, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        )
        query, key, value = query_key_value
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        states = self.norm(states + self.gather(attended.transpose(1, 2).reshape(windows, pieces, width)))
        return self.end(states + self.down(functional.gelu(self.up(states))))  # type: ignore[no-any-return]


class Network(nn.Module):
    """The encoder with its heads: one hidden layer, then one score per output.

    The heads' input is an utterance's mean state, the state of its end mark and that of its role's piece. The names of
    attributes are the keys of stored networks; ``places`` are the position vectors.
    """

    words: Tensor
    places: Tensor
    relative: Tensor

    def __init__(self, settings: Mapping[str, float], outputs: int, annotators: int) -> None:
        super().__init__()
        width, inner = int(settings["hidden_size"]), int(settings["intermediate_size"])
        heads, epsilon = int(settings["num_attention_heads"]), float(settings["layer_norm_eps"])
        self.register_buffer("words", torch.zeros(int(settings["vocab_size"]), width))
        self.register_buffer("places", torch.zeros(int(settings["max_position_embeddings"]), width))
        self.register_buffer("relative", torch.zeros(int(settings["relative_attention_num_buckets"]), heads))
        self.norm = nn.LayerNorm(width, epsilon).requires_grad_(False)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, inner, epsilon) for _ in range(int(settings["num_hidden_layers"]))
        )
        self.drop = nn.Dropout(DROPOUT)
        self.hidden, self.output = nn.Linear(3 * width, width), nn.Linear(width, outputs)
        self.annotators = nn.Embedding(annotators, outputs)
        nn.init.zeros_(self.annotators.weight)

    @classmethod
    def of(cls, folder: Path, outputs: int, annotators: int) -> Network:
        """Load the pretrained encoder in a folder (`pipeline.coding.training.pretrained`), with new heads."""
        from safetensors.torch import load

        network = cls(json.loads(pretrained.read(folder, pretrained.SETTINGS)), outputs, annotators)
        pretrained_state = load(pretrained.read(folder, pretrained.STATE))
        state = {
            "words": pretrained_state["embeddings.word_embeddings.weight"],
            "places": pretrained_state["embeddings.position_embeddings.weight"],
            "relative": pretrained_state["encoder.relative_attention_bias.weight"],
            **{f"norm.{part}": pretrained_state[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")},
        }
        names = {
            "gather": "attention.attn.o",
            "norm": "attention.LayerNorm",
            "up": "intermediate.dense",
            "down": "output.dense",
            "end": "output.LayerNorm",
        }
        for number in range(len(network.layers)):
            layer = f"encoder.layer.{number}"
            for part in ("weight", "bias"):
                attend = [pretrained_state[f"{layer}.attention.attn.{name}.{part}"] for name in ("q", "k", "v")]
                state[f"layers.{number}.attend.{part}"] = torch.cat(attend)
                state |= {
                    f"layers.{number}.{name}.{part}": pretrained_state[f"{layer}.{pretrained_name}.{part}"]
                    for name, pretrained_name in names.items()
                }
        heads = {name: value for name, value in network.state_dict().items() if name not in state}
        network.load_state_dict(state | heads)
        return network

    def halve(self) -> None:
        """Convert the encoder to bfloat16; the heads stay in 32 bits."""
        self.layers.bfloat16()
        self.norm.bfloat16()
        self.words, self.places = self.words.bfloat16(), self.places.bfloat16()

    def forward(self, pieces: Tensor, real: Tensor, pooling: Tensor, ends: Tensor, roles: Tensor) -> Tensor:
        """Return scores of shape (utterances, outputs), without any annotator's offset.

        Parameters
        ----------
        pieces, real: word pieces of each window, shape (windows, longest), and which of them are no padding.
        pooling: shape (utterances, windows x longest); each row averages an utterance's pieces.
        ends, roles: indices of each utterance's end mark and role in the concatenated windows.
        """
        flat = self.encode(pieces, real).flatten(0, 1)
        joint = torch.cat([pooling.to(flat.dtype) @ flat, flat[ends], flat[roles]], dim=1).float()
        return self.output(self.drop(torch.tanh(self.hidden(self.drop(joint)))))  # type: ignore[no-any-return]

    def encode(self, pieces: Tensor, real: Tensor) -> Tensor:
        """Return the encoder's states of the pieces, shape (windows, longest, width)."""
        count = pieces.shape[1]
        distances = torch.from_numpy(distance_buckets(count, len(self.relative))).to(pieces.device)
        near = self.relative[distances].permute(2, 0, 1)[None]
        bias = (near - 1e4 * (~real)[:, None, None, :]).to(self.words.dtype)
        states: Tensor = self.norm(self.words[pieces] + self.places[2 : 2 + count])
        for layer in self.layers:
            states = layer(states, bias)
        return states
