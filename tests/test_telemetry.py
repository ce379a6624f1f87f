"""Libraries that report to their makers are told not to, and leave no mark by which an installation could be known."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOAD = "from pathlib import Path; from pipeline.coding.inference.onnx_scorer import OnnxScorer; OnnxScorer(Path({!r}))"
LOAD_VAD = "import pipeline; from faster_whisper.vad import get_vad_model; get_vad_model()"


@pytest.mark.engines
@pytest.mark.parametrize(
    "program", [LOAD.format(str(ROOT / "models" / "utterance-tagger")), LOAD_VAD], ids=["tagger", "vad"]
)
def test_onnxruntime_leaves_no_identifier_and_keeps_no_events(program: str, tmp_path: Path) -> None:
    """Since 1.31 it makes a device id and a queue of events to send, in the user's cache, unless told not to."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    subprocess.run([sys.executable, "-B", "-c", program], env=kept | {"HOME": str(tmp_path)}, check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
