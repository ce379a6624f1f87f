"""The master key, and what it wraps: one data key a tape.

A ring holds the master key and, while the master key is being changed, the one before it. It comes from a file (mode
0600, refused when anybody else can read it), from a passphrase (through Argon2id; what was derived opens the ring, so
that a new passphrase changes no tape), or from the environment, where a key service puts it.

Every sealed message has a key of its own, derived (HKDF-SHA256) from the key that seals it, 16 random bytes and the
purpose; its nonce is zero, once. So there is no number of messages after which a nonce comes back, and a message that
is moved to another purpose (another tape, another column) does not open.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from pipeline.errors import VaultError
from pipeline.tapes.vault.atomic_files import published
from pipeline.tapes.vault.encrypted_file import derived

VARIABLE = "TAPE_REVIEW_MASTER_KEY"
"""Where a key service puts the ring: base64, the current master key first, a comma before the previous one."""

PASSPHRASE = "TAPE_REVIEW_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Where the passphrase is looked for before anybody is asked."""

SHORTEST = 12
"""Characters that a passphrase has at least."""

KeyKind = Literal["file", "passphrase", "environment"]
Ask = Callable[[], str]

_VERSION = b"\x01"
_SALT = 16  # bytes
_ID = 8  # bytes by which a home tells its current master key from the previous one
_NONCE = bytes(12)  # zeros: each key seals one message
_ARGON = {"memory_kib": 1 << 16, "iterations": 3, "lanes": 4}  # RFC 9106, its second recommended choice: 64 MiB
_ARGON_BOUNDS = {"memory_kib": (1 << 14, 1 << 21), "iterations": (1, 64), "lanes": (1, 64)}
"""What a stored file may ask for: neither a guessable key nor all memory (16 MiB to 2 GiB)."""


class UnsealableError(Exception):
    """A sealed message was altered, or belongs elsewhere."""


def seal(key: bytes, purpose: bytes, message: bytes) -> bytes:
    """Encrypt a short message for one purpose."""
    salt = secrets.token_bytes(_SALT)
    return _VERSION + salt + derived(key, salt, purpose).encrypt(_NONCE, message, _VERSION)


def unseal(key: bytes, purpose: bytes, sealed: bytes) -> bytes:
    """Return the plaintext that `seal` was given.

    Raises
    ------
    UnsealableError: it is not what was sealed with this key for this purpose.
    """
    salt, rest = sealed[1 : 1 + _SALT], sealed[1 + _SALT :]
    try:
        return derived(key, salt, purpose).decrypt(_NONCE, rest, sealed[:1])
    except (InvalidTag, ValueError):
        raise UnsealableError from None


@dataclass(frozen=True)
class Ring:
    """The master key, first, and the one before it while it is being changed."""

    masters: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def fresh(cls) -> Ring:
        """A new master key."""
        return cls((secrets.token_bytes(32),))

    def wrap(self, tape_id: str, data_key: bytes) -> bytes:
        """A tape's data key, sealed for this tape by the current master key, whose mark stands before it."""
        master = self.masters[0]
        return mark(master) + seal(master, _wrapping(tape_id), data_key)

    def unwrap(self, tape_id: str, wrapped: bytes) -> bytes:
        """The data key.

        Raises
        ------
        VaultError: V07 another master key wrapped it, V02 it was altered or belongs to another tape.
        """
        for master in self.masters:
            if mark(master) == wrapped[:_ID]:
                try:
                    return unseal(master, _wrapping(tape_id), wrapped[_ID:])
                except UnsealableError:
                    value = "was altered or belongs to another tape"
                    raise VaultError("V02", f"key of tape {tape_id}", value, "restore the last backup") from None
        remedy = "give the master key that was in use when the tape was submitted"
        raise VaultError("V07", f"key of tape {tape_id}", "was wrapped by another master key", remedy)

    def wrapped_by_current(self, wrapped: bytes) -> bool:
        """Whether it needs no rewrapping."""
        return wrapped[:_ID] == mark(self.masters[0])

    def followed_by(self, new: Ring) -> Ring:
        """The ring during a change: the new master key wraps, both unwrap."""
        return Ring((new.masters[0], self.masters[0]))

    def settled(self) -> Ring:
        """The ring after a change."""
        return Ring(self.masters[:1])

    def text(self) -> str:
        """The ring as a key service keeps it."""
        return ",".join(base64.b64encode(master).decode() for master in self.masters)

    @classmethod
    def parsed(cls, text: str) -> Ring:
        """Parse what `text` returns; raise `ValueError` for anything else."""
        masters = tuple(base64.b64decode(part.strip(), validate=True) for part in text.split(","))
        if not 1 <= len(masters) <= 2 or any(len(master) != 32 for master in masters):
            raise ValueError("a ring holds one or two keys of 32 bytes")
        return cls(masters)


def mark(master: bytes) -> bytes:
    """By what a wrapped key tells which master key wrapped it; says nothing about the key."""
    return sha256(b"tape-review master key 1" + master).digest()[:_ID]


