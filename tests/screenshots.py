"""``python -m tests.screenshots [FOLDER]``: the pictures of the README, from a simulated year, by one command.

It fills a temporary home with `pipeline.review.demo_year.year.make_year`, opens `PAGES` in Chromium as the people that
stand beside them, and writes one small PNG each. Every picture says that it is simulated, as the pages do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.demo_year.year import YearMade, make_year
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from tests.review.coding.browser import PATIENCE, chromium
from tests.review.coding.server import free_port, serving

FOLDER = Path(__file__).parents[1] / "pipeline" / "review" / "pictures"
SIZE = {"width": 1280, "height": 860}
COLORS = 96
"""Colors of a picture, at most: text on plain ground keeps its look, and a file stays under 150 KB."""


@dataclass(frozen=True)
class Shot:
    """A page and who looks at it; ``path`` may name the group, the last tape that all coded, and the one that waits."""

    name: str
    person: str
    path: str
    ready: str = "main h1"
    begins_pass: bool = False


PAGES = (
    Shot("coach", "Kim", "/groups/{group}/visit"),
    Shot("coding", "Eve", "/tapes/{waiting}/coding", ready="[data-ready]", begins_pass=True),
    Shot("together", "Ada", "/tapes/{tape}/together", ready="[data-ready]"),
    Shot("summary", "Ada", "/tapes/{tape}/summary"),
)


def take(folder: Path, shots: Sequence[Shot] = PAGES, tapes: int | None = None) -> list[Path]:
    """Write a picture of each page, and return their paths; ``tapes`` makes a shorter year."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded = settings.load().settings
    with TemporaryDirectory() as made:
        home = Home.create(loaded.tapes.model_copy(update={"home": f"{made}/home", "database": ""}))
        try:
            year = make_year(home, loaded, now(), **({} if tapes is None else {"tapes": tapes}))
            return _taken(home, year, folder, shots)
        finally:
            home.close()


def _taken(home: Home, year: YearMade, folder: Path, shots: Sequence[Shot]) -> list[Path]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    app = application.create(home, settings.load().settings, address=address)
    names = {"group": year.group_id, "tape": year.tapes[-2], "waiting": year.tapes[-1]}
    paths = []
    with serving(app, port), chromium() as browser:
        for shot in shots:
            token = app.state.context.sessions.start(year.people[shot.person], now(), second_factor=True)
            context = browser.new_context(viewport=SIZE, color_scheme="light")
            context.add_cookies([{"name": "tape_review_session", "value": token, "url": address}])
            page = context.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(address + shot.path.format(**names))
            if shot.begins_pass:
                page.locator("main form button").first.click()
                page.wait_for_load_state()
            page.wait_for_selector(shot.ready, state="attached")
            paths.append(folder / f"{shot.name}.png")
            with Image.open(BytesIO(page.screenshot())) as picture:
                picture.convert("RGB").quantize(COLORS).save(paths[-1], optimize=True)
            context.close()
    return paths


if __name__ == "__main__":
    for path in take(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(f"{path}: {path.stat().st_size // 1000} KB")
