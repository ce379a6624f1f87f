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


def test_what_the_machine_switched_on_is_off_here() -> None:
    """Variables that another program's operator has set make none of our libraries report."""
    on = {
        "DO_NOT_TRACK": "0",
        "HF_HUB_DISABLE_TELEMETRY": "0",
        "ORT_DISABLE_TELEMETRY": "0",
        "PYANNOTE_METRICS_ENABLED": "1",
        "DBOS__CLOUD": "true",
        "DBOS__OTLP_TRACES_ENDPOINT": "http://192.0.2.1/traces",
        "DBOS__OTLP_LOGS_ENDPOINT": "http://192.0.2.1/logs",
    }
    program = f"import os, pipeline; print(*(os.environ.get(name, '-') for name in {tuple(on)!r}))"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | on, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["1", "1", "1", "0", "-", "-", "-"]
