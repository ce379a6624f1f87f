"""A review room of one home, with people in it, reached like a browser does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.access.secrecy import Passwords
from pipeline.review.access.viewer import SESSION
from pipeline.tapes.home import Home
from pipeline.tapes.records import Group, Membership, Person, Role
from tests.tapes.conftest import FakeClock

ADDRESS = "http://127.0.0.1:8787"
PAGE = {"accept": "text/html"}
PASSWORD = "seven purple lighthouses"  # noqa: S105 - of people who do not exist
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Cheap hashing: what is tested is who is let in, not how long it takes."""


class Browser:
    """A client with its own cookies, which fills in forms as they stand on the page."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(
            app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, headers=PAGE
        )

    def get(self, path: str, **given: object):
        return self.client.get(path, **given)  # type: ignore[arg-type]

    def token(self, path: str = "/login") -> str:
        """The form token that a page gives; the account page has it for who is signed in."""
        found = re.search(r'name="csrf" content="([^"]*)"', self.get(path).text)
        assert found, path
        return found[1]

    def post(self, path: str, form: dict[str, object] | None = None, page: str | None = None, **given: object):
        """Send a form with the token of `page` (by default that of any page this browser may see)."""
        source = page or ("/account" if self.client.cookies.get(SESSION) else "/login")
        data = {"csrf": self.token(source)} | (form or {})
        return self.client.post(path, data=data, **given)  # type: ignore[arg-type]


class Room:
    """The application and a short way to people in it."""

    def __init__(self, home: Home, clock: FakeClock) -> None:
        self.home, self.clock = home, clock
        self.app = application.create(home, settings.load().settings, clock=clock, passwords=QUICK)

    def browser(self) -> Browser:
        return Browser(self.app)

    def group(self, name: str = "Tuesday peers") -> str:
        with self.home.database.writing() as database:
            group = Group(name=name, created_at=self.clock())
            database.add(group)
        return group.id

    def person(self, name: str, group_id: str | None = None, role: Role = "member", is_admin: bool = False) -> str:
        """A person who can sign in as name@example.org with `PASSWORD`."""
        person = Person(
            name=name,
            email=f"{name.lower()}@example.org",
            password_hash=QUICK.hash(PASSWORD),
            is_admin=is_admin,
            created_at=self.clock(),
        )
        with self.home.database.writing() as database:
            database.add(person)
            database.flush()
            if group_id:
                since = self.clock()
                database.add(Membership(group_id=group_id, person_id=person.id, role=role, since=since))
        return person.id

    def signed_in(self, person_id: str) -> Browser:
        """A browser with a whole session of this person."""
        browser = self.browser()
        token = self.app.state.sessions.start(person_id, self.clock(), second_factor=True)
        browser.client.cookies.set(SESSION, token)
        return browser


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def home_settings(folder: Path) -> settings.TapesSettings:
    return settings.load().settings.tapes.model_copy(update={"home": str(folder), "database": ""})


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that nobody uses: to make one takes longer than to copy it."""
    folder = tmp_path_factory.mktemp("pristine") / "home"
    Home.create(home_settings(folder)).close()
    return folder


@pytest.fixture
def home(tmp_path: Path, pristine: Path) -> Iterator[Home]:
    shutil.copytree(pristine, tmp_path / "home")
    made = Home.open(home_settings(tmp_path / "home"))
    yield made
    made.close()


@pytest.fixture
def room(home: Home, clock: FakeClock) -> Room:
    return Room(home, clock)


@pytest.fixture
def sign_in(room: Room) -> Callable[[str], Browser]:
    return room.signed_in
