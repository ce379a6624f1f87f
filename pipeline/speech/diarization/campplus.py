"""CAM++: 192 numbers that tell one voice from another.

Source: Wang, Zheng, Chen, Cheng, Chen, "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", Interspeech 2023, arXiv 2303.00332. The network below follows its figure 1 and table 1; the
names of the modules are those of the published weights (3D-Speaker, Apache-2.0), so that a plain state dict loads
without executing anything::

    80 mel bins x T ── head: 2-D residual convolutions, frequency /8 ── 320 x T ── tdnn: stride 2 ── 128 x T/2
      ── block1: 12 layers ── block2: 24 ── block3: 16 (each layer adds 32 channels; halved between the blocks)
      ── mean and standard deviation over time ── dense ── 192

Written here because windows that overlap share what the front computes of a recording; a ready-made network, or its
ONNX file, begins anew with each window. The authors' network (package speakerlab-slim 0.1.0) gives the same embeddings
of whole stretches with the same weights, within 2e-6, but takes 2.4 s of processor time for 120 windows of 1.5 s every
0.25 s, where this takes 1.5 s. Its packages require modelscope, and the slim one is a single release by others. The
tests hold the parts to the published definitions.

A layer of a block looks at 3 frames, and masks its output by a gate computed from the mean of the whole input plus
the mean of 100 frames around: the context-aware mask.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.speech.diarization import torchaudio_compat

StretchKey = TypeVar("StretchKey")

# Sizes of the published network (Wang et al., Interspeech 2023), with which its weights were trained.
BINS = 80
"""Mel bands of a frame."""
DIMENSION = 192
"""Numbers of an embedding."""
FRAMES_PER_SECOND = 100
"""Frames begin every 10 ms and last 25."""
FEWEST = 20
"""Frames without which there is no embedding: 0.2 s."""
SAMPLE_RATE = 16_000
"""Hertz."""

_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Layers and dilation of each densely connected block."""
_GROWTH = 32  # channels that a layer adds
_BOTTLENECK = 128  # channels within a layer
_CONTEXT_FRAMES = 100  # that are averaged for a layer's mask
_REACH = 10
"""Frames to either side that the front's ten convolutions see."""
_BLOCK = 1000
"""Frames that are computed at a time."""
_BATCH = 16
"""Stretches of one length that are embedded at a time: from 16 on, torch takes its faster convolutions."""
_KEPT_BLOCKS = 128
"""Blocks whose front is kept for the second look: 21 minutes, in 160 MB. Of longer recordings it is computed again."""


