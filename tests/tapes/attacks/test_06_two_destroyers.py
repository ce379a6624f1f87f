"""Attack 6: two processes destroy one tape, or one destroys it while another changes the master key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import VaultError
from pipeline.files import PARTIAL
from pipeline.settings import TapesSettings
from pipeline.tapes.home import Home
from pipeline.tapes.retention import certificates, destruction, exports
from pipeline.tapes.vault import key_rotation
from pipeline.tapes.vault.master_key import Ring
from pipeline.tapes.vault.vault import HOME
from tests.tapes.clean_process import CLEAN, started
from tests.tapes.conftest import NOON
from tests.tapes.full_tape import full_tape

PAUSE = 1.0
"""Seconds for which one process stands still at the worst moment, so that the other could do harm if it may."""


def run(*targets: Callable[[], None]) -> None:
    """Each in a process of its own; all of them must end well."""
    processes = [started(target) for target in targets]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(targets)


@pytest.fixture
def chosen(any_home: Home) -> TapesSettings:
    """Of a home whose records lie in either kind of database; only processes of their own have it open."""
    return any_home.settings


def opened(chosen: TapesSettings, deed: Callable[[Home], object]) -> None:
    home = Home.open(chosen)
    try:
        deed(home)
    finally:
        home.close()


def exported(home: Home, folder: Path) -> str:
    tape = full_tape(home, NOON)
    assert len(exports.export(home, tape.id, tape.sample.interviewer, folder, NOON, sound=True)) == 3
    return tape.id


def removes_slowly(chosen: TapesSettings, tape_id: str, removed: Event, ended: Event) -> None:
    real = exports.remove

    def slow(paths):  # type: ignore[no-untyped-def]
        result = real(paths)
        removed.set()
        ended.wait(PAUSE)
        return result

    exports.remove = slow
    opened(chosen, lambda home: destruction.destroy(home, tape_id, "by hand", NOON))


def goes_on(chosen: TapesSettings, removed: Event, ended: Event) -> None:
    assert removed.wait(30)
    opened(chosen, lambda home: destruction.resume(home, NOON + 1))
    ended.set()


def test_the_second_to_come_does_not_say_not_found_of_what_the_first_removed(
    any_home: Home, chosen: TapesSettings, tmp_path: Path
) -> None:
    tape_id = exported(any_home, tmp_path / "export")
    any_home.database.close()
    removed, ended = CLEAN.Event(), CLEAN.Event()
    run(partial(removes_slowly, chosen, tape_id, removed, ended), partial(goes_on, chosen, removed, ended))
    path = destruction.certificate_path(any_home, tape_id)
    assert certificates.read(path).facts["exports"] == {"removed": 3, "not found": 0}
    assert not any((any_home.vault.folder / "locks").glob(f"{tape_id}*"))


def test_what_a_killed_destruction_removed_is_not_called_not_found_by_the_next(home: Home, tmp_path: Path) -> None:
    tape_id = exported(home, tmp_path / "export")
    (tmp_path / "export" / "sound.flac").unlink()  # somebody's deed, not ours
    destruction.begin(home, tape_id, "by hand", NOON)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(destruction, "_remove_records", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            destruction.resume(home, NOON)
    assert not (tmp_path / "export").exists()
    (done,) = destruction.resume(home, NOON)
    assert certificates.read(done.path).facts["exports"] == {"removed": 2, "not found": 1}


def destroys_all(chosen: TapesSettings, tapes: list[str], barrier: Barrier) -> None:
    def deed(home: Home) -> None:
        barrier.wait(30)
        for tape_id in tapes:
            try:
                destruction.destroy(home, tape_id, "by hand", NOON)
            except VaultError as error:
                if error.code != "TR-V15":  # another was faster
                    raise

    opened(chosen, deed)


def test_many_destroy_many_at_once_and_each_tape_has_one_right_certificate(
    any_home: Home, chosen: TapesSettings, tmp_path: Path
) -> None:
    sample, tapes = None, []
    for number in range(4):
        tape = full_tape(any_home, NOON, sample=sample)
        sample = tape.sample
        exports.export(any_home, tape.id, sample.interviewer, tmp_path / str(number), NOON)
        tapes.append(tape.id)
    any_home.database.close()
    orders, barrier = (tapes, tapes[::-1], tapes[2:] + tapes[:2]), CLEAN.Barrier(3)
    run(*(partial(destroys_all, chosen, order, barrier) for order in orders))
    for tape_id in tapes:
        facts = certificates.read(destruction.certificate_path(any_home, tape_id)).facts
        assert facts["exports"] == {"removed": 2, "not found": 0}
        assert destruction.survivors(any_home, tape_id) == []


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> TapesSettings:
    shutil.copytree(template, tmp_path / "home")
    return settings.load().settings.tapes.model_copy(update={"home": str(tmp_path / "home"), "database": ""})


def rotates_slowly(folder: TapesSettings, tape_id: str, wrapping: Event, destroyed: Event) -> None:
    real = Ring.wrap

    def slow(ring: Ring, name: str, data_key: bytes) -> bytes:
        wrapped = real(ring, name, data_key)
        if name == tape_id:
            wrapping.set()
            destroyed.wait(PAUSE)
        return wrapped

    Ring.wrap = slow  # type: ignore[method-assign]
    opened(folder, lambda home: key_rotation.rotate(home.vault, home.master))


def destroys_meanwhile(folder: TapesSettings, tape_id: str, wrapping: Event, destroyed: Event) -> None:
    assert wrapping.wait(30)
    opened(folder, lambda home: destruction.destroy(home, tape_id, "by hand", NOON))
    destroyed.set()


def test_a_change_of_the_master_key_does_not_bring_a_destroyed_key_back(folder: TapesSettings) -> None:
    home = Home.open(folder)
    tape_id = full_tape(home, NOON).id
    home.close()
    wrapping, destroyed = CLEAN.Event(), CLEAN.Event()
    both = folder, tape_id, wrapping, destroyed
    run(partial(rotates_slowly, *both), partial(destroys_meanwhile, *both))
    home = Home.open(folder)
    assert not home.vault.has_key(tape_id)
    assert destruction.survivors(home, tape_id) == []
    assert home.vault.has_key(HOME)
    home.close()


def test_a_key_that_a_killed_rotation_had_wrapped_anew_is_destroyed_with_the_other(home: Home) -> None:
    tape = full_tape(home, NOON)
    key = home.vault.folder / "keys" / tape.id
    left = key.with_name(f"{tape.id}.0123abcd{PARTIAL}")
    left.write_bytes(home.vault.ring.followed_by(Ring.fresh()).wrap(tape.id, bytes(32)))
    destruction.destroy(home, tape.id, "by hand", NOON)
    assert not key.exists()
    assert not left.exists()


def test_a_copy_of_the_key_alone_is_a_survivor(home: Home) -> None:
    tape = full_tape(home, NOON)
    destruction.destroy(home, tape.id, "by hand", NOON)
    (home.vault.folder / "keys" / f"{tape.id}.0123abcd{PARTIAL}").write_bytes(b"wrapped anew")
    assert destruction.survivors(home, tape.id) == ["key"]


def test_a_destruction_that_was_cut_off_after_overwriting_the_key_stops_no_rotation(home: Home) -> None:
    tape = full_tape(home, NOON)
    key = home.vault.folder / "keys" / tape.id
    key.write_bytes(bytes(key.stat().st_size))
    assert key_rotation.rotate(home.vault, home.master) == 1  # the home's own
    assert not any(key.read_bytes())
    with pytest.raises(VaultError, match="TR-V03"):
        home.vault.seal(tape.id, b"", "forms.sealed_answers")
