"""The pyannote pipelines: our weights in them, and whole ones as they are published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import model_catalog, settings
from pipeline.errors import ModelError, SpeechError
from pipeline.run.progress import ignore
from pipeline.speech.cores import Cores
from pipeline.speech.diarization import diarizers
from tests.speech.diarization.samples import SETTINGS, recorded

pytestmark = pytest.mark.engines


def test_a_file_that_is_another_model_is_refused(tmp_path):
    import torch

    for name, checkpoint in (("campplus.pt", {"one": torch.zeros(1)}), ("segmentation.pt", {"state_dict": {}})):
        torch.save(checkpoint, tmp_path / name)
    from pipeline.speech.diarization import pyannote_pipeline

    with pytest.raises(ModelError, match=r"TR-M07 .* has no valid segmentation.pt"):
        pyannote_pipeline.segmentation_model(tmp_path)
    with pytest.raises(ModelError, match=r"TR-M07 .* has no valid campplus.pt"):
        pyannote_pipeline.embedding_model(tmp_path)


def test_stock_pyannote_takes_the_embedding_too(telephone):
    """The model class alone, within pyannote's own pipeline, tells voices apart, too."""
    import torch

    from pipeline.speech.diarization import pyannote_pipeline

    model = pyannote_pipeline.embedding_model(model_catalog.folder("campplus", SETTINGS.models))
    samples = torch.from_numpy(telephone[0].mono)[None]
    spoken = [samples[:, 16_000 * first : 16_000 * last] for first, last in ((11, 14), (19, 21), (22, 25))]
    with torch.inference_mode():
        ana, again, other = (model(part[None])[0] for part in spoken)
        nothing = model(spoken[0][None], torch.zeros(1, 100))
    alike, unlike = (torch.cosine_similarity(ana, embedding, dim=0).item() for embedding in (again, other))
    assert alike > unlike + 0.2
    assert nothing.isnan().all()


def clusters(first: list[float], second: list[float], seconds: float, count: int | None) -> np.ndarray:
    """Clusters of two local speakers in windows of 10 s, who speak 5 s and ``seconds``, by the angles of embeddings."""
    from pyannote.core import SlidingWindow, SlidingWindowFeature

    from pipeline.speech.diarization import pyannote_pipeline

    active = np.zeros((len(first), 100, 3))
    active[:, :50, 0] = 1
    active[:, 60 : 60 + round(10 * seconds), 1] = 1
    angles = np.radians(np.stack([first, second, [0.0] * len(first)], axis=1))
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=2)
    embeddings[:, 2] = np.nan
    clustering = pyannote_pipeline.VoiceClustering(0.8)
    clustering.instantiate({"method": "centroid", "threshold": 0.8, "min_cluster_size": 12})
    speech = SlidingWindowFeature(active, SlidingWindow(duration=10.0, step=2.5))
    numbers = {"num_clusters": count, "min_clusters": count or 1, "max_clusters": count or 20}
    return np.array(clustering(embeddings, segmentations=speech, **numbers)[0])[:, :2]


@pytest.mark.parametrize(
    ("first", "second", "seconds", "count"),
    [
        ([0, 20] * 6, [90] * 12, 1.5, 2),  # the second voice says little: the first one is not cut in two instead of it
        ([0, 48] * 6, [136] * 12, 5.0, None),  # a voice that scatters by 0.81: half of the way to a stranger is 0.98
    ],
)
def test_two_voices_are_two(first, second, seconds, count):
    labels = clusters(first, second, seconds, count)
    assert [len(set(column)) for column in labels.T] == [1, 1]
    assert labels[0, 0] != labels[0, 1]


def published(folder: Path, segmentation: object = None) -> Path:
    """A folder as pyannote publishes whole pipelines, with weights at random."""
    import torch
    from pyannote.audio import __version__
    from pyannote.audio.models.embedding import XVectorSincNet
    from pyannote.audio.models.segmentation import PyanNet

    from pipeline.speech.diarization import pyannote_pipeline

    torch.manual_seed(0)
    lstm = {"hidden_size": 8, "num_layers": 1, "bidirectional": True, "monolithic": True}
    segmenter, embedder = PyanNet(lstm=lstm), XVectorSincNet(dimension=16)
    segmenter.specifications = pyannote_pipeline.specifications()
    segmenter.build()
    for name, model in (("segmentation", segmenter), ("embedding", embedder)):
        (folder / name).mkdir(parents=True)
        metadata = {
            "versions": {"pyannote.audio": __version__},
            "architecture": {"module": type(model).__module__, "class": type(model).__name__},
            "specifications": pyannote_pipeline.specifications(),
        }
        checkpoint = {
            "state_dict": model.state_dict(),
            "hyper_parameters": dict(model.hparams),
            "pyannote.audio": metadata,
        }
        torch.save({"pytorch-lightning_version": "2.6.0", **checkpoint}, folder / name / "pytorch_model.bin")
    if segmentation:
        torch.save(segmentation, folder / "segmentation/pytorch_model.bin")
    (folder / "plda").mkdir()
    np.savez(folder / "plda/xvec_transform.npz", mean1=np.zeros(16), mean2=np.zeros(8), lda=np.eye(16, 8))
    np.savez(folder / "plda/plda.npz", mu=np.zeros(8), tr=np.eye(8), psi=np.arange(1.0, 9.0))
    (folder / "config.yaml").write_text(
        "pipeline:\n  name: pyannote.audio.pipelines.SpeakerDiarization\n  params:\n    clustering: VBxClustering\n"
        "    segmentation: $model/segmentation\n    embedding: $model/embedding\n    plda: $model/plda\n"
        "params:\n  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}\n  segmentation: {min_duration_off: 0.0}\n"
    )
    return folder


def with_pipeline(name: str) -> settings.Settings:
    return SETTINGS.model_copy(update={"diarization": SETTINGS.diarization.model_copy(update={"pipeline": name})})


def test_a_local_folder_needs_no_network(tmp_path, telephone):
    folder = published(tmp_path / "community")
    recording = recorded(telephone[0].samples[:, :160_000])
    diarization = diarizers.load("pyannote", with_pipeline(str(folder))).diarize(recording, Cores(1), ignore)
    assert diarization.engine["models"][0]["model"] == "community"
    assert all(segment.span.end <= 10_000 for segment in diarization.segments)


def test_a_checkpoint_that_runs_code_is_refused(tmp_path, telephone):
    class Canary:
        def __reduce__(self):
            return Path.touch, (tmp_path / "canary",)

    folder = published(tmp_path / "evil", segmentation={"state_dict": Canary()})
    with pytest.raises(SpeechError, match=r"TR-P14 diarization pipeline .*evil cannot be loaded"):
        diarizers.load("pyannote", with_pipeline(str(folder))).diarize(telephone[0], Cores(1), ignore)
    assert not (tmp_path / "canary").exists()


def test_a_hub_name_is_handed_to_pyannote_as_it_is(monkeypatch, telephone):
    from pipeline.speech.diarization import pyannote_pipeline

    names = []
    monkeypatch.setattr(pyannote_pipeline.Pipeline, "from_pretrained", lambda name: names.append(name))
    with pytest.raises(SpeechError, match=r"TR-P14 .* is not available; accept its conditions on the hub"):
        diarizers.load("pyannote", with_pipeline("org/pipeline")).diarize(telephone[0], Cores(1), ignore)
    assert names == ["org/pipeline"]
