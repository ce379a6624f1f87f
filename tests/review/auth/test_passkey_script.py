"""Passkeys in a browser with an authenticator of its own; ``TAPE_REVIEW_SCREENSHOTS`` keeps the pictures."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.coach.test_walk import keep
from tests.review.coding.browser import PATIENCE, chromium, click, faults
from tests.review.coding.server import serving
from tests.review.conftest import PASSWORD, Room

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def sign_in(page: Any, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    click(page.get_by_role("button", name="Sign in"))


@pytest.mark.engines
def test_a_member_makes_a_passkey_signs_in_with_it_and_removes_it(room: Room) -> None:
    room.person("Ada")
    address, port = room.addressed()
    named = address.replace("127.0.0.1", "localhost")
    with serving(room.app, port), chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        device = context.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

        sign_in(page, address)
        page.goto(f"{address}/account")
        click(page.get_by_role("link", name=named))  # from the number to the name
        sign_in(page, named)
        page.goto(f"{named}/account")
        assert not page.get_by_text("Passkeys need JavaScript").is_visible()
        page.get_by_label("Name of the new passkey").fill("My laptop")
        page.locator("#passkey-current").fill(PASSWORD)
        click(page.get_by_role("button", name="Add a passkey"))
        page.get_by_text("The passkey is added.").wait_for()
        assert page.get_by_text("My laptop").first.is_visible()
        assert faults(page) == []
        keep(page, "passkeys-account")

        page.get_by_label("Name of the new passkey").fill("Again")
        page.locator("#passkey-current").fill(PASSWORD)
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_text("This device has a passkey for your account already.").wait_for()

        click(page.get_by_role("button", name="Sign out", exact=True).first)
        sign_in(page, named)
        page.get_by_role("button", name="Use a passkey").wait_for()
        assert faults(page) == []
        keep(page, "passkeys-sign-in")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        keep(page, "passkeys-sign-in-phone")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(f"{named}/")
        page.goto(f"{named}/account")
        page.get_by_text(", last used").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        keep(page, "passkeys-account-phone")
        page.locator('input[id^="passkey-"][name=current]').first.fill(PASSWORD)
        click(page.get_by_role("button", name="Remove My laptop"))
        assert page.get_by_text("You have no passkeys.").is_visible()
        assert problems == []

        plain = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
        sign_in(plain, named)
        plain.goto(f"{named}/account")
        assert plain.get_by_text("Passkeys need JavaScript").is_visible()
        assert not plain.get_by_role("button", name="Add a passkey").is_visible()
