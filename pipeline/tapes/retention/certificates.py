"""Certificates of destruction: what was destroyed, when, why and how, signed (Ed25519) and checked without us.

A certificate holds ids, counts, times and digests of encrypted files; no words of a client, no names. What cannot be
known from here it says under "not known": copies of backups, and what a disk keeps of a key that was overwritten.

The signing key lies in the home, unlocked: a tape must be destroyed, and its destruction certified, when nobody is
there to type a passphrase and even when the master key is lost. The public key stands in every certificate and in
``certificate-key.pub``; give a client's representative that file, by another way than the certificate.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.errors import VaultError
from pipeline.tapes.vault.atomic_files import published

VERSION = 1
"""Version of a certificate's fields; raised when they change."""

_CONTEXT = b"tape-review certificate of destruction 1\n"
_LONGEST = 1 << 22  # bytes that are read; a certificate has some thousand


@dataclass(frozen=True)
class Signed:
    """A certificate's body, as JSON in its one spelling, and the signature over it."""

    body: str
    signature: bytes

    def file(self) -> bytes:
        """The certificate as a file, for people to read and `read` to check."""
        signature = base64.b64encode(self.signature).decode()
        return json.dumps({"certificate": json.loads(self.body), "signature": signature}, indent=2).encode() + b"\n"


class Signer:
    """The home's signing key; made when it is first needed.

    Parameters
    ----------
    path: the private key; the public one lies two folders up, as ``certificate-key.pub``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.public_path = path.parent.parent / "certificate-key.pub"

    def sign(self, facts: dict[str, Any]) -> Signed:
        """Sign what is to be certified.

        Raises
        ------
        VaultError: V08 a first key cannot be written, V10 the key is damaged.
        """
        key = self._key()
        body = spelled({**facts, "version": VERSION, "public_key": base64.b64encode(_raw(key.public_key())).decode()})
        return Signed(body, key.sign(_CONTEXT + body.encode()))

    def _key(self) -> Ed25519PrivateKey:
        with suppress(FileExistsError):
            if not self.path.exists():
                with published(self.path) as file:
                    key = Ed25519PrivateKey.generate()
                    file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        try:
            key = load_pem_private_key(self.path.read_bytes(), None)  # type: ignore[assignment]
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError("not an Ed25519 key")
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            remedy = "restore it from a backup, or remove it: the next destruction makes a new one"
            raise VaultError("V10", f"signing key {self.path}", "cannot be read", remedy) from error
        if not self.public_path.exists():
            with suppress(FileExistsError), published(self.public_path) as file:
                file.write(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return key


@dataclass(frozen=True)
class Checked:
    """A certificate whose signature is right; ``known`` tells whether its key was compared with one that was given."""

    facts: dict[str, Any]
    fingerprint: str
    known: bool


def read(path: Path, public: Path | None = None) -> Checked:
    """Check a certificate with nothing but its file and, if there is one, the public key.

    Raises
    ------
    VaultError: V10 a file cannot be read, V11 the certificate was altered, V12 another key signed it.
    """
    thing = f"certificate {path}"
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_LONGEST))
        facts, signature = dict(content["certificate"]), base64.b64decode(content["signature"], validate=True)
        raw = base64.b64decode(facts["public_key"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
        if facts["version"] != VERSION:
            raise ValueError(f"version {facts['version']}")
        body = spelled(facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "is not a certificate of this program"
        raise VaultError("V10", thing, f"cannot be read ({reason})", "ask for it again") from error
    if public is not None and _raw(_public(public)) != raw:
        remedy = "ask the group for its key; this may be someone else's certificate"
        raise VaultError("V12", thing, f"was signed by another key ({fingerprint(raw)})", remedy)
    try:
        key.verify(signature, _CONTEXT + body.encode())
    except InvalidSignature:
        raise VaultError(
            "V11", thing, "was altered after it was signed", "do not rely on it; ask for it again"
        ) from None
    if not _whole(facts):
        raise VaultError("V10", thing, "cannot be read (it lacks the contents of a certificate)", "ask for it again")
    return Checked(facts, fingerprint(raw), public is not None)


def _whole(facts: dict[str, Any]) -> bool:
    texts = (facts.get(name) for name in ("tape", "destroyed_utc", "why", "method"))
    counts = (facts.get(name) for name in ("records", "exports", "backups"))
    return (
        all(isinstance(text, str) for text in texts)
        and all(
            isinstance(count, dict) and all(isinstance(number, int) for number in count.values()) for count in counts
        )
        and isinstance(facts.get("files"), list)
    )


def fingerprint(raw: bytes) -> str:
    """A public key for people to compare."""
    digest = sha256(raw).hexdigest()[:32]
    return " ".join(digest[start : start + 4] for start in range(0, 32, 4))


def spelled(facts: dict[str, Any]) -> str:
    """JSON in the one spelling that is signed."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _public(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("not an Ed25519 key")
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise VaultError("V10", f"public key {path}", "cannot be read", "give certificate-key.pub") from error
    return key


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
