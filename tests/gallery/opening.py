"""The pages in a running Chromium, one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe

from pipeline.review.auth.current_user import SESSION
from tests.gallery.furnished import Furnished
from tests.gallery.pages import HALF, Page
from tests.review.coding.browser import chromium, click
from tests.review.coding.server import serving

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
"""A laptop, and a phone."""
WIDTHS = {1280: WIDE, 390: NARROW}
ZOOMED = {"width": 640, "height": 430}
"""What is left of the laptop's window at 200 %."""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Gallery:
    """Opens pages; one context of the browser a person."""

    def __init__(self, stage: Furnished, browser: Any, address: str) -> None:
        self._stage, self._browser, self._address = stage, browser, address
        self._contexts: dict[tuple[str, bool], Any] = {}

    def address(self, page: Page) -> str:
        """The address of a page without that of the room."""
        return page.path.format(**self._stage.ids)

    def open(self, page: Page, size: dict[str, int], dark: bool = False) -> Any:
        """A tab with the page, once it is ready."""
        tab = self._context(page.person, dark).new_page()
        tab.set_default_timeout(30_000)
        tab.set_viewport_size(size)
        tab.goto(self._address + self.address(page))
        for label in page.press:
            click(tab.get_by_role("button", name=label, exact=True))
        tab.wait_for_selector(page.ready, state="attached")
        return tab

    def _context(self, person: str, dark: bool) -> Any:
        if (person, dark) not in self._contexts:
            scheme = "dark" if dark else "light"
            context = self._browser.new_context(color_scheme=scheme, reduced_motion="reduce")
            name = person.removeprefix(HALF)
            if name:
                token = self._stage.session(name, whole=name == person)
                context.add_cookies([{"name": SESSION, "value": token, "url": self._address}])
            self._contexts[person, dark] = context
        return self._contexts[person, dark]


@contextmanager
def opening(stage: Furnished) -> Iterator[Gallery]:
    """A gallery of a home whose room is served meanwhile."""
    address, port = stage.room.addressed()
    with serving(stage.room.app, port), chromium() as browser:
        yield Gallery(stage, browser, address)


def faults(tab: Any) -> list[str]:
    """Everything that axe finds, slight or serious, and what is scrolled to sideways."""
    violations = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: "
        + "; ".join(str(node["target"][0]) for node in violation["nodes"][:3])
        for violation in Axe().run(tab).response["violations"]
    ]
    wider = tab.evaluate(WIDER)
    return [*violations, *([f"{wider} pixels wider than the window"] if wider > 0 else [])]
