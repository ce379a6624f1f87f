"""The built wheel on a fresh machine: an empty environment with what it depends on, and nothing of the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import model_catalog
from pipeline.settings import load
from tests.guard import guarded

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def fresh(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A folder outside of the checkout, and how to run the installed program there, where nothing leaves the machine.

    What the wheel depends on is taken from this environment by a path file; the checkout is not on the path.
    """
    folder = tmp_path_factory.mktemp("fresh")
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    site = next(environment.glob("lib/python*/site-packages"))
    packages = [path for path in sys.path if path.endswith("-packages") and Path(path).is_dir()]
    (site / "dependencies.pth").write_text("\n".join(dict.fromkeys([*packages, sysconfig.get_path("purelib")])) + "\n")
    models = model_catalog.root(load().settings.models)
    elsewhere = ["env", "-u", "XDG_DATA_HOME", f"HOME={folder}", f"TAPE_REVIEW_MODELS__FOLDER={models}"]

    def run(*words: str, program: str = "tape-review") -> str:
        attempts = folder / "attempts"
        done = guarded([*elsewhere, str(environment / "bin" / program), *words], attempts, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert attempts.read_text() == ""
        return done.stdout

    return folder, run


def test_the_wheel_holds_what_a_room_needs_and_no_recording_but_role_plays(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "pipeline/_project/configs/default.toml",
        "pipeline/_project/configs/constraints.txt",
        "pipeline/_project/models/catalog.toml",
        "pipeline/_project/models/utterance-tagger/network.onnx",
        "pipeline/_project/recordings/roleplay-alcohol.ogg",
        "pipeline/review/static/built/coding.js",
        "pipeline/review/templates/base.html",
        "pipeline/tapes/db/migrations/env.py",
    ):
        assert needed in names
    assert [name for name in names if name.startswith("tests/")] == []
    sounds = [name for name in names if name.endswith((".wav", ".flac", ".ogg", ".mp3", ".m4a"))]
    assert [name for name in sounds if not name.startswith("pipeline/_project/recordings/roleplay-")] == []


def test_the_program_is_the_wheel_s_and_has_its_files(fresh: tuple[Path, Run]) -> None:
    folder, run = fresh
    package = run("-c", "import pipeline; print(pipeline.__file__)", program="python").strip()
    assert package.startswith(str(folder))
    assert "demo" in run("--help")
    assert "review.port" in run("config")
    assert "desktop" in run("desktop", "--help")
    run("desktop", "--install")
    assert (
        f"{folder}/environment/bin/tape-review"
        in (folder / ".local" / "share" / "applications" / "tape-review.desktop").read_text()
    )


def test_pages_scripts_and_codebooks_are_served_from_the_wheel(fresh: tuple[Path, Run]) -> None:
    _, run = fresh
    script = """
from pathlib import Path
from fastapi.testclient import TestClient
from pipeline.coding import codebook
from pipeline.review.app import create
from pipeline.review.assets import url
from pipeline.settings import load
from pipeline.tapes.home import Home
settings = load().settings
home = Home.create(settings.tapes.model_copy(update={"home": str(Path("pages").absolute())}))
client = TestClient(create(home, settings), base_url="http://127.0.0.1:8787")
paths = ["/login", url("built/coding.js"), url("built/pages.js"), url("style.css"), url("copy.js")]
print([client.get(path).status_code for path in paths])
home.close()
"""
    assert run("-c", script, program="python").strip() == "[200, 200, 200, 200, 200]"


def test_the_demo_runs_on_a_fresh_machine(fresh: tuple[Path, Run]) -> None:
    folder, run = fresh
    printed = run("demo")
    assert "works once: http://127.0.0.1:" in printed
    assert f"serve --home {folder / 'demo-home'}" in printed or "serve --home demo-home" in printed
    assert (folder / "demo-home" / "tapes.sqlite3").exists()
