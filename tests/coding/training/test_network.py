"""The network that is fine-tuned."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.coding.training.network import Network

pytestmark = pytest.mark.engines


def test_padding_does_not_change_what_the_encoder_returns(encoder: Path) -> None:
    network = Network.of(encoder, 3, 2).eval()
    pieces = torch.tensor([[5, 6, 7, 8], [5, 6, 1, 1]])
    real = torch.tensor([[True] * 4, [True, True, False, False]])
    with torch.no_grad():
        padded = network.encode(pieces, real)
        alone = network.encode(pieces[1:, :2], real[1:, :2])
    torch.testing.assert_close(padded[1:, :2], alone, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(padded[0, :2], alone[0], atol=1e-2)


def test_the_keys_of_a_stored_network_stay(encoder: Path) -> None:
    keys = {name.split(".")[0] for name in Network.of(encoder, 3, 2).state_dict()}
    assert keys == {"words", "places", "relative", "norm", "layers", "hidden", "output", "annotators"}
