"""Models from a hub: what is downloaded, resumed, checked and refused, against a stand-in on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import model_catalog
from pipeline.errors import ModelError
from pipeline.model_catalog import CatalogEntry, HubSource, ModelFile
from pipeline.model_catalog.fetching import fetch
from pipeline.settings import ModelsSettings
from tests.model_catalog.hub import REVISION, Hub, serve
from tests.model_catalog.test_wheels import sha, toy

pytestmark = pytest.mark.engines

WEIGHTS = bytes(range(256)) * 12_000
"""3 MB: several blocks of a download."""

SECRET = "hf_opens_it"  # noqa: S105 - of the stand-in


@pytest.fixture
def settings(tmp_path: Path) -> ModelsSettings:
    return ModelsSettings(folder=str(tmp_path / "models"), catalog="")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one repository, and an environment without a token."""
    folder = tmp_path / "hub" / "org" / "ears"
    (folder / "plda").mkdir(parents=True)
    (folder / "model.bin").write_bytes(WEIGHTS)
    (folder / "plda" / "notes.txt").write_bytes(b"notes")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with serve(Hub(tmp_path / "hub")) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


def ears(**changes: object) -> CatalogEntry:
    """A model of two files on the hub."""
    files = (
        ModelFile(name="model.bin", size=len(WEIGHTS), sha256=sha(WEIGHTS)),
        ModelFile(name="plda/notes.txt", size=5, sha256=sha(b"notes")),
    )
    source = HubSource(repository="org/ears", revision=REVISION)
    return toy(**{"name": "ears", "wheels": (), "hub": source, "files": files} | changes)


def leftovers(settings: ModelsSettings) -> list[Path]:
    return [path for path in (model_catalog.root(settings) / ".downloads").rglob("*") if path.is_file()]


def test_a_model_arrives_whole_with_its_record(hub: Hub, settings: ModelsSettings) -> None:
    progress: list[float] = []
    folder = fetch(ears(), settings, progress.append)
    assert (folder / "model.bin").read_bytes() == WEIGHTS
    assert (folder / "plda/notes.txt").read_bytes() == b"notes"
    assert model_catalog.installed(ears(), settings)
    assert progress == sorted(progress)
    assert len(progress) > 4
    assert progress[-1] == 1.0
    assert leftovers(settings) == []


def test_a_connection_that_breaks_goes_on_where_it_stopped(hub: Hub, settings: ModelsSettings) -> None:
    hub.break_after, hub.breaks = 1_200_000, 2
    fetch(ears(), settings)
    assert (model_catalog.root(settings) / "ears/model.bin").read_bytes() == WEIGHTS
    ranges = [wanted for name, wanted in hub.requests if name == "model.bin"]
    assert ranges[0] == ""
    assert len(ranges) == 3
    starts = [int(wanted.removeprefix("bytes=").removesuffix("-")) for wanted in ranges[1:]]
    assert starts == sorted(set(starts))
    assert 0 < starts[0] <= 1_200_000


def test_a_later_run_goes_on_where_a_killed_one_stopped(hub: Hub, settings: ModelsSettings) -> None:
    partial = model_catalog.root(settings) / ".downloads" / f"ears-{REVISION[:12]}" / "model.bin.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(WEIGHTS[:2_000_000])
    fetch(ears(), settings)
    assert hub.requests[0] == ("model.bin", "bytes=2000000-")
    assert (model_catalog.root(settings) / "ears/model.bin").read_bytes() == WEIGHTS


def test_a_kill_leaves_what_came_and_no_model(hub: Hub, settings: ModelsSettings) -> None:
    """The whole group of processes is killed while the first file is on its way."""
    hub.break_after, hub.breaks = 1_000_000, 1
    code = (
        "import os, signal; from tests.model_catalog.test_hub import *\n"
        f"settings = ModelsSettings(folder={settings.folder!r}, catalog='')\n"
        "fetch(ears(), settings, lambda done: done > .2 and os.killpg(0, signal.SIGKILL))"
    )
    killed = subprocess.run([sys.executable, "-c", code], start_new_session=True, check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert not model_catalog.installed(ears(), settings)
    assert not (model_catalog.root(settings) / "ears").exists()
    assert any(path.name == "model.bin.partial" and path.stat().st_size for path in leftovers(settings))
    fetch(ears(), settings)
    assert (model_catalog.root(settings) / "ears/model.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("data", [b"other", WEIGHTS + b"more", WEIGHTS[:-1] + b"!"], ids=["short", "long", "same"])
def test_a_file_with_another_checksum_is_refused_and_kept_nowhere(
    data: bytes, hub: Hub, settings: ModelsSettings
) -> None:
    (hub.root / "org/ears/model.bin").write_bytes(data)
    with pytest.raises(ModelError, match="TR-M05 file model.bin of model ears has another checksum or size"):
        fetch(ears(), settings)
    assert not (model_catalog.root(settings) / "ears").exists()
    assert leftovers(settings) == []
    (hub.root / "org/ears/model.bin").write_bytes(WEIGHTS)
    fetch(ears(), settings)
    assert model_catalog.installed(ears(), settings)


def test_a_revision_that_is_gone_is_named(hub: Hub, settings: ModelsSettings) -> None:
    gone = ears(hub=HubSource(repository="org/ears", revision="f" * 40))
    with pytest.raises(ModelError, match=r"TR-M10 model ears is not on the hub any more .*revision ffffffffffff"):
        fetch(gone, settings)


def test_a_file_that_is_gone_is_named(hub: Hub, settings: ModelsSettings) -> None:
    (hub.root / "org/ears/model.bin").unlink()
    with pytest.raises(ModelError, match=r"TR-M10 model ears .*model.bin at revision"):
        fetch(ears(), settings)


def test_without_a_token_the_remedy_is_a_sentence(hub: Hub, settings: ModelsSettings) -> None:
    hub.token = SECRET
    with pytest.raises(ModelError, match="TR-M09 model ears asks for an account: HF_TOKEN holds no token") as raised:
        fetch(ears(), settings)
    assert raised.value.remedy.startswith(f"accept its conditions at {hub.address}/org/ears, make a token")


def test_a_token_that_does_not_open_it_is_told_apart(
    hub: Hub, settings: ModelsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = SECRET
    monkeypatch.setenv("HF_TOKEN", "another")
    with pytest.raises(ModelError, match="TR-M09 model ears asks for an account: your token does not open it"):
        fetch(ears(), settings)
    monkeypatch.setenv("HF_TOKEN", SECRET)
    fetch(ears(), settings)
    assert model_catalog.installed(ears(), settings)


def test_a_hub_out_of_reach_is_told_and_loses_nothing(
    hub: Hub, settings: ModelsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = model_catalog.root(settings) / ".downloads" / f"ears-{REVISION[:12]}" / "model.bin.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(WEIGHTS[:2_000_000])
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="TR-M08 model ears cannot be downloaded"):
        fetch(ears(), settings)
    assert partial.stat().st_size == 2_000_000


def test_too_little_room_is_told_before_anything_comes(
    hub: Hub, settings: ModelsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.model_catalog import fetching

    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 2_000_000}))
    with pytest.raises(ModelError, match=r"TR-M06 .* has 0.0 GB free, and ears needs 0.0 GB"):
        fetch(ears(), settings)
    assert hub.requests == []


def test_this_process_stays_offline(hub: Hub, settings: ModelsSettings) -> None:
    fetch(ears(), settings)
    assert os.environ["HF_HUB_OFFLINE"] == "1"
