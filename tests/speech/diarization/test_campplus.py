from pathlib import Path

import numpy as np
import pytest

from pipeline import model_catalog, settings

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def campplus():
    from pipeline.speech.diarization import campplus

    return campplus


@pytest.fixture(scope="module")
def network(campplus):
    return campplus.load(model_catalog.folder("campplus", settings.load().settings.models) / "campplus.pt")


def tone(seconds: float, hertz: float) -> np.ndarray:
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_every_weight_of_the_published_model_has_its_place(network):
    assert not network.training
    assert sum(weight.numel() for weight in network.parameters()) == 6_848_544


def test_filter_banks_are_kaldis(campplus):
    import torch

    features = campplus.filter_banks(torch.from_numpy(tone(1.0, 1000.0)))
    assert features.shape == (98, 80)  # 1 + (16000 - 400) // 160
    mel = 1127 * np.log(1 + np.array([20, 1000, 8000]) / 700)  # bins are equally spaced in mel from 20 Hz to 8 kHz
    expected = (mel[1] - mel[0]) / ((mel[2] - mel[0]) / 81) - 1
    assert abs(features.mean(0).argmax().item() - expected) <= 0.5


def test_filter_banks_of_a_long_recording_do_not_depend_on_blocks(campplus):
    import torch

    from pipeline.speech.diarization import torchaudio_compat

    torchaudio_compat.import_torchaudio()
    from torchaudio.compliance import kaldi

    samples = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, 16_000 * 25).astype(np.float32))
    whole = kaldi.fbank(samples[None], num_mel_bins=80, sample_frequency=16_000, dither=0.0)
    torch.testing.assert_close(campplus.filter_banks(samples), whole)


def test_too_little_sound_has_no_features_and_no_embedding(campplus, network):
    import torch

    assert campplus.filter_banks(torch.zeros(399)).shape == (0, 80)
    recording = campplus.RecordingEmbeddings(network, torch.zeros(100, 80), torch.zeros(100, dtype=torch.bool))
    mask = torch.arange(100) < campplus.FEWEST - 1
    assert recording.embed(0, mask) is None


def test_the_shared_front_gives_what_the_whole_network_gives(campplus, network):
    """Over a stretch that spans blocks, and is all the speech there is, sharing changes nothing."""
    import torch

    features = torch.from_numpy(np.random.default_rng(1).normal(size=(2345, 80)).astype(np.float32))
    everything = torch.ones(len(features), dtype=torch.bool)
    with torch.inference_mode():
        recording = campplus.RecordingEmbeddings(network, features, everything)
        expected = network((features - features.mean(0))[None])[0]
        # windows in passing, so that earlier blocks are dropped and computed again
        for first in (0, 1900, 700):
            recording.embed(first, everything[:400])
        front = network.head((features - features.mean(0))[None].transpose(1, 2))
        middle = network.xvector(front[:, :, 700:1700])[0]
        torch.testing.assert_close(recording.embed(700, everything[:1000]), middle, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(network.xvector(front)[0], expected, atol=1e-4, rtol=1e-4)


def test_a_gate_per_segment_equals_a_gate_per_frame(campplus):
    """The paper computes the gate for every frame; frames of a segment share it."""
    import torch
    from torch.nn import functional

    torch.manual_seed(0)
    layer = campplus._ContextMask(2)
    frames = torch.randn(1, 128, 250)
    means = torch.stack([frames[0, :, at - at % 100 : at - at % 100 + 100].mean(-1) for at in range(250)], -1)
    context = frames.mean(-1, keepdim=True) + means[None]
    gate = torch.sigmoid(layer.linear2(functional.relu(layer.linear1(context))))
    torch.testing.assert_close(layer(frames), layer.linear_local(frames) * gate, atol=1e-6, rtol=1e-5)


def test_a_checkpoint_that_runs_code_is_refused(campplus, tmp_path: Path):
    import pickle

    import torch

    class Canary:
        def __reduce__(self):
            return Path.touch, (tmp_path / "canary",)

    torch.save(Canary(), tmp_path / "campplus.pt")
    with pytest.raises(pickle.UnpicklingError):
        campplus.load(tmp_path / "campplus.pt")
    assert not (tmp_path / "canary").exists()
