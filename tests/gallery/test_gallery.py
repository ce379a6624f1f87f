"""Every page is in the gallery; axe finds nothing on any, on a laptop and on a phone; the room view can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.furnished import furnished
from tests.gallery.opening import WIDTHS, Gallery, faults, opening
from tests.gallery.pages import OTHERS, PAGES, route
from tests.review.conftest import Room
from tests.review.routes import calls

TEMPLATES = Path(__file__).resolve().parents[2] / "pipeline" / "review" / "templates"


def test_no_page_is_left_out(room: Room) -> None:
    paths = [call.path for call in calls(room.app) if call.method == "GET"]
    shown = {route(page.path, paths) for page in PAGES} - {""}
    assert shown | set(OTHERS) == set(paths), "a new page belongs to tests/gallery/pages.py"
    assert shown.isdisjoint(OTHERS)
    assert len({page.name for page in PAGES}) == len(PAGES)


def test_a_table_that_is_cut_off_on_narrow_windows_is_reached_by_keys() -> None:
    """Tables that do not stack, and the program's with a column for each quarter, are scrolled within the page."""
    cut = [
        f"{template.name}: {around}"
        for template in TEMPLATES.rglob("*.html")
        for around, table in re.findall(r'<div class="scroll"([^>]*)>(<table[^>]*>)', template.read_text("utf-8"))
        if ("stack" not in table or template.name == "group_overview.html")
        and not re.fullmatch(r' tabindex="0" role="region" aria-label="[^"]+"', around)
    ]
    assert cut == []


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    with furnished(tmp_path_factory.mktemp("gallery"), tapes=2) as stage, opening(stage) as opened:
        yield opened


@pytest.mark.engines
def test_axe_finds_nothing_on_any_page_and_none_is_wider_than_the_window(gallery: Gallery) -> None:
    wrong = {}
    for page in PAGES:
        tab = gallery.open(page, WIDTHS[1280])
        for width, size in WIDTHS.items():
            tab.set_viewport_size(size)
            if violations := faults(tab):
                wrong[f"{page.name} at {width}"] = violations
        tab.close()
    assert wrong == {}


HEIGHTS = """() => {
  const size = (name) => parseFloat(getComputedStyle(document.querySelector(name)).fontSize) / innerHeight;
  const measures = document.querySelector("#measures").getBoundingClientRect();
  return {said: size(".place.current .said"), code: size(".place.current .chip"), measure: size("#measures dd"),
    seen: measures.top >= 0 && measures.bottom <= innerHeight};
}"""


@pytest.mark.engines
@pytest.mark.parametrize("height", [720, 860])
def test_the_room_view_is_read_from_five_meters(gallery: Gallery, height: int) -> None:
    """16 minutes of arc at 5 m are 23 mm, the height of a capital, .7 of the size of its letters: 33 mm are 4.8 % of a
    picture 700 mm high. Who is sure of the words may come closer for the codes (4 %) and the figures (3 %)."""
    page = next(page for page in PAGES if page.name == "together-room")
    tab = gallery.open(page, {"width": 1280, "height": height})
    sizes = tab.evaluate(HEIGHTS)
    tab.close()
    assert sizes["said"] >= 0.048
    assert sizes["code"] >= 0.04
    assert sizes["measure"] >= 0.03
    assert sizes["seen"]
