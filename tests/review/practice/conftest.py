"""Somebody at a calibration pass on a role-play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.review.coding.conftest import table
from tests.review.conftest import Browser

__all__ = ["Trainee", "table"]


@dataclass
class Trainee:
    """A browser, and the calibration pass that is open in it."""

    browser: Browser
    path: str = ""
    count: int = 0

    def begin(self, codebook: str = "pretags", script: str = "roleplay-alcohol") -> Trainee:
        answer = self.browser.post(f"/practice/role-plays/{script}", {"codebook": codebook})
        assert answer.status_code == 303, answer.text
        self.path = answer.headers["location"]
        return self

    def begin_tape(self, tape_id: str) -> Trainee:
        answer = self.browser.post(f"/tapes/{tape_id}/calibration/passes")
        assert answer.status_code == 303, answer.text
        self.path = answer.headers["location"]
        return self

    def send(self, *changes: dict[str, Any]) -> Any:
        token = {"X-CSRF-Token": self.browser.form_token()}
        return self.browser.client.post(f"{self.path}/changes", json={"changes": list(changes)}, headers=token)

    def code(self, codes: dict[str, tuple[str, ...]]) -> Trainee:
        for utterance_id, given in codes.items():
            self.count += 1
            change = {"id": f"c{self.count}", "kind": "code", "utterance_id": utterance_id, "codes": list(given)}
            answer = self.send(change)
            assert answer.json() == {"refused": []}, answer.text
        return self

    def lock(self) -> str:
        assert self.browser.post(f"{self.path}/lock").status_code == 303
        answer = self.browser.get(self.path)
        assert answer.status_code == 200, answer.text
        return answer.text
