"""`tape-review serve` tells people what they need, and keeps its log to itself."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from starlette.testclient import TestClient
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.errors import ReviewError
from pipeline.review.app import create
from pipeline.settings import load
from pipeline.tapes import logs
from pipeline.tapes.home import Home

ANYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home, and a server that only logs a word and ends."""
    home = tmp_path / "home"
    Home.create(load().settings.tapes.model_copy(update={"home": str(home)})).close()
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: logs.get().info("worker.start", count=1))
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("TAPE_REVIEW_REVIEW__PORT", str(free.getsockname()[1]))
    root = logging.getLogger()
    before, level, out = list(root.handlers), root.level, logs._out.stream
    yield home
    logs._out.stream = out
    root.handlers[:] = before
    root.setLevel(level)


def test_the_log_goes_to_a_file_in_the_home(folder: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    assert done.exit_code == 0, done.output
    assert "The review room is at http://127.0.0.1:" in done.output
    assert "works once" in done.output
    assert "{" not in done.output.replace("{port}", "")
    log = folder / "serve.log"
    assert json.loads(log.read_text())["event"] == "worker.start"
    assert log.stat().st_mode & 0o077 == 0


def test_the_log_is_shown_where_it_is_asked_for(folder: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--without-worker", "--verbose", "--home", str(folder)])
    assert '"event": "worker.start"' in done.stderr
    assert not (folder / "serve.log").exists()


def test_a_port_that_is_taken_is_told_and_ends_no_link(folder: Path) -> None:
    first = CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    link = first.output.split("works once, for an hour: ")[1].split()[0]
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ReviewError, match=f"TR-R07 port {port} of 127.0.0.1 is not available"):
            CliRunner().invoke(
                app, ["serve", "--without-worker", "--home", str(folder), "--port", str(port)], catch_exceptions=False
            )
    home = Home.open(load().settings.tapes.model_copy(update={"home": str(folder)}))
    room = TestClient(create(home, load().settings), base_url="http://127.0.0.1")
    assert room.get("/" + link.split("/", 3)[3]).status_code == 200
    home.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "::"])
def test_a_room_for_others_needs_an_address(folder: Path, host: str) -> None:
    with pytest.raises(ReviewError, match=f"TR-R07 host {host} .* set review.address"):
        CliRunner().invoke(app, ["serve", "--home", str(folder), "--host", host], catch_exceptions=False)


@pytest.mark.parametrize("address", ["http://review.example.org", "http://192.168.1.5:8787", "http://ada.local"])
@pytest.mark.parametrize("more", [[], ["--for-my-group"], ["--host", ANYWHERE]])
def test_passwords_go_nowhere_unencrypted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, address: str, more: list[str]
) -> None:
    monkeypatch.setenv("TAPE_REVIEW_REVIEW__ADDRESS", address)
    with pytest.raises(ReviewError, match=f"TR-R11 address {address} .*--for-my-group"):
        CliRunner().invoke(app, ["serve", "--home", str(folder), *more], catch_exceptions=False)


@pytest.mark.parametrize(
    "address", ["https://review.example.org", "http://localhost:8787", "http://127.0.0.1:8787", "http://[::1]:8787"]
)
def test_an_address_that_stays_here_or_is_encrypted_is_served(
    folder: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("TAPE_REVIEW_REVIEW__ADDRESS", address)
    done = CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    assert done.exit_code == 0, done.output
    assert ("Only this computer can reach it" in done.output) is address.startswith("http:")


def test_a_host_for_others_without_a_server_with_tls_in_front_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPE_REVIEW_REVIEW__ADDRESS", "https://review.example.org")
    with pytest.raises(ReviewError, match="TR-R11 host 0.0.0.0 .*trusted_proxies"):
        CliRunner().invoke(app, ["serve", "--home", str(folder), "--host", ANYWHERE], catch_exceptions=False)
    monkeypatch.setenv("TAPE_REVIEW_REVIEW__TRUSTED_PROXIES", "10.0.0.0/8")
    done = CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder), "--host", ANYWHERE])
    assert done.exit_code == 0, done.output


def test_a_room_for_the_group_prints_its_address_its_picture_and_its_fingerprint(folder: Path) -> None:
    done = CliRunner().invoke(app, ["serve", "--for-my-group", "--without-worker", "--home", str(folder)])
    assert done.exit_code == 0, done.output
    printed = done.output
    address = re.search(r"The review room is at (https://\S+)", printed)
    assert address, printed
    assert "127.0.0.1" not in address[1]
    assert f"{address[1]}/certificate" in printed
    assert re.search(r"\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b", printed)
    assert "\N{FULL BLOCK}" * 4 in printed  # the QR code
    assert "firewall" in printed
    assert (
        "on this computer with this link; it works once, for an hour: http://127.0.0.1:" in printed
    )  # the host sets it up on this computer


def test_a_double_click_makes_a_home_and_opens_the_link_that_sets_it_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    home = folder.with_name("none yet")
    command = ["serve", "--for-my-group", "--open", "--without-worker", "--home", str(home)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/invitation/[\w-]{43}", opened[0])
    assert (home / "keys" / "authority.json").exists()
    assert CliRunner().invoke(app, command).exit_code == 0  # the second time, too


def test_a_second_double_click_opens_the_room_that_is_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = CliRunner().invoke(app, ["serve", "--open", "--home", str(folder), "--port", port])
    assert done.exit_code == 0, done.output
    assert opened == [f"http://127.0.0.1:{port}"]


def test_a_large_log_is_set_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LARGE", 10)
    for number in (1, 2, 3):
        with logs.to_file(folder / "serve.log"):
            logs.get().info("worker.start", count=number)
    assert json.loads((folder / "serve.log").read_text())["count"] == 3
    assert json.loads((folder / "serve.log.1").read_text())["count"] == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_end_it_lets_go_of_everything_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    ended: list[str] = []
    close = Home.close
    monkeypatch.setattr(Home, "close", lambda home: (ended.append("home"), close(home)))
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: os.kill(os.getpid(), number))
    before = signal.getsignal(number)
    done = CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    assert (done.exit_code, ended) == (0, ["home"])
    assert signal.getsignal(number) is before


def test_requests_have_a_log_of_their_own_where_the_settings_want_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: logs.of_requests().info("request", status=200))
    CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    assert not (folder / "requests.log").exists()
    assert json.loads((folder / "serve.log").read_text().splitlines()[-1])["event"] == "request"
    monkeypatch.setenv("TAPE_REVIEW_MONITORING__REQUEST_LOG", "true")
    CliRunner().invoke(app, ["serve", "--without-worker", "--home", str(folder)])
    log = folder / "requests.log"
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [200]
    assert log.stat().st_mode & 0o077 == 0
    assert logs._out.requests is None
