"""``python -m tests.benchmarks.recommendation``: does a recognizer take as long as `models --recommend` expects?

For every recognizer on this machine: processor time to recognize the bundled 20 minutes, expected and real, and their
ratio. Only recognizers that are installed can be measured; of the larger ones the table says nothing.
"""

from __future__ import annotations

import resource
from pathlib import Path

from pipeline import model_catalog, settings
from pipeline.audio import recording
from pipeline.speech import recommendation, transcriber
from pipeline.speech.cores import Cores

TAPE = Path(__file__).resolve().parents[1] / "recordings" / "session-20-minutes.ogg"


def processor_seconds() -> float:
    """Seconds of all threads of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print a line per recognizer."""
    default = settings.load().settings
    tape = recording.decode(TAPE, default.audio)
    expected = recommendation.expectations(recommendation.measure(default), default)
    print("recognizer        expected s   real s   real / expected")
    for expectation in expected:
        name = expectation.model.name
        if not model_catalog.installed(expectation.model, default.models):
            continue
        options = default.model_copy(update={"transcription": settings.recognizer_settings(name)})
        since = processor_seconds()
        transcriber.load(options).transcribe(tape.mono, Cores(1))
        real = processor_seconds() - since
        seconds = expectation.minutes * 60 * default.engines.cores
        seconds *= tape.duration / 60_000 / recommendation.TAPE_MINUTES
        print(f"{name:17} {seconds:10.0f} {real:8.0f} {real / seconds:17.2f}")


if __name__ == "__main__":
    main()
