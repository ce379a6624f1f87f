"""People at a tape: the interviewer, two coders, and somebody from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.review.coding import shelf
from tests.review.conftest import Browser, Room


@dataclass
class Coder:
    """Somebody at a pass."""

    browser: Browser
    tape_id: str
    pass_id: str = ""
    token: str = ""
    count: int = 0

    @property
    def path(self) -> str:
        return f"/tapes/{self.tape_id}/passes/{self.pass_id}"

    def begin(self, task: str = "all", codebook: str = "pretags") -> Coder:
        answer = self.browser.post(f"/tapes/{self.tape_id}/coding", {"task": task, "codebook": codebook})
        assert answer.status_code == 303, answer.text
        self.pass_id = answer.headers["location"].rpartition("/")[2]
        self.token = self.browser.form_token()
        return self

    def state(self) -> dict[str, Any]:
        answer = self.browser.get(f"{self.path}/state")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, *changes: dict[str, Any]) -> Any:
        body = {"changes": list(changes)}
        return self.browser.client.post(f"{self.path}/changes", json=body, headers={"X-CSRF-Token": self.token})

    def code(self, utterance_id: str, *codes: str, action: str = "set", **given: Any) -> dict[str, Any]:
        self.count += 1
        change = {"id": f"change-{self.count}", "kind": "code", "utterance_id": utterance_id, "action": action}
        change |= {"codes": list(codes), "undoes": None, "audio_ms": 1000} | given
        answer = self.send(change)
        assert answer.status_code == 200, answer.text
        return change

    def correct(self, kind: str, utterance_id: str, payload: dict[str, Any], **given: Any) -> Any:
        self.count += 1
        change = {"id": f"change-{self.count}", "kind": kind, "utterance_id": utterance_id, "payload": payload}
        return self.send(change | given)

    def lock(self) -> None:
        assert self.browser.post(f"{self.path}/lock").status_code == 303


@dataclass
class Table:
    """A group around a tape."""

    room: Room
    group_id: str
    tape_id: str
    interviewer: Coder
    ada: Coder
    ben: Coder
    stranger: Coder
    ada_id: str


@pytest.fixture
def table(room: Room) -> Table:
    group = room.group()
    people = {name: room.person(name, group) for name in ("Ivy", "Ada", "Ben")}
    stranger = room.person("Sam", room.group("Elsewhere"))
    tape = shelf.put_tape(room.home, group, people["Ivy"], room.clock())

    def coder(person_id: str) -> Coder:
        return Coder(room.signed_in(person_id), tape)

    return Table(
        *(
            room,
            group,
            tape,
            coder(people["Ivy"]),
            coder(people["Ada"]),
            coder(people["Ben"]),
            coder(stranger),
            people["Ada"],
        )
    )
