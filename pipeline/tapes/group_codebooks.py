"""Codebooks that a group took in: its own, sealed, and gone when it takes them out and no pass needs them.

A codebook's label is what the group calls it. The name of the file that it came from may hold a client's, and is kept
nowhere; passes refer to a codebook by an id that tells nothing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Codebook, parse
from pipeline.errors import CodingError
from pipeline.formats import codebook_files
from pipeline.tapes.db.records import AuditRow, GroupCodebook, KeyChoice, Pass, Tape, new_id
from pipeline.tapes.vault.vault import HOME, Vault

FOLDER = "codebooks"
"""Where codebooks lay in the clear before they were sealed."""

TEXT = "codebooks.text"
"""Where a codebook's text lies, for the seal."""

LABEL = "Codebook from CACTI"
"""What a codebook is called of which only the name of its file was kept."""


def add(
    session: Session, vault: Vault, group_id: str, book: Codebook, label: str, person_id: str | None, now: int
) -> str:
    """Take a codebook in; its id, which is the name by which passes know it."""
    codebook_id = new_id()
    text = codebook_files.written(replace(book, name=codebook_id, label=label))
    sealed = vault.seal(HOME, text.encode(), TEXT)
    session.add(
        GroupCodebook(id=codebook_id, group_id=group_id, sealed_text=sealed, added_by_id=person_id, added_at=now)
    )
    session.flush()
    return codebook_id


def labels(session: Session, vault: Vault, group_id: str) -> dict[str, str]:
    """Id -> label of what a group can choose, the oldest first."""
    rows = session.scalars(
        select(GroupCodebook)
        .where(GroupCodebook.group_id == group_id, GroupCodebook.removed_at.is_(None))
        .order_by(GroupCodebook.added_at, GroupCodebook.id)
    )
    return {row.id: _opened(vault, row).label for row in rows}


def read(session: Session, vault: Vault, group_id: str, codebook_id: str) -> Codebook:
    """A codebook of a group, also one that was taken out and that a pass still needs.

    Raises
    ------
    CodingError: C03 the group has none of that name.
    """
    row = session.get(GroupCodebook, codebook_id)
    if row is None or row.group_id != group_id:
        raise CodingError("C03", f"codebook {codebook_id[:60]!r}", "does not exist", "choose one of the list")
    return _opened(vault, row)


def remove(session: Session, group_id: str, codebook_id: str, now: int) -> None:
    """Take a codebook out: nobody can choose it any more, and it goes as soon as no tape and no pass needs it.

    Raises
    ------
    CodingError: C03 the group has none of that name.
    """
    row = session.get(GroupCodebook, codebook_id)
    if row is None or row.group_id != group_id or row.removed_at is not None:
        raise CodingError("C03", f"codebook {codebook_id[:60]!r}", "does not exist", "choose one of the list")
    row.removed_at = now
    session.flush()
    sweep(session)


def sweep(session: Session) -> None:
    """Let go of what was taken out and nothing needs any more, and of the keys that people chose for it."""
    needed = select(Pass.codebook).union(select(Tape.codebook))
    gone = session.scalars(
        select(GroupCodebook.id).where(GroupCodebook.removed_at.is_not(None), GroupCodebook.id.not_in(needed))
    ).all()
    session.execute(delete(KeyChoice).where(KeyChoice.codebook.in_(gone)))
    session.execute(delete(GroupCodebook).where(GroupCodebook.id.in_(gone)))


def left(folder: Path) -> list[Path]:
    """Codebooks in the clear, from before they were sealed."""
    return sorted((folder / FOLDER).glob("*.toml"))


def adopt(session: Session, vault: Vault, files: list[Path], now: int) -> None:
    """Seal codebooks that lay in the clear, for the groups that took them in or code by them, under new names.

    What no group knows is left out. The caller removes the files once the session is committed.
    """
    for path in files:
        book = parse(path.read_text(encoding="utf-8"), path.name)
        groups = session.scalars(_groups(path.stem)).all()
        choices = session.scalars(select(KeyChoice).where(KeyChoice.codebook == path.stem)).all()
        for group_id in groups:
            codebook_id = add(session, vault, group_id, book, LABEL, None, now)
            tapes = select(Tape.id).where(Tape.group_id == group_id)
            session.execute(
                update(Pass).where(Pass.codebook == path.stem, Pass.tape_id.in_(tapes)).values(codebook=codebook_id)
            )
            session.execute(
                update(Tape).where(Tape.codebook == path.stem, Tape.group_id == group_id).values(codebook=codebook_id)
            )
            session.add_all(
                KeyChoice(person_id=choice.person_id, codebook=codebook_id, keys=choice.keys) for choice in choices
            )
        session.execute(delete(KeyChoice).where(KeyChoice.codebook == path.stem))


def _groups(name: str):  # type: ignore[no-untyped-def]
    coded = select(Tape.group_id).join(Pass, Pass.tape_id == Tape.id).where(Pass.codebook == name)
    chosen = select(Tape.group_id).where(Tape.codebook == name)
    added = select(Tape.group_id).join(AuditRow, AuditRow.tape_id == Tape.id)
    added = added.where(AuditRow.action == "codebook.add", AuditRow.thing == name)
    return coded.union(chosen, added)


def _opened(vault: Vault, row: GroupCodebook) -> Codebook:
    text = vault.unseal(HOME, row.sealed_text, TEXT).decode()
    return replace(_parsed(text), name=row.id)


@lru_cache(64)
def _parsed(text: str) -> Codebook:
    return parse(text, "codebook")
