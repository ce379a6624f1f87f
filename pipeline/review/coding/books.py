"""Codebooks that a pass can use: those that come with the project, and those that a group took in from CACTI."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from functools import cache, lru_cache

from pipeline.coding.codebook import Code, Codebook
from pipeline.errors import CodingError
from pipeline.formats import cacti_codebook, codebooks
from pipeline.formats.intake import Source
from pipeline.tapes.home import CODEBOOKS, Home
from pipeline.transcript import Tag, Tags

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")


def names(home: Home) -> dict[str, str]:
    """Every codebook's name and label."""
    known = [*codebooks.shipped(), *sorted(path.stem for path in (home.folder / CODEBOOKS).glob("*.toml"))]
    return {name: read(home, name).label for name in dict.fromkeys(known)}


def read(home: Home, name: str) -> Codebook:
    """A codebook by its name.

    Raises
    ------
    CodingError: C03 there is none of that name.
    """
    if name in _shipped():
        return _read(name)
    if not _NAME.fullmatch(name):
        raise CodingError("C03", f"codebook {name[:60]!r}", "does not exist", "choose one of the list")
    # Passes keep the name under which it can be chosen, which is unique; what its file calls it need not be.
    return replace(_read(str(home.folder / CODEBOOKS / f"{name}.toml")), name=name)


_shipped = cache(codebooks.shipped)
_read = lru_cache(64)(codebooks.read)  # a codebook never changes under its name: those taken in bear their own digest


def take_in(home: Home, filename: str, content: bytes) -> str:
    """Keep CACTI's ``userConfiguration.xml``; the name under which it can be chosen from now on.

    Raises
    ------
    FormatError: F02 to F07, it is not what CACTI writes.
    """
    book = cacti_codebook.read(Source(filename, content)).codebook
    text = codebooks.written(book)
    stem = re.sub(r"[^a-z0-9]+", "-", filename.rpartition(".")[0].lower()).strip("-")[:40] or "cacti"
    name = f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    folder = home.folder / CODEBOOKS
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return name


def tag(code: Code, book: Codebook) -> Tag:
    """How a code looks: the shape and color of the report."""
    return Tags(book).of(code.name)
