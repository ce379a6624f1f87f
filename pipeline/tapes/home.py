"""The home: the folder that holds a group's tapes, and the handle on all that lies in it.

::

    home/                 mode 0700
    ├── tapes.sqlite3     the records, unless the settings name another database
    ├── tapes.sqlite3.migrating    locked by who upgrades them
    ├── audit.head        where the audit stood last
    ├── jobs.sqlite3      the queue, unless it lies in another database
    ├── keys/             mode 0700: audit.key, certificate.key, authority.json (of the room's own TLS, sealed);
    │                     master.key, unless the settings name its folder
    ├── vault/            mode 0700: what the vault keeps, encrypted; the tapes' keys, unless as above
    ├── certificates/     of destroyed tapes; certificate-key.pub checks them
    ├── serve.log         of `tape-review serve`: ids, fixed words, and errors about the program's own files
    ├── requests.log      of its requests, where the settings want that: routes, statuses, seconds
    ├── reserve           room for the end of a tape where the disk is full
    ├── tape-review-tombstones.txt    which tapes must stay dead
    └── backups.txt       where backups were written
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import platformdirs

from pipeline.errors import SettingsError, TapeReviewError, TapesError
from pipeline.settings import TapesSettings
from pipeline.tapes import group_codebooks
from pipeline.tapes.audit_log import Audit
from pipeline.tapes.clock import now
from pipeline.tapes.db.database import Database, sqlite_url
from pipeline.tapes.vault.atomic_files import is_text, owned, writable
from pipeline.tapes.vault.master_key import Ask, KeyKind, MasterKey, Ring
from pipeline.tapes.vault.vault import HOME, Vault

_KEY_BYTES = 32  # 256 random bits


class Home:
    """An open home: `database`, `audit`, `vault`, and the folder of keys. Make one by `create` or `open`.

    The master key is loaded when the vault is first asked to read or write; ``ask`` asks for its passphrase, if it has
    one that the environment does not hold.
    """

    def __init__(self, folder: Path, settings: TapesSettings, ask: Ask | None = None) -> None:
        self.folder = folder
        self.settings = settings
        self.audit = Audit(_read_key(folder / "keys" / "audit.key"), folder / "audit.head", watches=True)
        key_places = KeyPlaces.of(settings, folder)
        self.master = MasterKey(key_places.master, ask)
        self.tape_keys = key_places.tapes
        self.vault = self.vault_by(self.master)
        self.vault.scratch.sweep()
        url = settings.database or sqlite_url(folder / "tapes.sqlite3")
        self.database = Database(url, before_commit=self.audit.add_pending)

    @classmethod
    def create(cls, settings: TapesSettings, master: KeyKind = "file", ask: Ask | None = None) -> Home:
        """Make a home with its folders, keys and tables.

        Raises
        ------
        TapesError: K02 there is one already, K03 its database cannot be reached.
        VaultError: V04, V06 the master key, V08 a folder that cannot be written.
        """
        folder = folder_of(settings)
        key = folder / "keys" / "audit.key"
        if key.exists():
            raise _there_already(folder)
        key_places = KeyPlaces.of(settings, folder)
        for each in (folder, folder / "keys", folder / "vault", key_places.master.parent):
            with writable(each):
                owned(each).chmod(0o700)
        try:
            _write_key(key)  # first: of two that start at once, one makes the home
        except FileExistsError as error:
            raise _there_already(folder) from error
        fresh = not key_places.master.exists()  # one that was put there by hand is taken
        try:
            if fresh:
                MasterKey(key_places.master, ask).create(master)
        except BaseException:
            key.unlink()  # so that the next attempt does not take this for a home
            raise
        home = cls(folder, settings, ask)
        home.vault.tape_keys.make()
        try:
            home.database.migrate()
            if not home.vault.has_key(HOME):
                home.vault.create_key(HOME)
            with home.database.reading() as session:
                home.audit.write_witness(session)
        except TapeReviewError:
            home.close()
            key.unlink()
            if fresh:
                home.vault.destroy_key(HOME)
                home.master.path.unlink()
            raise
        return home

    @classmethod
    def open(cls, settings: TapesSettings, ask: Ask | None = None) -> Home:
        """Open a home that exists and whose tables are those of this program.

        Raises
        ------
        TapesError: K01 there is none, K03 its database cannot be reached, K05 its tables are of another version, or
            codebooks lie in it as an older version kept them.
        """
        folder = _existing(settings)
        for left in filter(None, (beside(folder), beside_keys(settings))):  # of a restore that was killed: a whole copy
            shutil.rmtree(left, ignore_errors=True)
        home = cls(folder, settings, ask)
        home.database.require_newest()
        if group_codebooks.left(home.folder):
            value = "has unencrypted codebooks from an older version"
            raise TapesError("K05", f"home {home.folder}", value, "run `tape-review init --upgrade` after a backup")
        return home

    def vault_by(self, master: Ring | MasterKey) -> Vault:
        """The vault, opened by a master key."""
        return Vault(self.vault_folder, master, self.tape_keys, mark(self.keys_folder))

    @property
    def vault_folder(self) -> Path:
        """Where the vault keeps its files."""
        return self.folder / "vault"

    @property
    def keys_folder(self) -> Path:
        """Where the home's keys lie."""
        return self.folder / "keys"

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