class CamPlusPlus(nn.Module):
    """The network: features (batch, T, 80) -> embeddings (batch, 192), T at least 3."""

    def __init__(self) -> None:
        super().__init__()
        self.head = _Head(32)
        layers: list[tuple[str, nn.Module]] = [("tdnn", _FrontLayer(32 * BINS // 8, 128))]
        channels = 128
        for number, (depth, dilation) in enumerate(_BLOCKS, 1):
            layers.append((f"block{number}", _DenseBlock(depth, channels, dilation)))
            channels += depth * _GROWTH
            layers.append((f"transit{number}", _Transition(channels, channels // 2)))
            channels //= 2
        layers += [("out_nonlinear", _normalized(channels)), ("stats", _Statistics()), ("dense", _Dense(2 * channels))]
        self.xvector = nn.Sequential(OrderedDict(layers))

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings of whole stretches."""
        return self.xvector(self.head(features.transpose(1, 2)))


def load(weights: Path) -> CamPlusPlus:
    """Return the network with its weights, ready to embed.

    Parameters
    ----------
    weights: a state dict (`campplus_cn_en_common.pt`); read with ``weights_only``, so that nothing in it can run.

    Raises
    ------
    RuntimeError: the state dict is another network's.
    """
    network = CamPlusPlus()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


def filter_banks(samples: Tensor) -> Tensor:
    """Log mel energies as Kaldi computes them, 25 ms every 10 ms: (n,) samples in [-1, 1] at 16 kHz -> (T, 80)."""
    torchaudio_compat.import_torchaudio()
    from torchaudio.compliance import kaldi

    length, step = SAMPLE_RATE * 25 // 1000, SAMPLE_RATE // FRAMES_PER_SECOND
    count = max(0, 1 + (len(samples) - length) // step)
    blocks = [samples.new_zeros((0, BINS))]
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count) - 1
        block = samples[None, first * step : last * step + length]
        blocks.append(kaldi.fbank(block, num_mel_bins=BINS, sample_frequency=SAMPLE_RATE, dither=0.0))
    return torch.cat(blocks)


class RecordingEmbeddings:
    """Embeddings of any stretches of one recording.

    Windows overlap, and the two-dimensional front of the network is half of its work: its output is computed once for
    the whole recording, block by block as windows advance, and shared by all windows and speakers. For that the
    features' mean is taken over all speech of the recording, not over each stretch.

    Parameters
    ----------
    features: from `filter_banks`, shape (T, 80).
    speech: bool, shape (T,): the frames over which the mean is taken; all, if there are none.
    """

    def __init__(self, network: CamPlusPlus, features: Tensor, speech: Tensor) -> None:
        self._network = network
        self._features = features - (features[speech] if speech.any() else features).mean(0)
        self._block = lru_cache(maxsize=_KEPT_BLOCKS)(self._compute)

    def __len__(self) -> int:
        return len(self._features)

    def embed(self, first: int, mask: Tensor) -> Tensor | None:
        """Return the embedding of the frames that a mask keeps, (192,), or None for fewer than `FEWEST`.

        Parameters
        ----------
        first: the frame where the mask begins.
        mask: bool, shape (frames,).
        """
        embeddings = [embedding for _, embedding in self.embed_each([(None, first, mask)])]
        return embeddings[0] if embeddings else None

    def embed_each(self, stretches: Iterable[tuple[StretchKey, int, Tensor]]) -> Iterator[tuple[StretchKey, Tensor]]:
        """Yield the embedding, (192,), of each stretch that keeps `FEWEST` frames at least, in any order.

        Most stretches have one length, the most that is embedded of a voice: such are embedded several at a time.

        Parameters
        ----------
        stretches: what each is called, the frame where its mask begins, and its mask: bool, shape (frames,).
        """
        alike: list[tuple[StretchKey, Tensor]] = []
        for key, first, mask in stretches:
            if mask.sum() < FEWEST:
                continue
            last = min(first + len(mask), len(self))
            front = self._front(first, last)[:, :, mask[: last - first]]
            if alike and front.shape != alike[0][1].shape:
                if front.shape[-1] < alike[0][1].shape[-1]:
                    yield key, self._network.xvector(front)[0]
                    continue
                yield from self._together(alike)
                alike = []
            alike.append((key, front))
            if len(alike) == _BATCH:
                yield from self._together(alike)
                alike = []
        yield from self._together(alike)

    def _together(self, alike: Sequence[tuple[StretchKey, Tensor]]) -> Iterator[tuple[StretchKey, Tensor]]:
        if alike:
            embeddings = self._network.xvector(torch.cat([front for _, front in alike]))
            yield from zip((key for key, _ in alike), embeddings, strict=True)

    def windows(self, starts: Sequence[int], frames: int) -> Tensor:
        """Embeddings (n, 192) of windows of equal length in frames; one that reaches beyond the end is moved back."""
        embeddings = []
        for number in range(0, len(starts), _BATCH):
            batch = [max(0, min(start, len(self) - frames)) for start in starts[number : number + _BATCH]]
            front = [self._front(start, start + frames) for start in batch]
            embeddings.append(self._network.xvector(torch.cat(front)))
        return torch.cat(embeddings)

    def _front(self, first: int, last: int) -> Tensor:
        blocks = range(first // _BLOCK, -(-last // _BLOCK))
        front = torch.cat([self._block(number) for number in blocks], dim=-1)
        offset = first - blocks.start * _BLOCK
        return front[:, :, offset : offset + last - first]

    def _compute(self, number: int) -> Tensor:
        first, last = number * _BLOCK, min((number + 1) * _BLOCK, len(self))
        begin = max(0, first - _REACH)
        front = self._network.head(self._features[None, begin : last + _REACH].transpose(1, 2))
        return front[:, :, first - begin : last - begin]


class _Head(nn.Module):
    """The two-dimensional front: (batch, 80, T) -> (batch, channels * 10, T)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.layer2 = nn.Sequential(_Residual(channels, 2), _Residual(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x.unsqueeze(1))))
        x = self.layer2(self.layer1(x))
        return functional.relu(self.bn2(self.conv2(x))).flatten(1, 2)


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the stride is along frequency only."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1:
            convolution = nn.Conv2d(channels, channels, 1, stride=(stride, 1), bias=False)
            self.shortcut = nn.Sequential(convolution, nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        inner = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(inner)) + self.shortcut(x))


def _normalized(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU()))


class _FrontLayer(nn.Module):
    """The first time-delay layer: 5 frames, every second one."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _normalized(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x))


class _DenseBlock(nn.Module):
    """Layers whose outputs are all kept beside their input."""

    def __init__(self, depth: int, channels: int, dilation: int) -> None:
        super().__init__()
        for number in range(depth):
            self.add_module(f"tdnnd{number + 1}", _MaskedLayer(channels + number * _GROWTH, dilation))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class _MaskedLayer(nn.Module):
    """Bottleneck, then a convolution over 3 frames gated by its context."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _normalized(channels)
        self.linear1 = nn.Conv1d(channels, _BOTTLENECK, 1, bias=False)
        self.nonlinear2 = _normalized(_BOTTLENECK)
        self.cam_layer = _ContextMask(dilation)

    def forward(self, x: Tensor) -> Tensor:
        return self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))


class _ContextMask(nn.Module):
    """Equations 1 to 5 of the paper."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(_BOTTLENECK, _GROWTH, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(_BOTTLENECK, _BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(_BOTTLENECK // 2, _GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        segments = functional.avg_pool1d(x, _CONTEXT_FRAMES, stride=_CONTEXT_FRAMES, ceil_mode=True)
        # The gate is the same for all frames of a segment: it is computed once per segment, not once per frame.
        gate = torch.sigmoid(self.linear2(functional.relu(self.linear1(x.mean(-1, keepdim=True) + segments))))
        return self.linear_local(x) * gate.repeat_interleave(_CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]


class _Transition(nn.Module):
    """Mixes the channels of a block down to half."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.nonlinear = _normalized(channels)
        self.linear = nn.Conv1d(channels, out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.nonlinear(x))


class _Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(-1), x.std(-1)], dim=1)


class _Dense(nn.Module):
    """The last layer; its normalization has no scale of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, DIMENSION, 1, bias=False)
        self.nonlinear = nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(DIMENSION, affine=False)))

    def forward(self, x: Tensor) -> Tensor:
        return self.nonlinear(self.linear(x.unsqueeze(-1)).squeeze(-1))
