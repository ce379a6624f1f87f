"""A review room of one home, with people in it, reached like a browser does."""

from __future__ import annotations

import asyncio
import contextvars
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.credentials import Passwords
from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import DAY, day_of
from pipeline.tapes.consent import consent_form, target_behavior
from pipeline.tapes.consent.consent_form import Terms
from pipeline.tapes.db.records import Group, Membership, Person, Role, Tape, TapeState, Utterance, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.vault.stage_store import item_row
from tests.review.coding.server import free_port
from tests.tapes.conftest import FakeClock

if TYPE_CHECKING:
    from tests.review.peers import Peers

ADDRESS = "http://127.0.0.1:8787"
PAGE = {"accept": "text/html"}
PASSWORD = "seven purple lighthouses"  # noqa: S105 - of people who do not exist
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""Cheap hashing: what is tested is who is let in, not how long it takes."""


MEASURES = {
    "ratios": {
        name: {"label": label, "unit": unit, "value": value, "low": low, "high": high, "undefined": None}
        for name, label, unit, value, low, high in (
            ("reflections_per_question", "Reflections per question", "ratio", 1.3, 0.9, 1.6),
            ("percent_complex_reflections", "Complex reflections", "percent", 40.0, 25.0, 60.0),
            ("percent_open_questions", "Open questions", "percent", 70.0, 55.0, 80.0),
            ("percent_change_talk", "Change talk", "percent", 60.0, 40.0, None),
        )
    },
    "counts": {"change": {"label": "Change talk", "unit": "count", "value": 6, "low": 3, "high": 9, "undefined": None}},
}
"""As in ``measures.json``, as far as pages read it."""


class Browser:
    """A client with its own cookies, which fills in forms as they stand on the page."""

    portal: BlockingPortal | None = None
    """The event loop that all browsers share; without it each request would start one of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.client = TestClient(
            app, base_url=ADDRESS, raise_server_exceptions=False, follow_redirects=False, headers=PAGE
        )
        self.client.portal = self.portal
        self._tokens: dict[str, str] = {}

    def get(self, path: str, **given: object):
        return self.client.get(path, **given)  # type: ignore[arg-type]

    def token(self, path: str = "/login") -> str:
        """The form token that a page gives; the account page has it for who is signed in."""
        match = re.search(r'name="csrf" content="([^"]*)"', self.get(path).text)
        assert match, path
        return match[1]

    def form_token(self) -> str:
        """The token of any page that this browser may see; a session's is read once, as it has the same on all."""
        session = self.client.cookies.get(SESSION)
        if not session:
            return self.token()
        if session not in self._tokens:
            self._tokens[session] = self.token("/account")
        return self._tokens[session]

    def post(self, path: str, form: dict[str, object] | None = None, page: str | None = None, **given: object):
        """Send a form with the token of `page`, by default with `form_token`."""
        data = {"csrf": self.token(page) if page else self.form_token()} | (form or {})
        return self.client.post(path, data=data, **given)  # type: ignore[arg-type]


def created(home: Home, clock: FakeClock, **given: str) -> FastAPI:
    """An application over a home. Which routes there are follows from no home: they are worked out once a process."""
    app = application.create(home, settings.load().settings, clock=clock, passwords=QUICK, **given)
    app.router.routes = [*ROUTES.setdefault("all", [*app.router.routes])]
    return app


ROUTES: dict[str, list[BaseRoute]] = {}
"""The routes of the first application, with what FastAPI works out of each when it is first asked for."""


class Room:
    """The application and a short way to people in it."""

    def __init__(self, home: Home, clock: FakeClock) -> None:
        self.home, self.clock = home, clock
        self.app = created(home, clock)

    def addressed(self) -> tuple[str, int]:
        """The address and the port at which a real server is to serve the application from now on."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        self.app = created(self.home, self.clock, address=address)
        return address, port

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

    def tape(
        self, group_id: str, interviewer_id: str, target: str = "drinking less", state: TapeState = "ready"
    ) -> str:
        """A tape with a consent for its group, four utterances of two voices, and measures."""
        now, tape_id = self.clock(), new_id()
        self.home.vault.create_key(tape_id)
        measures = self.home.vault.put(tape_id, "measures.json", json.dumps(MEASURES).encode())
        with self.home.database.writing() as database:
            tape = Tape(
                id=tape_id,
                group_id=group_id,
                interviewer_id=interviewer_id,
                state=state,
                created_at=now,
                duration_ms=60_000,
                speakers={"roles": {"S1": "interviewer", "S2": "client"}, "probability": 0.9},
            )
            database.add(tape)
            database.flush()
            database.add(item_row(measures, now))
            given = Terms(
                uses=("group_review", "coach_check"),
                groups=(group_id,),
                destroy_by=day_of(now + 30 * DAY),
                method="the key is destroyed",
                signed_on=day_of(now),
                signed_form="written",
                pseudonym="Robin",
            )
            consent_form.give(database, tape, given, now, interviewer_id)
            target_behavior.name(database, self.home.vault, tape_id, target, now)
            for number in range(4):
                voice = ("S1", "S2")[number % 2]
                database.add(
                    Utterance(
                        tape_id=tape_id,
                        utterance_id=f"u{number}",
                        position=number,
                        turn_id=f"t{number}",
                        role=tape.speakers["roles"][voice],
                        speaker=voice,
                        start_ms=10_000 * number,
                        end_ms=10_000 * number + 5_000,
                    )
                )
        return tape_id

    def signed_in(self, person_id: str) -> Browser:
        """A browser with a whole session of this person."""
        browser = self.browser()
        token = self.app.state.context.sessions.start(person_id, self.clock(), second_factor=True)
        browser.client.cookies.set(SESSION, token)
        return browser


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def home_settings(folder: Path) -> settings.TapesSettings:
    return settings.load().settings.tapes.model_copy(update={"home": str(folder), "database": ""})


@pytest.fixture(scope="session", autouse=True)
def _one_event_loop() -> Iterator[None]:
    """All requests of browsers are answered by one event loop, and in its own thread while nobody else asks anything:
    to hand each piece of work to another thread and back takes as long as half of all answers do."""
    real = anyio.to_thread.run_sync
    with start_blocking_portal() as Browser.portal, pytest.MonkeyPatch.context() as patch:
        loop = Browser.portal.call(asyncio.get_running_loop)

        async def run_sync(work: Callable[..., Any], *given: Any, **how: Any) -> Any:
            if asyncio.get_running_loop() is loop and not _others_ask(threading.get_ident()):
                return contextvars.copy_context().run(work, *given)
            return await real(work, *given, **how)

        patch.setattr(anyio.to_thread, "run_sync", run_sync)
        yield
    Browser.portal = None


def _others_ask(loop_thread: int) -> bool:
    """Whether a test has threads of its own: then requests may have to wait for each other."""
    others = (thread for thread in threading.enumerate() if thread.ident != loop_thread)
    return any(thread.name.startswith(("Thread-", "ThreadPoolExecutor")) for thread in others)


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


@pytest.fixture
def peers(room: Room) -> Peers:
    """A group of three, a coach, and Ada's tape."""
    from tests.review.peers import Peers

    return Peers(room)
