"""The network that is fine-tuned: MPNet (Song et al., NeurIPS 2020), with heads that code all utterances of a window.

Written for training on a processor that multiplies 16-bit numbers: layers compute in bfloat16, and what is learned is
kept in 32 bits by `pipeline.coding.training.finetuning`. What ships runs by ONNX
(`pipeline.coding.training.onnx_export`), without torch.
Written here because the tagger that ships was learned by it: the MPNet of transformers, one more package for training
alone, adds in another order, and would give other weights and other figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.coding.inference.onnx_scorer import buckets
from pipeline.coding.training import pretrained

DROPPED = 0.15
"""Share of what the heads read that is dropped at random in training."""


class Layer(nn.Module):
    """Self-attention and two dense steps, each added to what came in, then normalized."""

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
        """States of shape (windows, pieces, width); ``bias`` is added to the attention."""
        windows, pieces, width = states.shape
        parts = self.attend(states).view(windows, pieces, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=bias)
        states = self.norm(states + self.gather(seen.transpose(1, 2).reshape(windows, pieces, width)))
        return self.end(states + self.down(functional.gelu(self.up(states))))  # type: ignore[no-any-return]


class Network(nn.Module):
    """The encoder with its heads: one hidden layer, then one log-odds or score an output.

    An utterance is read as the mean of its pieces, its mark and its role's piece, as the encoder leaves them.
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
            Layer(width, heads, inner, epsilon) for _ in range(int(settings["num_hidden_layers"]))
        )
        self.drop = nn.Dropout(DROPPED)
        self.hidden, self.output = nn.Linear(3 * width, width), nn.Linear(width, outputs)
        self.annotators = nn.Embedding(annotators, outputs)
        nn.init.zeros_(self.annotators.weight)

    @classmethod
    def of(cls, folder: Path, outputs: int, annotators: int) -> Network:
        """The pretrained encoder in a folder (`pipeline.coding.training.pretrained`), with new heads."""
        from safetensors.torch import load

        network = cls(json.loads(pretrained.read(folder, pretrained.SETTINGS)), outputs, annotators)
        given = load(pretrained.read(folder, pretrained.STATE))
        own = {
            "words": given["embeddings.word_embeddings.weight"],
            "places": given["embeddings.position_embeddings.weight"],
            "relative": given["encoder.relative_attention_bias.weight"],
            **{f"norm.{part}": given[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")},
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
                attend = [given[f"{layer}.attention.attn.{name}.{part}"] for name in ("q", "k", "v")]
                own[f"layers.{number}.attend.{part}"] = torch.cat(attend)
                own |= {
                    f"layers.{number}.{name}.{part}": given[f"{layer}.{theirs}.{part}"]
                    for name, theirs in names.items()
                }
        heads = {name: value for name, value in network.state_dict().items() if name not in own}
        network.load_state_dict(own | heads)
        return network

    def halve(self) -> None:
        """Let the encoder compute in bfloat16; the heads stay as they are."""
        self.layers.bfloat16()
        self.norm.bfloat16()
        self.words, self.places = self.words.bfloat16(), self.places.bfloat16()

    def forward(self, pieces: Tensor, real: Tensor, read: Tensor, ends: Tensor, roles: Tensor) -> Tensor:
        """Scores of shape (utterances, outputs), without any annotator's offset.

        Parameters
        ----------
        pieces, real: word pieces of each window, shape (windows, longest), and which of them are no padding.
        read: shape (utterances, windows x longest), each row a mean over an utterance's pieces.
        ends, roles: where each utterance's mark and role lie in the windows, laid end to end.
        """
        flat = self.encoded(pieces, real).flatten(0, 1)
        joint = torch.cat([read.to(flat.dtype) @ flat, flat[ends], flat[roles]], dim=1).float()
        return self.output(self.drop(torch.tanh(self.hidden(self.drop(joint)))))  # type: ignore[no-any-return]

    def encoded(self, pieces: Tensor, real: Tensor) -> Tensor:
        """The pieces as the encoder leaves them, shape (windows, longest, width)."""
        count = pieces.shape[1]
        distances = torch.from_numpy(buckets(count, len(self.relative))).to(pieces.device)
        near = self.relative[distances].permute(2, 0, 1)[None]
        bias = (near - 1e4 * (~real)[:, None, None, :]).to(self.words.dtype)
        states: Tensor = self.norm(self.words[pieces] + self.places[2 : 2 + count])
        for layer in self.layers:
            states = layer(states, bias)
        return states
