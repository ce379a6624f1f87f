"""The pictures of the READMEs: of pages that there are, small, and taken by one command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.screenshots import FOLDER, PAGES, take

ROOT = Path(__file__).parents[1]


def test_the_pictures_that_are_shown_are_there_and_small() -> None:
    shown = {
        (readme.parent / path).resolve()
        for readme in (ROOT / "README.md", ROOT / "pipeline" / "review" / "README.md")
        for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme.read_text(encoding="utf-8"))
    }
    assert shown == {FOLDER / f"{shot.name}.png" for shot in PAGES} == set(FOLDER.iterdir())
    assert len(shown) <= 4
    assert all(path.stat().st_size < 150_000 for path in shown)


@pytest.mark.engines
def test_the_pictures_are_taken_by_one_command(tmp_path: Path) -> None:
    taken = take(tmp_path / "pictures", tapes=1)
    assert [path.name for path in taken] == [f"{shot.name}.png" for shot in PAGES]
    assert all(5_000 < path.stat().st_size < 150_000 for path in taken)
