"""The certificate that the room's server shows, kept fresh while it runs: its own authority's, or one from files.

Each connection takes the TLS context of its moment, so that a new certificate interrupts none.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import serialization

from pipeline.errors import ReviewError, TapeReviewError
from pipeline.review.network.authority import RENEWED, SERVER_LASTS, Authority, pem
from pipeline.review.repeating import repeating
from pipeline.tapes import logs
from pipeline.tapes.clock import Clock

EVERY = 60.0
"""Seconds between two looks at whether a certificate must be renewed."""


class ServerCertificate(Protocol):
    """A server's certificate: the context for the next connection, and a look at whether it must be another one."""

    context: ssl.SSLContext

    def refresh(self, now: int) -> bool:
        """Make the context anew if that is due; whether it was."""


class SignedHere:
    """A short-lived certificate of the room's own authority, for the names that the computer has."""

    def __init__(self, authority: Authority, names: Callable[[], tuple[str, ...]], now: int) -> None:
        self._authority, self._names = authority, names
        self._end = 0
        self._for: tuple[str, ...] = ()
        self.refresh(now)

    def refresh(self, now: int) -> bool:
        """Sign anew where the names are others, or little time is left."""
        names = tuple(name for name in self._names() if self._authority.covers(name))
        if names == self._for and now < self._end - RENEWED:
            return False
        certificate, key = self._authority.issue(names, now)
        password = secrets.token_bytes(32)
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )
        with tempfile.TemporaryDirectory() as folder:  # `ssl` reads files only; the key is in none of them in the clear
            chain, key_file = Path(folder, "chain.pem"), Path(folder, "key.pem")
            chain.write_text(pem(certificate) + pem(self._authority.certificate))
            key_file.write_bytes(locked)
            self.context = _context(chain, key_file, password)
        self._end, self._for = min(now + SERVER_LASTS, self._authority.ends), names
        return True


class FromFiles:
    """A certificate that somebody else signed, with its chain, and its key; read again when the files change."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self._as_of = self._changed()
        self.context = _context(certificate, key)

    def refresh(self, now: int) -> bool:
        """Read the files again where they are others."""
        if (as_of := self._changed()) == self._as_of:
            return False
        self.context, self._as_of = _context(*self._files), as_of
        return True

    def _changed(self) -> tuple[int, ...]:
        try:
            return tuple(path.stat().st_mtime_ns for path in self._files)
        except OSError as error:
            raise _unusable(self._files[0], error) from error


@contextmanager
def kept_fresh(
    certificate: ServerCertificate, clock: Clock, renewed: Callable[[], None], every: float = EVERY
) -> Iterator[None]:
    """Refresh a certificate from time to time, and call ``renewed`` afterwards; what fails is tried again."""

    def look() -> None:
        with suppress(TapeReviewError, OSError):
            if certificate.refresh(clock()):
                renewed()
                logs.get().info("certificate.renewed")

    with repeating(look, every, "certificate"):
        yield


def _context(chain: Path, key: Path, password: bytes | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(chain, key, password if password is not None else _no_password)
    except (OSError, ValueError) as error:
        raise _unusable(chain, error) from error
    return context


def _no_password() -> str:
    raise ValueError("the key needs a password")  # else OpenSSL would ask in the terminal


def _unusable(path: Path, error: Exception) -> ReviewError:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    remedy = "set review.certificate_file to the certificate with its chain and review.certificate_key_file to its key"
    return ReviewError("R12", f"certificate {path}", f"cannot be used ({reason})", remedy)
