"""Does the process live, and can it work? Without a path, without a word, and by this computer's own names."""

from __future__ import annotations

import shutil
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.review.operation import probes
from pipeline.tapes.db import schema
from pipeline.tapes.db.database import Database
from tests.review.conftest import QUICK, Room, created


@pytest.fixture(autouse=True)
def _no_answer_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "FRESH", -1.0)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_a_room_that_lives_and_is_ready_says_so(room: Room) -> None:
    client = room.browser().client
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "ok\n")
    assert client.get("/readyz").json() == {"ready": True, "codes": []}
    for path in ("/healthz", "/readyz"):
        assert client.head(path).status_code == 200
        assert client.get(path).headers["cache-control"] == "no-store"


def test_a_process_that_waits_for_its_database_lives(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = room.signed_in(room.person("Ada"))

    def none(self: Database) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(Database, "reading", none)
    monkeypatch.setattr(Database, "writing", none)
    assert browser.client.cookies.get(SESSION)
    assert browser.client.get("/healthz").status_code == 200


def test_without_its_database_a_room_is_not_ready_and_names_no_path(room: Room) -> None:
    client = room.browser().client
    room.home.database.close()
    moved = room.home.folder / "tapes.sqlite3"
    moved.rename(room.home.folder / "elsewhere.sqlite3")
    moved.mkdir()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "codes": ["TR-K03"]})
    assert str(room.home.folder) not in answer.text
    assert client.get("/healthz").status_code == 200


def test_a_room_of_another_version_is_not_ready(room: Room) -> None:
    room.home.database.migrate(schema.revisions()[-2])
    assert room.browser().client.get("/readyz").json()["codes"] == ["TR-K05"]


def test_a_room_without_its_key_is_not_ready(room: Room) -> None:
    room.home.master.path.unlink()
    assert room.browser().client.get("/readyz").json()["codes"] == ["TR-V04"]


def test_a_room_whose_vault_is_gone_is_not_ready(room: Room) -> None:
    shutil.rmtree(room.home.vault.folder / "tapes")
    assert room.browser().client.get("/readyz").json()["codes"] == ["TR-V08"]


def test_a_room_whose_disk_is_nearly_full_is_not_ready(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    free = {"bytes": (500 << 20) - 1}
    monkeypatch.setattr("shutil.disk_usage", lambda path: Disk(1 << 40, 0, free["bytes"]))
    client = room.browser().client
    assert client.get("/readyz").json()["codes"] == ["TR-V20"]
    free["bytes"] += 1
    assert client.get("/readyz").status_code == 200


def test_an_answer_holds_for_a_moment_however_often_strangers_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look() -> tuple[str, ...]:
        looks.append(1)
        return ("TR-K03",)

    monkeypatch.setattr(probes, "FRESH", 3600.0)
    readiness = probes.Readiness(look)
    assert [readiness.problems() for _ in range(100)] == [("TR-K03",)] * 100
    assert len(looks) == 1


def test_a_monitor_on_this_computer_asks_by_its_own_names_and_only_for_this(room: Room) -> None:
    app = created(room.home, room.clock, address="https://review.example.org")
    here = TestClient(app, base_url="http://127.0.0.1:8787", client=("127.0.0.1", 50000))
    assert here.get("/healthz").status_code == here.get("/readyz").status_code == 200
    assert here.get("/login").status_code == 400
    assert here.get("/healthz", headers={"host": "evil.example"}).status_code == 400
    elsewhere = TestClient(app, base_url="http://127.0.0.1:8787", client=("203.0.113.5", 50000))
    assert elsewhere.get("/healthz").status_code == 400
    through_a_proxy = TestClient(app, base_url="https://review.example.org", client=("203.0.113.5", 50000))
    assert through_a_proxy.get("/healthz").status_code == 200


def test_how_much_is_to_be_free_is_a_setting(room: Room) -> None:
    loaded = settings.load().settings
    wanted = loaded.monitoring.model_copy(update={"least_free_mb": 1 << 40})
    app = application.create(
        room.home, loaded.model_copy(update={"monitoring": wanted}), clock=room.clock, passwords=QUICK
    )
    answer = TestClient(app, base_url="http://127.0.0.1:8787").get("/readyz")
    assert (answer.status_code, answer.json()["codes"]) == (503, ["TR-V20"])
