"""Heads of the audit that lie elsewhere: in certificates of destruction and in backups.

Whoever can change the database and the home can set the audit back to an earlier state with all that signs it. What has
left the home remembers: each certificate and each backup names the last row of its time.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.errors import TapesError
from pipeline.tapes.audit_log import LogHead
from pipeline.tapes.backup import backup
from pipeline.tapes.home import Home

_LONGEST = 1 << 22  # bytes that are read of a certificate, as in `certificates`


def within_reach(home: Home) -> Iterator[tuple[str, LogHead]]:
    """The heads in the home's certificates, and in the backups that can be read from here."""
    for path in (*sorted((home.folder / "certificates").glob("*.json")), *backup.noted(home)):
        with suppress(OSError):
            if head := _read(path):
                yield path.name, head


def of(path: Path) -> tuple[str, LogHead]:
    """The head in a certificate or backup that was kept elsewhere.

    Raises
    ------
    TapesError: K10 the file cannot be read, or names none.
    """
    try:
        head = _read(path)
    except OSError as error:
        raise TapesError("K10", f"file {path}", f"cannot be read ({error.strerror})", "name another") from error
    if head is None:
        remedy = "give a certificate of destruction or a backup that this version made"
        raise TapesError("K10", f"file {path}", "names no row of the audit", remedy)
    return path.name, head


def _read(path: Path) -> LogHead | None:
    try:
        if tarfile.is_tarfile(path):
            with tarfile.open(path, "r:") as archive:
                file = archive.extractfile(backup.HEADER)
                return LogHead.of(json.loads(file.read(_LONGEST)).get("audit")) if file else None
        with path.open("rb") as plain:
            return LogHead.of(json.loads(plain.read(_LONGEST))["certificate"].get("audit"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, tarfile.TarError):
        return None
