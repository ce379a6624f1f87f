"""What waits in the browser: how each answer is taken, that none keeps others back, that the disk tells nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.review.coding import node

KEY = "A" * 43 + "="

PROGRAM = """
const { Outbox, drop, left, places } = await import(`${sources}/outbox.js`);
globalThis.window = { setTimeout: () => 0 };
if (input.insecure) Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: () => 0 } });
const items = new Map(Object.entries(input.stored ?? {}));
const storage = {
  get length() { return items.size; },
  key: (at) => [...items.keys()][at],
  getItem: (key) => items.get(key),
  setItem: (key, value) => {
    if (input.full) throw new DOMException("full", "QuotaExceededError");
    items.set(key, value);
  },
  removeItem: (key) => items.delete(key),
};
let online = false;
const stored = [], said = [], gone = [];
let refused = 0;
const send = async (changes) => {
  if (!online || input.status === null) throw new TypeError("Failed to fetch");
  if (input.refused) return { status: 200, json: async () => ({ refused: [{ id: "a", reason: "no such code" }] }) };
  if (changes.some(({ id }) => input.bad.includes(id))) return { status: input.status };
  stored.push(...changes.map(({ id }) => id));
  return { status: 200, json: async () => ({ refused: [] }) };
};
const place = { person: "ada", tape: "t", pass: input.pass ?? "p", key: input.key };
const on = { refused: () => { refused += 1; }, gone: (status) => gone.push(status) };
const tell = ({ waiting, trouble }) => said.push([waiting, trouble]);
const outbox = await new Outbox(place, send, tell, on, storage).open();
for (const id of input.changes) outbox.add({ id, codes: ["sustain"] });
await outbox.flush();
await outbox.writing;
const disk = Object.fromEntries(items);
const before = outbox.waiting().map(({ id }) => id);
online = true;
await outbox.flush();
await new Promise((done) => setTimeout(done));
if (!input.still) {
  outbox.add({ id: "later" });
  await outbox.flush();
  await outbox.writing;
}
const after = [...items.keys()], waits = left("ada", storage), of = places("ada", storage);
drop("ada", "", storage);
console.log(JSON.stringify({
  out: [...items.keys()], stored, gone, refused, disk, before, kept: outbox.kept,
  waiting: outbox.waiting().map(({ id }) => id), trouble: said.at(-1)[1], said,
  after, left: waits, places: of,
}));
"""


def sent(folder: Path, status: int | None, changes: list[str], bad: list[str], **more: Any) -> dict[str, Any]:
    """What becomes of changes where the server answers so to every request that holds a bad one.

    They are made without a connection; then the server is there, and one more is made.
    """
    given = {"status": status, "changes": changes, "bad": bad, "key": KEY} | more
    return dict(node.run(PROGRAM, given, folder))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "No connection"),
        (401, "You are signed out"),
        (403, "You are signed out"),
        (500, "The server is not working"),
        (503, "The server is not working"),
        (507, "The server is not working"),
    ],
)
def test_what_cannot_be_stored_now_waits_and_its_reason_is_said(tmp_path: Path, status: int | None, words: str) -> None:
    outcome = sent(tmp_path, status, ["a", "b"], ["a", "b", "later"])
    assert outcome["stored"] == []
    assert outcome["waiting"] == ["a", "b", "later"]
    assert outcome["left"] == 3
    assert words in outcome["trouble"]
    assert outcome["gone"] == ([401, 401] if status == 401 else [])


@pytest.mark.parametrize(("status", "words"), [(413, "is too long"), (422, "the server refused")])
def test_a_change_that_is_never_taken_is_told_and_keeps_no_other_back(tmp_path: Path, status: int, words: str) -> None:
    changes = [f"c{number:03}" for number in range(130)]
    outcome = sent(tmp_path, status, changes, ["c000", "c041", "c129"])
    assert outcome["stored"] == [*(change for change in changes if change not in ("c000", "c041", "c129")), "later"]
    assert outcome["waiting"] == []
    assert outcome["trouble"].startswith("Not saved: ")
    assert words in outcome["trouble"]
    assert outcome["refused"] == 1  # the page is filled anew: it shows what the server has


def test_a_change_that_is_refused_is_told_and_the_page_filled_anew(tmp_path: Path) -> None:
    outcome = sent(tmp_path, 200, ["a"], [], refused=True, still=True)
    assert (outcome["waiting"], outcome["after"], outcome["refused"]) == ([], [], 1)
    assert outcome["trouble"] == "Not saved: no such code."


def test_what_waits_for_a_locked_pass_goes(tmp_path: Path) -> None:
    outcome = sent(tmp_path, 409, ["a", "b"], ["a", "b"], still=True)
    assert (outcome["waiting"], outcome["after"], outcome["refused"], outcome["gone"]) == ([], [], 1, [])
    assert "locked" in outcome["trouble"]


def test_what_waits_for_a_tape_that_is_gone_goes_with_all_of_that_tape(tmp_path: Path) -> None:
    others = {
        "tape-review/outbox/ada/t/another/1": "x",
        "tape-review/outbox/ada/tt/p/1": "x",
        "tape-review/outbox/ben/t/p/1": "x",
        "theme": "dark",
    }
    outcome = sent(tmp_path, 404, ["a", "b"], ["a", "b"], stored=others, still=True)
    assert (outcome["waiting"], outcome["gone"]) == ([], [404])
    assert outcome["after"] == ["tape-review/outbox/ada/tt/p/1", "tape-review/outbox/ben/t/p/1", "theme"]
    assert (outcome["left"], outcome["places"]) == (1, [["tt", "p"]])


def test_the_disk_tells_nothing_and_only_the_same_key_brings_it_back(tmp_path: Path) -> None:
    outcome = sent(tmp_path, None, ["a", "b"], [], still=True)
    disk = outcome["disk"]
    assert len(disk) == 2
    assert all(key.startswith("tape-review/outbox/ada/t/p/") for key in disk)
    assert not any(word in text for text in disk.values() for word in ("sustain", "codes", "{"))
    again = sent(tmp_path, 200, [], [], stored=disk)
    assert again["stored"] == ["a", "b", "later"]
    assert again["after"] == []
    foreign = sent(tmp_path, 200, [], [], stored=disk, key="B" * 43 + "=")
    assert (foreign["stored"], foreign["after"]) == (["later"], [])


def test_what_an_older_version_left_in_the_clear_is_sent_and_goes(tmp_path: Path) -> None:
    of_old = {"tape-review/0123456789abcdef/000-1": '{"id": "old"}', "tape-review/fedcba9876543210/000-1": "{}"}
    outcome = sent(tmp_path, 200, [], [], stored=of_old, **{"pass": "0123456789abcdef"})
    assert outcome["stored"] == ["old", "later"]
    assert outcome["after"] == ["tape-review/fedcba9876543210/000-1"]  # of another pass: until that is opened
    assert outcome["out"] == []  # or its coder signs out


@pytest.mark.parametrize("why", ["insecure", "full"])
def test_where_nothing_can_be_encrypted_or_kept_changes_wait_in_the_page_and_that_is_said(
    tmp_path: Path, why: str
) -> None:
    outcome = sent(tmp_path, None, ["a"], [], **{why: True})
    assert outcome["waiting"] == ["a", "later"]
    assert (outcome["kept"], outcome["after"]) == (False, [])
    assert "wait in this page only" in outcome["trouble"]
    assert sent(tmp_path, 200, ["a"], [], **{why: True})["stored"] == ["a", "later"]
