"""From a hub to a tape: real weights behind a stand-in of the hub, fetched by command, then a whole run from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pipeline import model_catalog, settings
from tests.model_catalog.hub import REVISION, Hub, serve

RECORDING = Path(__file__).resolve().parents[1] / "recordings" / "roleplay-alcohol.ogg"


@pytest.mark.engines
def test_ears_from_a_hub_hear_a_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = settings.load().settings.models
    base = model_catalog.entry("whisper-base", bundled)
    assert base
    (tmp_path / "hub/org").mkdir(parents=True)
    (tmp_path / "hub/org/ears").symlink_to(model_catalog.folder("whisper-base", bundled))
    models = tmp_path / "models"
    models.mkdir()
    for entry in model_catalog.catalog(bundled):
        if entry.use == "run":
            (models / entry.name).symlink_to(model_catalog.folder(entry.name, bundled))
    files = ", ".join(f'{{name="{file.name}", size={file.size}, sha256="{file.sha256}"}}' for file in base.files)
    (tmp_path / "catalog.toml").write_text(
        '[[models]]\nname="ears"\nwhat="our ears"\npurpose="transcription"\nuse="choice"\nlicence="MIT"\n'
        'upstream="here"\n'
        f'hub={{repository="org/ears", revision="{REVISION}"}}\nfiles=[{files}]\n'
    )
    mine = tmp_path / "mine.toml"
    mine.write_text(
        f'[models]\nfolder="{models}"\ncatalog="{tmp_path / "catalog.toml"}"\n[transcription]\nmodel="ears"\n'
    )
    out = tmp_path / "tape"
    process = ["process", str(RECORDING), "--end", "0:40", "--target-behavior", "drinking", "--out", str(out)]

    missing = run(*process, "--config", str(mine))
    assert missing.returncode == 1
    assert "TR-M01 model ears is not installed" in missing.stderr
    assert "run `tape-review models --fetch ears` once while connected" in missing.stderr
    with serve(Hub(tmp_path / "hub", break_after=20_000_000, breaks=1)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        fetched = run("models", "--fetch", "--config", str(mine))
    assert fetched.returncode == 0, fetched.stderr
    assert [wanted for name, wanted in hub.requests if name == "model.bin"][1].startswith("bytes=")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # offline again
    processed = run(*process, "--config", str(mine))
    assert processed.returncode == 0, processed.stderr
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["models"]["transcriber"] == {
        "model": "ears",
        "checksum": model_catalog.checksum(base),
        "upstream": "here",
    }
    options = provenance["settings"]["transcription"]
    assert (options["beam"], options["timed_beam"], options["plain_beam"]) == (5, 0, 0)
    words = pd.read_csv(out / "words.csv")
    spoken = pd.read_csv(RECORDING.with_suffix(".csv"))
    expected = spoken.loc[spoken["start"] < 40, "text"].str.lower().str.findall(r"[a-z']+").sum()
    recognized = set(" ".join(words["text"]).lower().replace(",", " ").replace(".", " ").split())
    assert sum(word in recognized for word in expected) > 0.85 * len(expected)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the installed program."""
    command = [str(Path(sys.executable).with_name("tape-review")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