@dataclass(frozen=True)
class KeyPlaces:
    """Where the master key lies, and the tapes' keys if not in the vault."""

    master: Path
    tapes: Path | None

    @classmethod
    def of(cls, settings: TapesSettings, home: Path) -> KeyPlaces:
        """As the settings say."""
        if not settings.keys:
            return cls(home / "keys" / "master.key", None)
        return cls.within(Path(settings.keys).expanduser().resolve())

    @classmethod
    def within(cls, folder: Path) -> KeyPlaces:
        """All in a folder of their own."""
        return cls(folder / "master.key", folder / "tapes")


def folder_of(settings: TapesSettings) -> Path:
    """The home's folder: as the settings say, else the user's data folder.

    Raises
    ------
    SettingsError: S03 its name is no text; the database could not be found by it.
    """
    chosen = settings.home or platformdirs.user_data_dir("tape-review", appauthor=False) + "/home"
    if "\0" in chosen or not is_text(chosen):
        raise SettingsError("S03", "setting 'home' in tapes", f"is no text ({chosen!r})", "name another with --home")
    return Path(chosen).expanduser().resolve()


def beside(folder: Path) -> Path:
    """Where a restore builds a home before it takes its place."""
    return folder.with_name(f"{folder.name}.restoring")


def beside_keys(settings: TapesSettings) -> Path | None:
    """Where it builds the folder of keys, if that lies elsewhere."""
    return beside(Path(settings.keys).expanduser().resolve()) if settings.keys else None


def upgrade(settings: TapesSettings, ask: Ask | None = None) -> tuple[Path, str | None, str | None]:
    """Bring a home to this program's version: its folder, the version of its tables before and after.

    Codebooks that lie in the clear are sealed; that takes the master key.

    Raises
    ------
    TapesError: K01 there is no home, K03 its database cannot be reached, K04 another process has been upgrading it for
        long. VaultError: V04, V05, V06 the master key.
    """
    home = Home(_existing(settings), settings, ask)
    try:
        before = home.database.version()
        home.database.migrate(then=lambda: _seal_codebooks(home))
        return home.folder, before, home.database.version()
    finally:
        home.close()


def _there_already(folder: Path) -> TapesError:
    return TapesError("K02", f"home {folder}", "exists already", "use it, or name another with --home")


def _seal_codebooks(home: Home) -> None:
    """Take in the codebooks that lie in the clear, and remove their files."""
    if not (files := group_codebooks.left(home.folder)):
        return
    with home.database.writing() as session:
        group_codebooks.adopt(session, home.vault, files, now())
    for path in files:
        path.unlink()
    home.database.scrub()  # what passes called them is in free pages and the log of the database


def _existing(settings: TapesSettings) -> Path:
    folder = folder_of(settings)
    if not (folder / "keys" / "audit.key").exists():
        raise TapesError("K01", f"home {folder}", "does not exist", "make it with `tape-review init`")
    return folder


def mark(keys: Path) -> str:
    """By what a folder of keys outside of a home tells whose it is; tells nothing about the home."""
    return sha256(b"tape-review folder of keys 1" + _read_key(keys / "audit.key")).hexdigest()[:32]


def _write_key(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")


def _read_key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise TapesError("K06", f"audit key {path}", "cannot be read", "restore it from a backup") from error
    if len(key) != _KEY_BYTES:
        raise TapesError("K06", f"audit key {path}", f"has {len(key)} bytes", "restore it from a backup")
    return key
