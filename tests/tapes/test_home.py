"""A home is made once, opened often, and private."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import TapesError, VaultError
from pipeline.settings import TapesSettings
from pipeline.tapes import home as homes
from pipeline.tapes.db.records import Person
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import HOME


def person(email: str = "a@example.org") -> Person:
    return Person(name="Ada", email=email, created_at=1)


def test_what_is_written_is_there_when_the_home_is_opened_again(home: Home, tapes_settings: TapesSettings) -> None:
    with home.database.writing() as session:
        session.add(person())
    home.close()
    again = Home.open(tapes_settings)
    with again.database.reading() as session:
        assert [each.name for each in session.query(Person)] == ["Ada"]
    again.close()


def test_a_home_is_for_its_owner_only(home: Home) -> None:
    for folder in (home.folder, home.keys_folder, home.vault_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for key in ("audit.key", "master.key"):
        assert stat.S_IMODE((home.keys_folder / key).stat().st_mode) == 0o600


def test_a_home_is_not_made_twice(home: Home, tapes_settings: TapesSettings) -> None:
    with pytest.raises(TapesError, match="TR-K02 home .* exists already"):
        Home.create(tapes_settings)


def test_of_two_that_make_a_home_at_once_one_makes_it(tapes_settings: TapesSettings) -> None:
    together = threading.Barrier(2)

    def make() -> str:
        together.wait()
        try:
            Home.create(tapes_settings).close()
        except TapesError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(2) as pool:
        ends = [made.result() for made in [pool.submit(make) for _ in range(2)]]
    assert sorted(ends) == ["", "TR-K02"]
    Home.open(tapes_settings).close()


def test_a_home_that_does_not_exist_says_how_to_make_it(tapes_settings: TapesSettings) -> None:
    with pytest.raises(TapesError, match="TR-K01 home .* does not exist; make it with `tape-review init`"):
        Home.open(tapes_settings)


def test_a_home_whose_database_cannot_be_reached_is_not_made(tapes_settings: TapesSettings, tmp_path: Path) -> None:
    lost = tapes_settings.model_copy(update={"database": f"sqlite:///{tmp_path}/nowhere/tapes.sqlite3"})
    with pytest.raises(TapesError, match="TR-K03 sqlite database .* cannot be reached"):
        Home.create(lost)
    Home.create(tapes_settings).close()


def test_a_home_has_a_vault_that_opens_with_its_passphrase_only(tapes_settings: TapesSettings) -> None:
    made = Home.create(tapes_settings, "passphrase", lambda: "five words that nobody guesses")
    sealed = made.vault.seal(HOME, b"minutes", "meetings.sealed_notes")
    made.close()
    again = Home.open(tapes_settings, lambda: "five words that nobody guesses")
    assert again.vault.unseal(HOME, sealed, "meetings.sealed_notes") == b"minutes"
    again.close()
    locked = Home.open(tapes_settings, lambda: "five words that anybody guesses")
    with pytest.raises(VaultError, match="TR-V06"):
        locked.vault.unseal(HOME, sealed, "meetings.sealed_notes")
    locked.close()


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31])
def test_a_damaged_audit_key_is_named(home: Home, tapes_settings: TapesSettings, content: str) -> None:
    (home.keys_folder / "audit.key").write_text(content)
    with pytest.raises(TapesError, match="TR-K06 audit key"):
        Home.open(tapes_settings)


def test_tables_of_another_version_are_refused(home: Home, tapes_settings: TapesSettings) -> None:
    home.database.migrate("0004")
    with pytest.raises(TapesError, match="TR-K05 .* has version 0004"):
        Home.open(tapes_settings)


def test_the_default_place_is_the_users_data_folder(tapes_settings: TapesSettings) -> None:
    assert homes.folder_of(tapes_settings.model_copy(update={"home": ""})).parts[-2:] == ("tape-review", "home")
