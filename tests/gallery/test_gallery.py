"""Every page is in the gallery, and on none of them axe finds anything, on a laptop and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gallery.furnished import furnished
from tests.gallery.opening import WIDTHS, faults, opening
from tests.gallery.pages import OTHERS, PAGES, route
from tests.review.conftest import Room
from tests.review.routes import calls


def test_no_page_is_left_out(room: Room) -> None:
    paths = [call.path for call in calls(room.app) if call.method == "GET"]
    shown = {route(page.path, paths) for page in PAGES} - {""}
    assert shown | set(OTHERS) == set(paths), "a new page belongs to tests/gallery/pages.py"
    assert shown.isdisjoint(OTHERS)
    assert len({page.name for page in PAGES}) == len(PAGES)


@pytest.mark.engines
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_the_window(tmp_path: Path) -> None:
    wrong = {}
    with furnished(tmp_path, tapes=2) as stage, opening(stage) as gallery:
        for page in PAGES:
            tab = gallery.open(page, WIDTHS[1280])
            for width, size in WIDTHS.items():
                tab.set_viewport_size(size)
                if violations := faults(tab):
                    wrong[f"{page.name} at {width}"] = violations
            tab.close()
    assert wrong == {}
