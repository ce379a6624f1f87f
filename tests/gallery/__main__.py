"""``python -m tests.gallery FOLDER``: a picture of every page that a role can reach, and what axe finds on it.

It furnishes a simulated year, opens each page of `tests.gallery.pages` in Chromium, and writes ``NAME-WAY.png``: 1280
and 390 pixels wide, dark, at 200 % zoom, and as it is printed. It ends with 1 where axe finds anything.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pipeline.review.demo_year.year import TAPES
from tests.gallery.furnished import furnished
from tests.gallery.opening import WIDE, WIDTHS, ZOOMED, Gallery, faults, opening
from tests.gallery.pages import PAGES, Page

PAPER = {"width": 794, "height": 1123}
"""A4 at 96 pixels an inch."""


def pictures(gallery: Gallery, page: Page, folder: Path) -> list[str]:
    """Write the pictures of a page; return what is wrong with it."""
    wrong = []
    for width, size in WIDTHS.items():
        tab = gallery.open(page, size)
        wrong += [f"{page.name} at {width}: {fault}" for fault in faults(tab)]
        _picture(tab, page, folder, str(width))
        if width == WIDE["width"]:
            tab.set_viewport_size(ZOOMED)
            _picture(tab, page, folder, "zoom")
            tab.set_viewport_size(PAPER)
            tab.emulate_media(media="print")
            tab.screenshot(path=folder / f"{page.name}-print.png", full_page=True)
        tab.close()
    tab = gallery.open(page, WIDE, dark=True)
    wrong += [f"{page.name} in the dark: {fault}" for fault in faults(tab)]
    _picture(tab, page, folder, "dark")
    tab.close()
    return wrong


def _picture(tab: Any, page: Page, folder: Path, way: str) -> None:
    tab.screenshot(path=folder / f"{page.name}-{way}.png", full_page=not page.fixed)


def main(arguments: list[str]) -> int:
    """Write the pictures that the command asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tapes", type=int, default=TAPES, help=f"in the year; {TAPES} where it is not said")
    parser.add_argument("--only", default="", help="pages whose names begin so; several with commas")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    shown = [page for page in PAGES if page.name.startswith(tuple(given.only.split(",")))]
    wrong = []
    with furnished(tapes=given.tapes) as stage, opening(stage) as gallery:
        for page in shown:
            print(page.name, flush=True)
            wrong += pictures(gallery, page, given.folder)
    print(*wrong, sep="\n")
    print(f"{len(shown)} pages, {len(wrong)} faults: {given.folder}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
