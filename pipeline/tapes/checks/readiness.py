"""Whether a home can be worked with right now: database, tables, key, vault and disk, told by codes alone.

Strangers may ask this, so that there is no path and no word in it; `tape-review doctor` has them.
"""

from __future__ import annotations

import os
import shutil

from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import TapeReviewError, TapesError, VaultError
from pipeline.tapes.home import Home
from pipeline.tapes.vault.vault import HOME

_DOCTOR = "run `tape-review doctor`"


def problems(home: Home, least_free: int) -> tuple[str, ...]:
    """The codes of what is wrong; none where all is well. Nobody is asked for a passphrase, and nothing is written.

    Parameters
    ----------
    least_free: bytes that are to be free on the disk of the vault.
    """
    codes = []
    for look in (_database, _key, lambda home: _vault(home, least_free)):
        try:
            look(home)
        except TapeReviewError as error:
            codes.append(error.code)
    return tuple(dict.fromkeys(codes))


def _database(home: Home) -> None:
    """The database answers, and its tables are of this program's version."""
    try:
        home.database.require_newest()
    except SQLAlchemyError as error:  # no connection is free
        raise TapesError("K03", "database", "cannot be reached", _DOCTOR) from error


def _key(home: Home) -> None:
    """The master key opens the home's own key, as both lie there now."""
    try:
        home.vault.unasked_ring()
        home.vault.unseal(HOME, home.vault.seal(HOME, b"", "check"), "check")
    except OSError as error:
        raise VaultError("V04", "master key", "cannot be read", _DOCTOR) from error


def _vault(home: Home, least_free: int) -> None:
    """The vault can be written, and there is room for a tape."""
    try:
        if not os.access(home.vault.folder / "tapes", os.R_OK | os.W_OK | os.X_OK):
            raise VaultError("V08", "vault", "cannot be written", _DOCTOR)
        free = shutil.disk_usage(home.vault.folder).free
    except OSError as error:
        raise VaultError("V08", "vault", "cannot be read", _DOCTOR) from error
    if free < least_free:
        raise VaultError("V20", "home", f"has {free >> 20} MiB free", "make room on its disk")
