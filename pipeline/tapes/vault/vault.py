"""The vault: everything of a tape that could tell what was said, encrypted with the tape's own key.

::

    vault/keys/TAPE          the tape's data key, wrapped by the master key; may lie elsewhere
    vault/tapes/TAPE/ITEM    one encrypted file (see `frames`); ITEM is its random id
    vault/locks/TAPE         without content (see `locks`)

The key of a tape lies in a file of its own and nowhere else: not in the database, whose write-ahead logs and dead rows
keep what was deleted. Once that file is gone, what is left of the tape, wherever it is left, cannot be read. Keys are
not kept in memory from one call to the next, so a key that one process destroys is gone for all of them.
"""

from __future__ import annotations

import hmac
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Protocol

from pipeline.errors import VaultError
from pipeline.files import PARTIAL, settle
from pipeline.tapes.vault import master_key
from pipeline.tapes.vault.atomic_files import abandoned, owned, published, writable
from pipeline.tapes.vault.encrypted_file import ID_BYTES, ByteStream, DecryptingReader, FileLabel, write
from pipeline.tapes.vault.locks import TapeLocks
from pipeline.tapes.vault.master_key import MasterKey, Ring, UnsealableError
from pipeline.tapes.vault.scratch import Scratch
from pipeline.tapes.vault.tape_keys import KeyFolder, checked, named

HOME = "home"
"""Stands for a tape where something belongs to none: the notes of a meeting without a tape."""


@dataclass(frozen=True)
class StoredItem:
    """One encrypted file; ``size`` of the plaintext, ``sha256`` of the encrypted file as it lies on the disk.

    The digest is not the plaintext's: a digest of what was said would outlive it and could be compared.
    """

    id: str
    tape_id: str
    kind: str
    size: int
    sha256: str


class Known(Protocol):
    """The facts that open an item: an `StoredItem`, or a row of the table ``items``."""

    @property
    def id(self) -> str:
        """Its random id."""

    @property
    def tape_id(self) -> str:
        """Its tape."""

    @property
    def kind(self) -> str:
        """The kind of the item."""

    @property
    def size(self) -> int:
        """Bytes of plaintext."""


