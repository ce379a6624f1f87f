"""Addresses that only look like somebody's once their letters are made small: whoever owns one is somebody else."""

from __future__ import annotations

import pytest

from pipeline.errors import TapesError
from pipeline.tapes import people
from tests.review.auth.test_oidc import Issuer, way
from tests.review.auth.test_oidc import browser as browser
from tests.review.auth.test_oidc import issuer as issuer
from tests.review.conftest import PASSWORD, Browser, Room

KELVIN, OHM, ANGSTROM = "\u212a", "\u2126", "\u212b"


def test_the_organization_s_account_of_another_address_is_bound_to_nobody(
    room: Room, issuer: Issuer, browser: Browser
) -> None:
    room.person("Kim", room.group())
    assert way(browser, issuer, sub="another", email=f"{KELVIN}im@example.org").status_code == 401
    assert way(room.browser(), issuer, sub="kim", email="KIM@Example.org").status_code == 303


def test_a_password_opens_the_account_of_its_own_address_alone(room: Room) -> None:
    room.person("Kim", room.group())
    for email, status in ((f"{KELVIN}im@example.org", 401), (" KIM@Example.org", 303)):
        assert room.browser().post("/login", {"email": email, "password": PASSWORD}).status_code == status


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("kim@example.org", f"{KELVIN}im@example.org"),
        ("ωmega@example.org", f"{OHM}mega@example.org"),
        ("åsa@example.org", f"{ANGSTROM}sa@example.org"),
    ],
)
def test_whom_a_consent_or_a_command_names_is_whose_address_it_is(room: Room, kept: str, asked: str) -> None:
    with room.home.database.writing() as database:
        person = people.add(database, "Kim", kept, room.clock())
        assert people.find(database, kept.upper()).id == person.id
        with pytest.raises(TapesError, match="TR-K07"):
            people.find(database, asked)
        assert people.add(database, "Other", asked, room.clock()).id != person.id
