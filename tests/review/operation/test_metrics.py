"""Figures for Prometheus: right, without a word, and for nobody whom the settings do not name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from pipeline import settings
from pipeline.errors import SettingsError, TapesError
from pipeline.review import app as application
from pipeline.review.operation.metrics import SHORTEST, token_of
from pipeline.settings import MonitoringSettings
from pipeline.tapes.checks import figures
from pipeline.tapes.db.records import Job
from pipeline.tapes.jobs import stage_durations
from tests.review.conftest import QUICK, Room

TOKEN = "b" * SHORTEST
PROXY = "10.0.0.7"


def monitored(room: Room, **values: object) -> FastAPI:
    loaded = settings.load().settings
    monitoring = MonitoringSettings(**loaded.monitoring.model_dump() | {"metrics": True} | values)
    review = loaded.review.model_copy(update={"trusted_proxies": (PROXY,)})
    changed = loaded.model_copy(update={"monitoring": monitoring, "review": review})
    return application.create(room.home, changed, clock=room.clock, passwords=QUICK)


def client(app: FastAPI, sender: str = "127.0.0.1", **headers: str) -> TestClient:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return TestClient(app, base_url="http://127.0.0.1:8787", client=(sender, 50000), headers=named)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for each in families for sample in each.samples
    }


def value(text: str, name: str, labels: Mapping[str, str] | None = None) -> float:
    return samples(text)[f"tape_review_{name}", frozenset((labels or {}).items())]


def job(tape_id: str, number: int, state: str, code: str | None = None) -> Job:
    return Job(
        tape_id=tape_id,
        workflow_id=f"j{number}",
        state=state,
        error_code=code,
        error=code and "Robin said that it is broken",
        created_at=1,
        updated_at=1,
    )


def test_the_figures_are_those_of_the_home(room: Room) -> None:
    group = room.group()
    tape = room.tape(group, room.person("Ada", group))
    with room.home.database.writing() as database:
        database.add_all([job(tape, number, "queued") for number in range(3)])
        database.add_all([job(tape, number, "failed", "TR-J03") for number in (4, 5)])
        database.add(job(tape, 6, "failed", "TR-A02"))
        for seconds in (0.5, 61, 61, 5000):
            stage_durations.add(database, "transcribe", seconds)
    reader = client(monitored(room))
    reader.get("/login")
    reader.get(f"/tapes/{tape}")
    reader.get("/nowhere/robin")
    text = reader.get("/metrics").text
    assert [value(text, "jobs", {"state": state}) for state in figures.JOB_STATES] == [3, 0, 0, 3, 0]
    assert value(text, "failed_jobs", {"code": "TR-J03"}) == 2
    assert value(text, "failed_jobs", {"code": "TR-A02"}) == 1
    buckets = {
        bound: value(text, "stage_seconds_bucket", {"stage": "transcribe", "le": f"{bound}.0"})
        for bound in (1, 60, 120, 3600)
    }
    assert buckets == {1: 1, 60: 1, 120: 3, 3600: 3}
    assert value(text, "stage_seconds_bucket", {"stage": "transcribe", "le": "+Inf"}) == 4
    assert value(text, "stage_seconds_count", {"stage": "transcribe"}) == 4
    assert value(text, "stage_seconds_sum", {"stage": "transcribe"}) == 5122.5
    assert value(text, "requests_total", {"route": "/login", "method": "GET", "status": "200"}) == 1
    assert value(text, "requests_total", {"route": "/tapes/{tape_id}", "method": "GET", "status": "401"}) == 1
    assert value(text, "requests_total", {"route": "none", "method": "GET", "status": "404"}) == 1
    assert value(text, "destruction_lag_seconds") == value(text, "audit_lag_rows") == value(text, "workers") == 0
    assert value(text, "records_readable") == 1
    for word in (tape, group, "Ada", "Robin", "robin", "drinking", str(room.home.folder)):
        assert word not in text


def test_decisions_that_are_only_counted_show(room: Room) -> None:
    reader = client(monitored(room))
    for _ in range(4):
        reader.get("/people")  # refused: the first is written at once
    assert value(reader.get("/metrics").text, "audit_waiting_decisions") == 3


def test_whoever_makes_up_methods_and_addresses_makes_no_new_figures(room: Room) -> None:
    reader = client(monitored(room))
    for number in range(20):
        reader.request(f"MADE{number}", f"/made/up/{number}")
    names = {labels for name, labels in samples(reader.get("/metrics").text) if name == "tape_review_requests_total"}
    assert names == {frozenset({("route", "none"), ("method", "other"), ("status", "404")})}


def test_without_a_database_the_figures_say_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = client(monitored(room))

    def away(home: object, now: int) -> figures.Figures:
        raise TapesError("K03", "database", "cannot be reached", "start it")

    monkeypatch.setattr(figures, "read", away)
    text = reader.get("/metrics").text
    assert value(text, "records_readable") == 0
    assert "tape_review_jobs" not in text


@pytest.mark.parametrize(
    ("sender", "headers", "may"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("203.0.113.5", {}, False),
        ("127.0.0.1", {"x_forwarded_for": "203.0.113.5"}, False),  # a proxy that the settings do not name
        ("127.0.0.1", {"via": "1.1 Caddy"}, False),
        (PROXY, {"x_forwarded_for": "203.0.113.5"}, False),
        (PROXY, {"x_forwarded_for": "127.0.0.1"}, False),
        ("192.0.2.9", {}, True),
        (PROXY, {"x_forwarded_for": "192.0.2.9"}, True),
        ("203.0.113.5", {"x_forwarded_for": "192.0.2.9"}, False),
        ("203.0.113.5", {"authorization": f"Bearer {TOKEN}"}, True),
        ("203.0.113.5", {"authorization": f"bearer {TOKEN}"}, True),
        ("203.0.113.5", {"authorization": f"Bearer {TOKEN}b"}, False),
        ("203.0.113.5", {"authorization": f"Basic {TOKEN}"}, False),
        ("203.0.113.5", {"authorization": "Bearer "}, False),
    ],
)
def test_who_may_read_them(room: Room, tmp_path: Path, sender: str, headers: dict[str, str], may: bool) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    app = monitored(room, metrics_readers=("192.0.2.0/24",), metrics_token_file=str(tmp_path / "token"))
    assert client(app, sender, **headers).get("/metrics").status_code == (200 if may else 404)


def test_they_are_off_unless_the_settings_want_them(room: Room) -> None:
    assert client(room.app).get("/metrics").status_code == 404


def test_without_a_token_no_empty_one_opens_them(room: Room) -> None:
    for given in ("Bearer ", "Bearer", "Bearer None"):
        assert client(monitored(room), "203.0.113.5", authorization=given).get("/metrics").status_code == 404


def test_another_site_that_points_its_name_here_reads_nothing(room: Room) -> None:
    assert client(monitored(room)).get("/metrics", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("content", [None, b"", b"short", b"\xff" * 40])
def test_a_token_that_cannot_be_read_or_can_be_guessed_is_refused_at_the_start(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monitoring = settings.load().settings.monitoring.model_copy(update={"metrics_token_file": str(file)})
    with pytest.raises(SettingsError, match="TR-S03 setting 'monitoring.metrics_token_file'"):
        token_of(monitoring)


def test_two_applications_over_one_home_count_together(room: Room) -> None:
    first = monitored(room)
    other = application.create(room.home, first.state.context.settings, clock=room.clock, passwords=QUICK, beside=first)
    client(first).get("/login")
    client(other).get("/login")
    text = client(other).get("/metrics").text
    assert value(text, "requests_total", {"route": "/login", "method": "GET", "status": "200"}) == 2
