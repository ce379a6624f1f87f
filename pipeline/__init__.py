"""Tape Review: from a consented recording of a motivational-interviewing session to a pre-coded tape.

Nothing leaves the machine: importing this package switches off every hub and telemetry that a library below might
call, before that library is imported. One thread a numerical library: engines run side by side, one core each
(`pipeline.speech.cores`).
"""

import os

__version__ = "0.1.0"

for _name, _value in {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "PYANNOTE_METRICS_ENABLED": "0",
}.items():
    os.environ[_name] = _value  # whatever the machine says: an operator of another program may have switched it on
for _name in ("DBOS__CLOUD", "DBOS__OTLP_TRACES_ENDPOINT", "DBOS__OTLP_LOGS_ENDPOINT"):
    os.environ.pop(_name, None)  # with these the queue would send its traces elsewhere, and take another database
for _name, _value in {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}.items():
    os.environ.setdefault(_name, _value)
