"""Together, apart, over HTTP: who may follow and lead, and when a stream ends."""

from __future__ import annotations

import json
import threading
from queue import Queue
from typing import Any

import httpx
import pytest

from pipeline.review.auth.current_user import SESSION
from pipeline.review.consensus import live_routes
from tests.review.coding import server
from tests.review.coding.conftest import Coder, Table, table

__all__ = ["table"]


def lead(coder: Coder, action: str, utterance_id: str = "u0001", **more: Any) -> Any:
    body = {"codebook": "pretags", "action": action, "utterance_id": utterance_id} | more
    path = f"/tapes/{coder.tape_id}/together/live"
    return coder.browser.client.post(path, json=body, headers={"X-CSRF-Token": coder.browser.form_token()})


def seen(coder: Coder) -> Any:
    return coder.browser.get(f"/tapes/{coder.tape_id}/together/live?codebook=pretags")


@pytest.fixture
def locked(table: Table) -> Table:
    for coder in (table.ada, table.ben):
        coder.begin()
        coder.code("u0001", "question_open")
        coder.lock()
    return table


def test_who_codes_still_neither_follows_nor_leads(table: Table) -> None:
    ada = table.ada.begin()
    assert seen(ada).status_code == 403
    assert lead(ada, "lead").status_code == 403
    assert lead(table.stranger, "lead").status_code == 404


def test_one_leads_until_another_takes_over(locked: Table) -> None:
    assert lead(locked.ada, "place", time=5000, playing=True).status_code == 200  # nobody led
    assert {key: seen(locked.ben).json()[key] for key in ("utterance", "time", "playing", "leader", "leads")} == {
        "utterance": "u0001",
        "time": 5000,
        "playing": True,
        "leader": "Ada",
        "leads": False,
    }
    assert lead(locked.ben, "place", "u0002").status_code == 409
    assert lead(locked.ben, "show").status_code == 409
    assert lead(locked.ben, "lead", "u0002").json()["leads"]
    assert lead(locked.ada, "place", "u0003").status_code == 409
    assert seen(locked.ada).json()["utterance"] == "u0002"


def test_votes_are_closed_once_they_are_shown(locked: Table) -> None:
    lead(locked.ada, "lead")
    assert lead(locked.ada, "vote", codes=["question_open"]).json()["voted"] == 1
    assert lead(locked.ben, "vote", codes=["no_such_code"]).status_code == 422
    assert lead(locked.ben, "vote", codes=["question_closed"]).json()["votes"] is None
    assert len(lead(locked.ada, "show").json()["votes"]) == 2
    assert lead(locked.ben, "vote", codes=["question_open"]).status_code == 409


class Stream:
    """A page that follows, in a thread."""

    def __init__(self, address: str, coder: Coder) -> None:
        self.messages: Queue[Any] = Queue()
        self.ended = threading.Event()
        self._address = f"{address}/tapes/{coder.tape_id}/together/live?codebook=pretags"
        self._cookies = {SESSION: coder.browser.client.cookies[SESSION]}
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        headers = {"Accept": live_routes.STREAM, "X-Unattended": "1"}
        with httpx.stream("GET", self._address, headers=headers, cookies=self._cookies, timeout=60) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    self.messages.put(json.loads(line[6:]))
        self.ended.set()

    def until(self, utterance: str) -> Any:
        while (message := self.messages.get(timeout=60))["utterance"] != utterance:
            pass
        return message


@pytest.fixture
def quick_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_routes, "CHECK_SECONDS", 0.05)


def test_a_stream_follows_and_ends_with_the_session_and_with_the_tape(locked: Table, quick_checks: None) -> None:
    address, port = locked.room.addressed()
    with server.serving(locked.room.app, port):
        streams = [Stream(address, coder) for coder in (locked.ada, locked.ben, locked.interviewer)]
        for stream in streams:
            stream.messages.get(timeout=60)
        cookies = {SESSION: locked.ada.browser.client.cookies[SESSION]}
        with httpx.Client(base_url=address, cookies=cookies, timeout=60) as client:
            body = {"codebook": "pretags", "action": "place", "utterance_id": "u0004", "time": 9000}
            headers = {"X-CSRF-Token": locked.ada.browser.form_token()}
            answer = client.post(f"/tapes/{locked.tape_id}/together/live", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
        assert [stream.until("u0004")["time"] for stream in streams] == [9000] * 3
        locked.room.app.state.context.sessions.end_all(locked.ada_id)
        assert streams[0].ended.wait(60)
        assert not streams[1].ended.is_set()
        locked.ben.begin()  # who codes anew is blind again
        assert streams[1].ended.wait(60)
        assert not streams[2].ended.is_set()
        assert locked.interviewer.browser.post(f"/tapes/{locked.tape_id}/withdraw").status_code == 303
        assert streams[2].ended.wait(60)
