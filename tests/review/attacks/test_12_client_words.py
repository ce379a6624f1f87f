"""Words about a client outside of the vault: names of codebooks' files, what waits in a browser, what a page keeps."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.errors import TapesError, VaultError
from pipeline.formats import cacti_codebook, codebook_files
from pipeline.formats.safe_reader import Source
from pipeline.tapes import group_codebooks as own
from pipeline.tapes import home as homes
from pipeline.tapes.backup import backup
from pipeline.tapes.db.records import GroupCodebook, KeyChoice, Pass, Tape
from pipeline.tapes.home import Home
from tests.formats.test_cacti_codebook import FILE
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder
from tests.review.conftest import Browser, Room, home_settings

CLIENT = "Waldemar"


class Groups:
    """Two groups with a tape each, and what it takes to send a codebook whose file tells who the client is."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.ours, self.theirs = room.group("Ours"), room.group("Theirs")
        self.ada, self.eve = room.person("Ada", self.ours), room.person("Eve", self.theirs)
        now = room.clock()
        self.tape = shelf.put_tape(room.home, self.ours, room.person("Ivy", self.ours), now)
        self.their_tape = shelf.put_tape(room.home, self.theirs, room.person("Ian", self.theirs), now)

    def send(self, browser: Browser, label: str = "Our book") -> None:
        upload = {"file": (f"Session with {CLIENT}.xml", FILE.encode(), "text/xml")}
        answer = browser.post(f"/tapes/{self.tape}/codebooks", {"label": label}, files=upload)
        assert answer.status_code == 303, answer.text

    def offered(self, browser: Browser, tape: str, label: str = "Our book") -> list[str]:
        """The names under which a codebook with a label can be chosen."""
        page = browser.get(f"/tapes/{tape}/coding").text
        return re.findall(rf'name="codebook"[^>]*value="([^"]*)"[^>]*><label[^>]*>{label}<', page)

    def rows(self) -> list[GroupCodebook]:
        with self.room.home.database.reading() as session:
            return list(session.scalars(select(GroupCodebook)))


@pytest.fixture
def groups(room: Room) -> Groups:
    return Groups(room)