@dataclass(frozen=True)
class MasterKey:
    """Where the ring is kept.

    Parameters
    ----------
    path: a small file that holds the ring, or the ring locked by a passphrase, or says that the environment has it.
    ask: asks for the passphrase where the environment gives none.
    anew: ask for a passphrase whatever the environment holds: it is to be another one.
    """

    path: Path
    ask: Ask | None = None
    anew: bool = False

    def create(self, kind: KeyKind) -> Ring:
        """A new ring, kept as `kind` says; with "environment" it must be there already.

        Raises
        ------
        VaultError: V04 there is a master key already, or the environment has none; V06 passphrase; V08.
        """
        ring = _from_environment() if kind == "environment" else Ring.fresh()
        try:
            self._keep(kind, ring, replace=False)
        except FileExistsError as error:
            remedy = "keep it: without it the tapes cannot be opened"
            raise VaultError("V04", f"master key {self.path}", "exists already", remedy) from error
        return ring

    def keep(self, ring: Ring, kind: KeyKind | None = None) -> None:
        """Put another ring, or another way of keeping it, in the place of the one before.

        Raises
        ------
        VaultError: V04 a ring in the environment is changed there, not here; V06 passphrase; V08.
        """
        kind = kind or self.kind()
        if kind == "environment" and _from_environment() != ring:
            remedy = f"have the key service set {VARIABLE} to the new ring"
            raise VaultError("V04", "master key", "is in the environment, which this program cannot change", remedy)
        self._keep(kind, ring, replace=True)

    def kind(self) -> KeyKind:
        """How the ring is kept.

        Raises
        ------
        VaultError: V04, V05.
        """
        kind: KeyKind = self._read()["kind"]
        return kind

    def stamp(self) -> bytes:
        """A digest of what its file holds: another one once another ring, or another way of keeping it, is there.

        Raises
        ------
        VaultError: V04, V05.
        """
        return sha256(json.dumps(self._read()).encode()).digest()

    def load(self) -> Ring:
        """The ring.

        Raises
        ------
        VaultError: V04 it is not there or damaged, V05 others can read it, V06 passphrase missing or wrong.
        """
        forbid_dumps()
        stored = self._read()
        if stored["kind"] == "environment":
            return _from_environment()
        try:
            if stored["kind"] == "file":
                return Ring.parsed(stored["ring"])
            locked = base64.b64decode(stored["ring"], validate=True)
            return Ring.parsed(unseal(_stretched(self._passphrase(), stored["argon2id"]), b"ring", locked).decode())
        except UnsealableError:
            remedy = "type it again; nobody can recover it, and without it the tapes cannot be opened"
            raise VaultError("V06", "passphrase", "does not open the master key", remedy) from None
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable("is damaged") from error

    def _keep(self, kind: KeyKind, ring: Ring, replace: bool) -> None:
        stored: dict[str, Any] = {"kind": kind}
        if kind == "file":
            stored["ring"] = ring.text()
        elif kind == "passphrase":
            stored["argon2id"] = {"salt": base64.b64encode(secrets.token_bytes(16)).decode(), **_ARGON}
            locked = seal(_stretched(self._passphrase(new=True), stored["argon2id"]), b"ring", ring.text().encode())
            stored["ring"] = base64.b64encode(locked).decode()
        with published(self.path, replace=replace) as file:
            file.write(json.dumps(stored, indent=1).encode())

    def _passphrase(self, new: bool = False) -> str:
        given = "" if self.anew else os.environ.get(PASSPHRASE)
        text = given or (self.ask() if self.ask else "")
        if not text:
            raise VaultError("V06", "passphrase", "is missing", f"set {PASSPHRASE}, or run this in a terminal")
        if new and len(text) < SHORTEST:
            raise VaultError("V06", "passphrase", f"is shorter than {SHORTEST} characters", "take five or six words")
        return text

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) or status.st_uid != os.geteuid():
                    value = f"can be read by others (mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid})"
                    remedy = f"chown it to the user that runs this, and chmod 600 {self.path}"
                    raise VaultError("V05", f"master key {self.path}", value, remedy)
                stored = json.loads(file.read(1 << 16))
            if stored["kind"] not in ("file", "passphrase", "environment"):
                raise ValueError(stored["kind"])
        except OSError as error:
            raise self._unreadable(f"cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise self._unreadable("is damaged") from error
        return dict(stored)

    def _unreadable(self, value: str) -> VaultError:
        return VaultError(
            "V04", f"master key {self.path}", value, "put your copy of it there, or run `tape-review init`"
        )


def _from_environment() -> Ring:
    try:
        return Ring.parsed(os.environ[VARIABLE])
    except KeyError as error:
        remedy = "have the key service set it"
        raise VaultError("V04", f"master key in {VARIABLE}", "is missing", remedy) from error
    except ValueError as error:
        remedy = "it must be 32 random bytes in base64"
        raise VaultError("V04", f"master key in {VARIABLE}", "is damaged", remedy) from error


def _stretched(passphrase: str, options: dict[str, Any]) -> bytes:
    """A key from a passphrase, by the parameters stored beside it; absurd ones are refused."""
    for name, (low, high) in _ARGON_BOUNDS.items():
        if not isinstance(options[name], int) or not low <= options[name] <= high:
            raise ValueError(f"{name} is {options[name]!r}")
    salt = base64.b64decode(options["salt"], validate=True)
    way = Argon2id(
        salt=salt,
        length=32,
        iterations=options["iterations"],
        lanes=options["lanes"],
        memory_cost=options["memory_kib"],
    )
    return way.derive(passphrase.encode())


def _wrapping(tape_id: str) -> bytes:
    return b"data key of tape " + tape_id.encode()


def forbid_dumps() -> None:
    """No core dump of this process: it would hold keys and speech.

    The limit alone is not enough: where the system pipes dumps to a program, the kernel does not heed it; a process
    that is not dumpable writes none at all.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