class Vault:
    """The encrypted files and keys in one folder.

    Parameters
    ----------
    folder: the vault's folder; made where it is missing.
    master: the master key, or where it is kept; then it is loaded when something is read or written. Destroying needs
        none.
    keys: where the tapes' keys lie, if not in the vault's folder.
    mark: by what that folder tells that it belongs to this home.
    """

    def __init__(self, folder: Path, master: Ring | MasterKey, keys: Path | None = None, mark: str = "") -> None:
        self.folder = folder
        self._master = master
        self._ring: Ring | None = None
        self._seen = b""
        self._tapes = owned(folder / "tapes")
        self.locks = TapeLocks(folder / "locks")
        self.tape_keys = KeyFolder(keys or owned(folder / "keys"), self.locks, mark if keys else "")
        self.scratch = Scratch(folder.parent)

    @property
    def ring(self) -> Ring:
        """The master key.

        Raises
        ------
        VaultError: V04, V05, V06.
        """
        return self._ring or self._loaded(self._master)

    def newest_ring(self) -> Ring:
        """The master key as it is kept now, for what is to be wrapped: another process may have changed it.

        It is loaded again only where its file changed, and nobody is asked for a passphrase a second time: there may
        be nobody there.

        Raises
        ------
        VaultError: V04, V05, V06; V07 it was changed, and this process cannot have the new one.
        """
        ring = self.ring
        if isinstance(self._master, MasterKey) and self._master.stamp() != self._seen:
            try:
                ring = self._loaded(replace(self._master, ask=None))
            except VaultError as error:
                if error.code != "TR-V06":
                    raise
                remedy = "start it again, with the current passphrase"
                raise VaultError("V07", "master key", "was changed after this program was started", remedy) from error
        with suppress(FileNotFoundError):  # a ring from the environment stays as it was when this process began
            ring.unwrap(HOME, self.tape_keys.path(HOME).read_bytes())
        return ring

    def unasked_ring(self) -> Ring:
        """As `newest_ring`; where a passphrase was not given yet, nobody is asked for it.

        Raises
        ------
        VaultError: V04, V05, V06, V07.
        """
        if self._ring is None and isinstance(self._master, MasterKey):
            self._loaded(replace(self._master, ask=None))
        return self.newest_ring()

    def _loaded(self, master: Ring | MasterKey) -> Ring:
        if isinstance(master, Ring):
            self._ring = master
        else:
            seen = master.stamp()  # before it is loaded: a change in between shows the next time
            self._ring = master.load()
            self._seen = seen
        return self._ring

    # keys

    def create_key(self, tape_id: str) -> None:
        """A data key for a new tape; nothing of the tape can be put in before.

        Raises
        ------
        FileExistsError: the tape has a key.
        VaultError: V04 to V07 the master key, V08.
        """
        path, data_key = self.tape_keys.path(tape_id), secrets.token_bytes(32)
        ring = self.newest_ring()
        with self.locks.alone(tape_id):
            with published(path) as file:
                file.write(ring.wrap(tape_id, data_key))
            try:
                while (newer := self.newest_ring()).masters[0] != ring.masters[0]:  # changed while we wrote
                    ring = newer
                    with published(path, replace=True) as file:
                        file.write(ring.wrap(tape_id, data_key))
            except BaseException:
                self.destroy_key(tape_id)
                raise

    def has_key(self, tape_id: str) -> bool:
        """Whether anything of the tape can still be read, now or with what a killed process left of its key."""
        return bool(self.tape_keys.copies(tape_id))

    def tapes(self) -> list[str]:
        """The tapes that have a key or files here."""
        return sorted({path.name for folder in (self.tape_keys.folder, self._tapes) for path in named(folder)} - {HOME})

    def destroy_key(self, tape_id: str) -> bool:
        """Overwrite and remove a tape's key; whether there was one. From then on nothing of the tape can be read.

        Raises
        ------
        VaultError: V08, V18, V19.
        """
        return self.tape_keys.destroy(tape_id)

    def rewrap(self, ring: Ring) -> int:
        """Wrap every key by another ring's current master key; how many were wrapped anew.

        It can be interrupted and repeated. A key that is destroyed meanwhile stays destroyed.

        Raises
        ------
        VaultError: V02, V07, V08, V18.
        """
        changed = 0
        for path in named(self.tape_keys.folder):
            with self.locks.alone(path.name):
                wrapped = self.tape_keys.read(path.name)
                if wrapped and not ring.wrapped_by_current(wrapped):
                    data_key = self.ring.unwrap(path.name, wrapped)
                    with published(path, replace=True) as file:
                        file.write(ring.wrap(path.name, data_key))
                    changed += 1
        self._ring = ring
        return changed

    # files

    def put(self, tape_id: str, kind: str, source: ByteStream | bytes | Path) -> StoredItem:
        """Encrypt a source to its end; the item is there whole, or not at all.

        Raises
        ------
        VaultError: V03 the tape has no key, V08 the vault cannot be written.
        """
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self.put(tape_id, kind, file)
        if isinstance(source, bytes):
            source = BytesIO(source)
        key = self._data_key(tape_id)
        file_id = secrets.token_bytes(ID_BYTES)
        path = self._path(tape_id, file_id.hex())
        owned(path.parent)
        try:
            with published(path) as file:
                written = write(source, file, key, FileLabel(tape_id, kind, file_id))
        finally:
            if not self.has_key(tape_id):  # destroyed while we wrote
                with suppress(FileNotFoundError):
                    path.unlink()
                raise self._keyless(tape_id)
        return StoredItem(file_id.hex(), tape_id, kind, written.size, written.sha256)

    def open(self, item: Known) -> DecryptingReader:
        """An item's plaintext; can be read from anywhere, frame by frame. Close it.

        Raises
        ------
        VaultError: V01 the file is missing, V02 it is not what was put in (also while reading), V03 the key is
            destroyed.
        """
        key = self._data_key(item.tape_id)
        thing = f"file {item.id} ({item.kind}) of tape {item.tape_id}"

        def refuse(what: str) -> VaultError:
            return VaultError("V02", thing, what, "restore the last backup, and find out who changed it")

        try:
            file = self._path(item.tape_id, item.id).open("rb")
        except OSError as error:
            value = f"cannot be read ({error.strerror})"
            raise VaultError("V01", thing, value, "restore the last backup") from error
        try:
            reader = DecryptingReader(file, key, FileLabel(item.tape_id, item.kind, bytes.fromhex(item.id)), refuse)
            if reader.size != item.size:
                raise refuse("does not have the length in its record")
        except BaseException:
            file.close()
            raise
        return reader

    def read(self, item: Known) -> bytes:
        """An item's whole plaintext."""
        with self.open(item) as reader:
            return reader.readall()

    def remove(self, item: Known) -> None:
        """Remove an item that nothing needs any more.

        Raises
        ------
        VaultError: V08.
        """
        path = self._path(item.tape_id, item.id)
        with writable(path), suppress(FileNotFoundError):
            path.unlink()
            settle(path.parent)

    def files(self, tape_id: str) -> list[Path]:
        """The encrypted files of a tape, unpublished ones too."""
        folder = self._tapes / checked(tape_id)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def destroy_files(self, tape_id: str) -> int:
        """Remove all files of a tape; how many there were.

        Raises
        ------
        VaultError: V08.
        """
        folder = self._tapes / checked(tape_id)
        files = self.files(tape_id)
        with writable(folder), suppress(FileNotFoundError):
            shutil.rmtree(folder)
            settle(self._tapes)
        return len(files)

    # short texts

    def seal(self, tape_id: str, text: bytes, column: str) -> bytes:
        """Encrypt a text that lies in the database.

        Parameters
        ----------
        tape_id: the tape that it is about, or `HOME`.
        column: where it lies, as ``"forms.answers"``; the text opens nowhere else.

        Raises
        ------
        VaultError: V03.
        """
        return master_key.seal(self._data_key(tape_id), _column(tape_id, column), text)

    def unseal(self, tape_id: str, sealed: bytes, column: str) -> bytes:
        """The text.

        Raises
        ------
        VaultError: V02 it was altered or comes from another tape or column, V03 the key is destroyed.
        """
        try:
            return master_key.unseal(self._data_key(tape_id), _column(tape_id, column), sealed)
        except UnsealableError:
            value = "was altered or comes from another place"
            remedy = "restore the last backup, and find out who changed it"
            raise VaultError("V02", f"text in {column} of tape {tape_id}", value, remedy) from None

    def derive(self, tape_id: str, purpose: str) -> bytes:
        """A key of 32 bytes that follows from the tape's own, for one purpose; gone with it.

        Raises
        ------
        VaultError: V03.
        """
        return hmac.digest(self._data_key(tape_id), f"derived for {purpose}".encode(), "sha256")

    # order

    def leftovers(self) -> list[Path]:
        """Return files that nobody will need: those that a dead process did not publish, and those whose key is
        gone."""
        keyless = [
            path for folder in named(self._tapes) if not self.has_key(folder.name) for path in self.files(folder.name)
        ]
        partial = {*self.folder.rglob(f"*{PARTIAL}"), *self.tape_keys.folder.glob(f"*{PARTIAL}")}
        return sorted({*keyless, *filter(abandoned, partial)})

    def sweep(self) -> int:
        """Remove the leftovers, and plaintext that earlier versions left; how many of both.

        Raises
        ------
        VaultError: V08.
        """
        leftover = self.leftovers()
        for path in leftover:
            with writable(path), suppress(FileNotFoundError):
                path.unlink()
        for folder in named(self._tapes):
            if not self.has_key(folder.name):
                self.destroy_files(folder.name)
        return len(leftover) + self.scratch.sweep()

    def _data_key(self, tape_id: str) -> bytes:
        wrapped = self.tape_keys.read(tape_id)
        if not wrapped:
            raise self._keyless(tape_id)
        try:
            return self.ring.unwrap(tape_id, wrapped)
        except VaultError as error:
            if error.code != "TR-V07":
                raise
            # the master key may have been changed since this process began
            return self._loaded(self._master).unwrap(tape_id, wrapped)

    def _keyless(self, tape_id: str) -> VaultError:
        return VaultError("V03", f"tape {tape_id}", "has no key: it was destroyed", "it cannot be recovered")

    def _path(self, tape_id: str, item_id: str) -> Path:
        return self._tapes / checked(tape_id) / checked(item_id)


def _column(tape_id: str, column: str) -> bytes:
    return f"text of {column} of tape {tape_id}".encode()
