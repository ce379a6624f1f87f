"""A coach's visit in a browser, from the login to a recalibration; ``TAPE_REVIEW_SCREENSHOTS`` keeps the pictures."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pyotp
import pytest

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth import credentials
from pipeline.tapes.db.records import Person
from tests.review.coach.year import Year
from tests.review.coding.browser import PATIENCE, chromium, click, faults
from tests.review.coding.server import free_port, serving
from tests.review.conftest import PASSWORD, QUICK


def keep(page: Any, name: str) -> None:
    folder = os.environ.get("TAPE_REVIEW_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.engines
def test_a_coach_walks_from_the_login_to_a_recalibration(group: Year) -> None:
    room, secret, port = group.room, pyotp.random_base32(), free_port()
    with room.home.database.writing() as database:
        database.get_one(Person, group.people["Coco"]).totp_secret = credentials.closed(room.home, secret)
        database.get_one(Person, group.people["Coco"]).is_admin = True
    address = f"http://127.0.0.1:{port}"
    made = application.create(room.home, settings.load().settings, clock=room.clock, address=address, passwords=QUICK)
    with serving(made, port), chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(address)
        page.get_by_label("E-mail").fill("coco@example.org")
        page.get_by_label("Password").fill(PASSWORD)
        click(page.get_by_role("button", name="Sign in"))
        page.locator("#code").fill(pyotp.TOTP(secret).at(room.clock() // 1000))
        click(page.locator("main button").first)
        click(page.get_by_role("link", name="Coach visit"))
        assert "Talk to Ben" in page.locator(".lead").inner_text()
        assert "times as many complex reflections as the coach" in page.locator("li.drift").first.inner_text()
        assert faults(page) == []
        keep(page, "visit")
        page.get_by_text("All figures", exact=True).click()
        click(page.locator('a[href*="pairs"][href*="coder=Ben"]').first)
        assert page.locator("audio").count() > 0
        assert faults(page) == []
        assert not page.get_by_text("You sleep badly after those evenings.").first.is_visible()
        page.get_by_text("What is said", exact=True).first.click()
        assert page.get_by_text("You sleep badly after those evenings.").first.is_visible()
        keep(page, "pair")
        click(page.get_by_role("link", name="Back to the visit"))
        page.get_by_label("We have recalibrated").select_option(label="Ben")
        page.get_by_label("What you agreed on").fill("A complex reflection adds meaning.")
        click(page.get_by_role("button", name="Start over"))
        assert "The charts start over" in page.get_by_role("status").inner_text()
        assert page.get_by_text("Talk to Ben").count() == 0
        keep(page, "recalibrated")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        keep(page, "phone")
        click(page.get_by_role("link", name="Stretches of 5 minutes"))
        assert page.get_by_text(re.compile("minute (0 to 5|5 to 10)")).count() > 0
        page.get_by_text("All figures", exact=True).click()
        click(page.locator('a[href*="pairs"]').first)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        keep(page, "phone-pair")
        page.goto(f"{address}/program")
        keep(page, "program")
        ada = browser.new_context(viewport={"width": 1280, "height": 900})
        token = room.app.state.context.sessions.start(group.people["Ben"], room.clock(), second_factor=True)
        ada.add_cookies([{"name": "tape_review_session", "value": token, "url": address}])
        own_page = ada.new_page()
        own_page.set_default_timeout(PATIENCE)
        own_page.goto(f"{address}/groups/{group.group}/agreement")
        assert "Do we hear the same thing?" in own_page.locator("h1").inner_text()
        keep(own_page, "member")
        own_page.set_viewport_size({"width": 390, "height": 844})
        assert own_page.evaluate("document.documentElement.scrollWidth") <= 390
        keep(own_page, "phone-member")
        assert problems == []
