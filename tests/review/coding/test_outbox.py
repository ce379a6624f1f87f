"""What waits in the browser: how each answer of the server is taken, and that no change keeps the others back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.review.coding import node

PROGRAM = """
const { Outbox } = await import(`${sources}/outbox.js`);
globalThis.window = { setTimeout: () => 0 };
const items = new Map();
const storage = {
  get length() { return items.size; },
  key: (at) => [...items.keys()][at],
  getItem: (key) => items.get(key),
  setItem: (key, value) => items.set(key, value),
  removeItem: (key) => items.delete(key),
};
const stored = [];
const send = async (changes) => {
  if (input.status === null) throw new TypeError("Failed to fetch");
  if (changes.some(({ id }) => input.bad.includes(id))) return { status: input.status };
  stored.push(...changes.map(({ id }) => id));
  return { status: 200, json: async () => ({ refused: [] }) };
};
const said = [];
const outbox = new Outbox("p", send, ({ waiting, trouble }) => said.push([waiting, trouble]), storage);
for (const id of input.changes) outbox.storage.setItem(`tape-review/p/000000000000000-${id}`, JSON.stringify({ id }));
await outbox.flush();
outbox.add({ id: "later" });
await outbox.flush();
console.log(JSON.stringify({ stored, waiting: outbox.waiting().map(({ id }) => id), trouble: said.at(-1)[1] }));
"""


def sent(folder: Path, status: int | None, changes: list[str], bad: list[str]) -> dict[str, Any]:
    """What becomes of changes where the server answers so to every request that holds a bad one."""
    return dict(node.run(PROGRAM, {"status": status, "changes": changes, "bad": bad}, folder))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "No connection"),
        (401, "You are signed out"),
        (403, "You are signed out"),
        (404, "no longer there"),
        (409, "locked"),
        (500, "The server has trouble"),
        (503, "The server has trouble"),
    ],
)
def test_what_cannot_be_stored_now_waits_and_its_reason_is_said(tmp_path: Path, status: int | None, words: str) -> None:
    found = sent(tmp_path, status, ["a", "b"], ["a", "b", "later"])
    assert found["stored"] == []
    assert found["waiting"] == ["a", "b", "later"]
    assert words in found["trouble"]


@pytest.mark.parametrize(("status", "words"), [(413, "is too long"), (422, "does not understand")])
def test_a_change_that_is_never_taken_is_told_and_keeps_no_other_back(tmp_path: Path, status: int, words: str) -> None:
    changes = [f"c{number:03}" for number in range(130)]
    found = sent(tmp_path, status, changes, ["c000", "c041", "c129"])
    assert found["stored"] == [*(one for one in changes if one not in ("c000", "c041", "c129")), "later"]
    assert found["waiting"] == []
    assert found["trouble"].startswith("Not stored: ")
    assert words in found["trouble"]