def everything(folder: Path) -> bytes:
    """All that lies in a folder, names too."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join([str(path.relative_to(folder)).encode() + b"\n" + path.read_bytes() for path in files])


def test_a_codebooks_file_name_and_label_lie_nowhere_in_the_clear(groups: Groups, tmp_path: Path) -> None:
    ada = groups.room.signed_in(groups.ada)
    groups.send(ada, "Our very own book")
    made = backup.make(groups.room.home, tmp_path / "one.backup", groups.room.clock()).path
    for content in (everything(groups.room.home.folder), made.read_bytes()):
        assert CLIENT.lower().encode() not in content.lower()
        assert b"Our very own book" not in content
    assert CLIENT not in ada.get(f"/tapes/{groups.tape}/coding").text
    assert len(groups.offered(ada, groups.tape, "Our very own book")) == 1


def test_a_codebook_is_its_groups_alone(groups: Groups) -> None:
    groups.send(groups.room.signed_in(groups.ada))
    [name] = groups.offered(groups.room.signed_in(groups.ada), groups.tape)
    eve = groups.room.signed_in(groups.eve)
    assert groups.offered(eve, groups.their_tape) == []
    sent = {"task": "all", "codebook": name}
    assert eve.post(f"/tapes/{groups.their_tape}/coding", sent).status_code == 404
    assert eve.post(f"/tapes/{groups.their_tape}/codebooks/{name}/remove").status_code == 404
    coder = Coder(eve, groups.their_tape).begin()
    coder.lock()
    assert eve.get(f"/tapes/{groups.their_tape}/together/state?codebook={name}").status_code == 404
    assert len(groups.rows()) == 1


def test_a_codebook_that_nothing_uses_is_gone_when_it_is_removed(groups: Groups) -> None:
    ada = groups.room.signed_in(groups.ada)
    groups.send(ada)
    [name] = groups.offered(ada, groups.tape)
    assert ada.post(f"/tapes/{groups.tape}/codebooks/{name}/remove").status_code == 303
    assert groups.rows() == []
    assert ada.post(f"/tapes/{groups.tape}/codebooks/{name}/remove").status_code == 404


def test_a_codebook_that_is_removed_stays_for_the_passes_that_use_it(groups: Groups) -> None:
    coder = Coder(groups.room.signed_in(groups.ada), groups.tape)
    groups.send(coder.browser)
    [name] = groups.offered(coder.browser, groups.tape)
    coder.begin("all", name)
    assert coder.browser.post(f"/tapes/{groups.tape}/codebooks/{name}/remove").status_code == 303
    assert groups.offered(coder.browser, groups.tape) == []
    coder.code("u0001", "OQ+")
    coder.lock()
    together = coder.browser.get(f"/tapes/{groups.tape}/together/state?codebook={name}").json()
    assert [each["codes"] for each in together["places"][0]["opinions"]] == [["OQ+"]]
    assert "Our book" in coder.browser.get(f"/tapes/{groups.tape}/coding").text  # at the pass
    begun = coder.browser.post(f"/tapes/{groups.tape}/coding", {"task": "all", "codebook": name})
    assert begun.status_code == 404
    with groups.room.home.database.writing() as session:
        session.delete(session.get_one(Tape, groups.tape))  # as its destruction does
        session.flush()
        own.sweep(session)
    assert groups.rows() == []


def test_codebooks_of_old_are_sealed_for_the_groups_that_code_by_them(groups: Groups) -> None:
    room, old = groups.room, f"session-with-{CLIENT.lower()}-1a2b3c4d"
    book = cacti_codebook.read(Source(f"Session with {CLIENT}.xml", FILE.encode())).codebook
    coder = Coder(room.signed_in(groups.ada), groups.tape).begin()
    coder.code("u0001", "question_open")
    folder = room.home.folder / "codebooks"
    folder.mkdir()
    (folder / f"{old}.toml").write_text(codebook_files.written(book), encoding="utf-8")
    (folder / "nobodys-00000000.toml").write_text(codebook_files.written(book), encoding="utf-8")
    with room.home.database.writing() as session:
        session.get_one(Pass, coder.pass_id).codebook = old
        session.add(KeyChoice(person_id=groups.ada, codebook=old, keys={"code:OQ+": "7"}))
    wanted = home_settings(room.home.folder)
    with pytest.raises(TapesError, match="init --upgrade"):
        Home.open(wanted)
    homes.upgrade(wanted)
    Home.open(wanted).close()
    [row] = groups.rows()
    assert row.group_id == groups.ours
    assert list(folder.iterdir()) == []
    with room.home.database.reading() as session:
        assert session.get_one(Pass, coder.pass_id).codebook == row.id
        assert session.scalars(select(KeyChoice.codebook)).all() == [row.id]
    state = coder.state()
    assert {"OQ+", "D+"} <= {code["name"] for code in state["codes"]}
    assert {code["name"]: code["shown"] for code in state["codes"]}["OQ+"] == "7"
    assert CLIENT.lower().encode() not in everything(room.home.folder).lower()
    assert homes.upgrade(wanted)[1:] == (homes.upgrade(wanted)[2],) * 2  # a second time changes nothing


def test_the_key_for_what_waits_is_one_persons_for_one_pass_and_ends_with_the_tape(groups: Groups) -> None:
    browser, vault = groups.room.signed_in(groups.ada), groups.room.home.vault
    passes = [Coder(browser, groups.tape).begin(), Coder(browser, groups.tape).begin()]
    keys = [coder.state()["pass"]["key"] for coder in (*passes, passes[0])]
    assert len(base64.b64decode(keys[0])) == 32
    assert keys[0] == keys[2] != keys[1]
    assert vault.derive(groups.tape, "x") != vault.derive(groups.their_tape, "x")
    vault.destroy_key(groups.tape)
    with pytest.raises(VaultError, match="V03"):
        vault.derive(groups.tape, "x")
