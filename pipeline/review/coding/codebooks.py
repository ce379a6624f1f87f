"""Codebooks that a pass can use: those that come with the project, and those that the tape's group added."""

from __future__ import annotations

from functools import cache, lru_cache

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from pipeline.coding.codebook import Code, Codebook
from pipeline.formats import cacti_codebook, codebook_files
from pipeline.formats.safe_reader import Source
from pipeline.report.transcript_view import Tag, Tags
from pipeline.review.authorization import Admitted, is_of_group
from pipeline.tapes import group_codebooks
from pipeline.tapes.db.records import Pass
from pipeline.tapes.home import Home

CACTI_FILE_NAME = "userConfiguration.xml"
"""The name that CACTI gives its codebook; the uploaded file's own name is dropped, as it may identify the client."""


def codebook_labels(admitted: Admitted) -> dict[str, str]:
    """Return name -> label of every codebook that can be chosen for a tape."""
    shipped = {name: _read(name).label for name in _shipped()}
    return shipped | group_codebook_labels(admitted)


def group_codebook_labels(admitted: Admitted) -> dict[str, str]:
    """Return name -> label of the group's own codebooks; for people outside it, of those that this tape uses."""
    labels = group_codebooks.labels(admitted.session, admitted.home.vault, admitted.tape.group_id)
    if is_of_group(admitted):
        return labels
    used = {admitted.tape.codebook, *admitted.session.scalars(_codebooks_of_passes(admitted.tape.id))}
    return {name: label for name, label in labels.items() if name in used}


def for_new_pass(admitted: Admitted, name: str) -> Codebook:
    """Return a codebook for a new pass.

    Raises
    ------
    CodingError: C03 there is none of that name, or the group took it out.
    """
    return read(admitted, name if name in codebook_labels(admitted) else "")


def read(admitted: Admitted, name: str) -> Codebook:
    """Return a codebook of the tape's group by its name; also a removed one, for the passes that use it.

    Raises
    ------
    CodingError: C03 there is none of that name.
    """
    return read_for_group(admitted.session, admitted.home, admitted.tape.group_id, name)


def read_for_group(session: Session, home: Home, group_id: str, name: str) -> Codebook:
    """Return a codebook of a group by its name.

    Raises
    ------
    CodingError: C03 there is none of that name.
    """
    return _read(name) if name in _shipped() else group_codebooks.read(session, home.vault, group_id, name)


def _codebooks_of_passes(tape_id: str) -> Select[str]:
    return select(Pass.codebook).where(Pass.tape_id == tape_id).distinct()


_shipped = cache(codebook_files.shipped)
_read = lru_cache(8)(codebook_files.read)


def add_to_group(admitted: Admitted, label: str, content: bytes) -> str:
    """Store a codebook for the tape's group; return the name under which it can be chosen.

    Parameters
    ----------
    content: CACTI's ``userConfiguration.xml``, or a codebook in TOML, which may bring its own definitions.

    Raises
    ------
    FormatError: F02 to F07, it is XML, and not what CACTI writes.
    CodingError: C01, C02, it is no XML, and no codebook in TOML.
    """
    is_xml = content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_xml:
        book = cacti_codebook.read(Source(CACTI_FILE_NAME, content)).codebook
    else:
        book = codebook_files.read_bytes(content)
    session, vault, group_id = admitted.session, admitted.home.vault, admitted.tape.group_id
    return group_codebooks.add(
        session, vault, group_id, book, label or group_codebooks.LABEL, admitted.person.id, admitted.now
    )


def remove_from_group(admitted: Admitted, name: str) -> None:
    """Remove a codebook of the group; passes that use it keep it.

    Raises
    ------
    CodingError: C03 the group has none of that name.
    """
    group_codebooks.remove(admitted.session, admitted.tape.group_id, name, admitted.now)


def tag_of_code(code: Code, book: Codebook) -> Tag:
    """Return a code's shape and color, as in the report."""
    return Tags(book).of(code.name)
