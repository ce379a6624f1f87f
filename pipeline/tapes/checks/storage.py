"""Are the tapes kept safe: keys, files, what is due, what was destroyed, backups? Nothing is changed or asked."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select

from pipeline.errors import TapeReviewError
from pipeline.tapes import audit_anchors
from pipeline.tapes.backup import backup
from pipeline.tapes.checks.installation import NAMED, Finding
from pipeline.tapes.clock import DAY, day_of
from pipeline.tapes.db.records import AuditRow, Certificate, Item, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.intake import submission
from pipeline.tapes.retention import certificates, destruction, retention, tombstones
from pipeline.tapes.vault import disks
from pipeline.tapes.vault.vault import HOME

_BACKUP_SHARE = 3
"""A backup's records as a multiple of the database: as JSON they are larger by half, and they lie there twice, the
second time encrypted."""

BACKUP_DAYS = 7
"""A home whose last backup is older is told of."""


def check(home: Home, now: int) -> list[Finding]:
    """Every check of the home; one that cannot be made is a finding too."""
    looks = (_modes, _keys, _audit, _files, _order, _tapes, _due, _dead, _certificates, _private, _backups)
    return [finding for look in looks for finding in _findings_of(look, home, now)]


def _findings_of(look: Callable[[Home, int], Iterator[Finding]], home: Home, now: int) -> list[Finding]:
    try:
        return list(look(home, now))
    except TapeReviewError as error:
        return [Finding(look.__name__.strip("_"), False, f"{error.code} {error.thing} {error.value}", error.remedy)]


def _modes(home: Home, _: int) -> Iterator[Finding]:
    """Nothing of the home is open to others."""
    roots = [home.folder, *([home.tape_keys.parent] if home.tape_keys else [])]
    paths = [path for root in roots for path in (root, *root.rglob("*"))]
    wide = [path for path in paths if _mode(path) & (stat.S_IRWXG | stat.S_IRWXO)]
    yield Finding.of("closed to others", wide, f"chmod -R go= {' '.join(map(str, roots))}")


def _mode(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:  # just now
        return 0
    return 0 if stat.S_ISLNK(status.st_mode) else status.st_mode


def _keys(home: Home, _: int) -> Iterator[Finding]:
    kind = home.master.kind()
    if kind != "passphrase":
        home.vault.unseal(HOME, home.vault.seal(HOME, b"", "check"), "check")
    yield Finding("master key", True, {"passphrase": "locked by a passphrase"}.get(kind, f"opens the vault ({kind})"))
    yield Finding("keys that were destroyed", True, disks.of_overwritten(home.vault.tape_keys.folder))


def _audit(home: Home, _: int) -> Iterator[Finding]:
    heads = list(audit_anchors.within_reach(home))
    with home.database.reading() as session:
        faults = home.audit.verify(session, heads)
    rows = [f"row {fault.seq}: {fault.what}" for fault in faults]
    yield Finding.of(
        "audit", rows, "find out who changed the database; restore the last backup, or run `tape-review audit accept`"
    )


def _files(home: Home, _: int) -> Iterator[Finding]:
    """Every record has its file, whole as far as its end tells; every file has its record."""
    with home.database.reading() as session:
        alive = select(Tape.id).where(Tape.state != "destroyed")
        items = list(session.scalars(select(Item).where(Item.tape_id.in_(alive))))
    wrong, locked = [], home.master.kind() == "passphrase"
    known: dict[str, set[str]] = {}
    for item in items:
        known.setdefault(item.tape_id, set()).add(item.id)
        path = home.vault.folder / "tapes" / item.tape_id / item.id
        if locked:
            wrong += [] if path.exists() else [f"file {item.id} is missing"]
            continue
        try:
            home.vault.open(item).close()
        except TapeReviewError as error:
            wrong.append(f"{error.thing} {error.value}")
    yield Finding.of(f"{len(items)} files", wrong, "restore the last backup")
    strays = [path.name for tape_id, ids in known.items() for path in home.vault.files(tape_id) if path.name not in ids]
    yield Finding.of("files without a record", strays, "start a worker: it removes what it does not need")


def _order(home: Home, _: int) -> Iterator[Finding]:
    left = [path.name for path in home.vault.leftovers()]
    yield Finding.of("what killed processes left", left, "start a worker: it sweeps")
    yield Finding.of("half-imported tapes", submission.half_imported(home), "start a worker: it sweeps")


def _tapes(home: Home, _: int) -> Iterator[Finding]:
    with home.database.reading() as session:
        alive = list(session.scalars(select(Tape.id).where(Tape.state != "destroyed").order_by(Tape.id)))
    keyless = [tape_id for tape_id in alive if not home.vault.has_key(tape_id)]
    yield Finding.of(f"keys of {len(alive)} tapes", keyless, "restore the last backup, or destroy them")


def _due(home: Home, now: int) -> Iterator[Finding]:
    remedy = "run `tape-review destroy --due`, and keep a worker running"
    with home.database.reading() as session:
        late = [due.tape_id for due in retention.overdue(session, now)]
        begun = list(session.scalars(select(Certificate.tape_id).where(Certificate.signature == b"")))
        soon = retention.warnings(session, now)
    yield Finding.of("tapes past their time", late, remedy)
    yield Finding.of("destructions that did not end", begun, remedy)
    words = ", ".join(f"{due.tape_id} by {day_of(due.destroy_by)}" for due in soon[:NAMED])
    yield Finding("destroyed within 14 days", True, words + (" and more" if len(soon) > NAMED else "") or "none")


def _dead(home: Home, _: int) -> Iterator[Finding]:
    stones = tombstones.read([home.folder / tombstones.NAME])
    walking = [tape_id for tape_id in stones if destruction.survivors(home, tape_id)]
    yield Finding.of("the dead are dead", walking, "run `tape-review destroy --due`")


def _certificates(home: Home, _: int) -> Iterator[Finding]:
    wrong, public = [], home.folder / "certificate-key.pub"
    with home.database.reading() as session:
        signed = list(session.scalars(select(Certificate.tape_id).where(Certificate.signature != b"")))
    for tape_id in signed:
        try:
            certificates.read(home.folder / "certificates" / f"{tape_id}.json", public)
        except TapeReviewError as error:
            wrong.append(f"{error.thing} {error.value}")
    yield Finding.of(f"{len(signed)} certificates", wrong, "restore the folder `certificates` from a backup")


def _private(home: Home, _: int) -> Iterator[Finding]:
    """Plaintext stays in memory; a disk, swap included, is worth telling of but may be encrypted as a whole."""
    swaps = Path("/proc/swaps")
    swapped = swaps.exists() and len(swaps.read_text(encoding="utf-8").splitlines()) > 1
    where = "in memory" if home.vault.scratch.in_memory() else "on the disk: encrypt that"
    whereabouts = f"lies in files without a name, {where}"
    yield Finding(
        "plaintext while it is worked on", True, whereabouts + ("; there is swap: encrypt it" if swapped else "")
    )
    if shortage := memory_shortage(home):
        yield Finding("memory for a backup", False, *shortage.split(": ", 1))
    left = [str(path) for path in home.vault.scratch.leftovers()]
    yield Finding.of("plaintext that an earlier version left", left, "end the program of then, and start a new one")


def memory_shortage(home: Home) -> str:
    """A sentence where a backup would find no room for its records in memory, with the remedy; else "".

    Raises
    ------
    TapesError: K03, K04 the database.
    """
    return home.vault.scratch.shortage(_BACKUP_SHARE * home.database.size())


def _backups(home: Home, now: int) -> Iterator[Finding]:
    with home.database.reading() as session:
        last = session.scalar(select(func.max(AuditRow.at)).where(AuditRow.action == "backup"))
        any_tape = session.scalar(select(func.count()).select_from(Tape))
    recent = last is not None and last > now - BACKUP_DAYS * DAY
    latest = "none was ever made" if last is None else f"the last is of {day_of(last)}"
    fine = recent or not any_tape
    yield Finding("backup", fine, latest, "" if fine else "run `tape-review backup`")
    lost = [str(path) for path in backup.lost(home)]
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    hint = "certificates count them; take the line of one that you removed for good out of backups.txt"
    words = f"cannot be reached: {', '.join(lost[:NAMED])}{more} ({hint})" if lost else "all can be reached"
    words += "; copies of backups are not listed, and still open what was destroyed later"
    yield Finding("places of backups", True, words)
