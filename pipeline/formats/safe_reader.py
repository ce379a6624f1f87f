"""Files of other programs, read within limits: a file's bytes as text, XML, JSON or an archive.

Whatever is asked of a `Source` comes back whole or as a `FormatError`. Nothing is unpacked to disk, nothing that a file
names is opened, and size, depth and number are checked before or while they are read: twenty minutes of talk take less
than a megabyte in any format, so that what needs more is not a tape.
"""

from __future__ import annotations

import codecs
import io
import json
import math
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from pipeline.errors import FormatError

LIMIT = 16 * 1024 * 1024
"""Bytes that a file, or all that an archive unpacks to, may have."""

ELEMENTS = 100_000
"""Elements of an XML file: an hour of talk has some 10,000 words."""

DEPTH = 40
"""Levels of elements within one another; chosen here, well below what Python's recursion bears."""

MEMBERS = 1000
"""Files of an archive; an office document has some dozen, and one for each picture."""

RATIO = 1000
"""How many times its size a member of an archive may unpack to."""

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
LONGEST_MS = 1_000_000_000  # milliseconds
DAMAGED = "the file is damaged: export it again from the program that made it, or use another copy"
"""The remedy for damage alone: what a program writes by design, another export does not mend."""


@dataclass(frozen=True)
class Source:
    """A file's name, as messages and tapes are called by, and its bytes.

    ``tiers`` says of some of its tiers what they hold (`pipeline.formats.tier_kinds.KINDS`), where the user does.
    """

    name: str
    data: bytes
    tiers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, tiers: Mapping[str, str] | None = None) -> Source:
        """Read a file.

        Raises
        ------
        FormatError: F01 it cannot be read or is no regular file, F02 it is larger than the limit.
        """
        thing = f"file {path.name}"
        try:
            # A named pipe would block whoever opens it.
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise FormatError("F01", thing, "is not a regular file", "name a file")
                data = file.read(LIMIT + 1)
        except OSError as error:
            raise FormatError("F01", thing, f"cannot be read ({error.strerror})", "name a file that exists") from error
        return cls(path.name, data, dict(tiers or {})).checked()

    @property
    def stem(self) -> str:
        """The name without folder and ending."""
        return PurePosixPath(self.name).stem

    def checked(self) -> Source:
        """The same, where its size is within the limit.

        Raises
        ------
        FormatError: F02 it is larger.
        """
        if len(self.data) > LIMIT:
            self.refuse("F02", f"is larger than {LIMIT >> 20} MB", "export a single tape")
        return self

    def refuse(self, code: str, value: str, remedy: str, where: str = "") -> NoReturn:
        """Raise a FormatError about this file, or about a part of it such as ``"line 3 of"``."""
        raise FormatError(code, f"{where} {self.name}" if where else f"file {self.name}", value, remedy)

    def milliseconds(self, value: str | float, *, per: int = 1, where: str = "") -> int:
        """A time of this file in milliseconds, of which its unit has ``per``.

        Raises
        ------
        FormatError: F07 it is no number, negative, or longer than a tape can be.
        """
        try:
            time = float(value) * per
        except (TypeError, ValueError, OverflowError):
            time = math.nan
        if not 0 <= time < LONGEST_MS:
            self.refuse("F07", f"holds {str(value)[:40]!r} for a time", "write times from 0 up", where)
        return round(time)

    def text(self) -> str:
        """The bytes as UTF-8, or as what their byte order mark says.

        Raises
        ------
        FormatError: F06 they are something else, or hold NUL characters.
        """
        encoding = next((name for mark, name in _BOMS if self.data.startswith(mark)), "utf-8")
        try:
            text = self.data.decode(encoding)
        except UnicodeDecodeError:
            self.refuse("F06", "is not text in UTF-8", "open it in an editor and save it as UTF-8")
        if "\0" in text:
            self.refuse("F06", "holds NUL characters, which text cannot have", "save it as text in UTF-8")
        return text

    def in_utf8(self) -> tuple[Source, tuple[str, ...]]:
        """The same text in UTF-8 where it is neither that nor in UTF-16 with its mark, and a sentence on that guess.

        Such a text is taken for Windows-1252, unless it holds what that has not.
        """
        try:
            self.text()
        except FormatError:
            binary = re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x81\x8d\x8f\x90\x9d]", self.data)
            if binary or self.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return self, ()
            note = f"{self.name} is not UTF-8 and was read as Windows-1252. Check the accented letters."
            return replace(self, data=self.data.decode("cp1252").encode()), (note,)
        return self, ()

    def xml(self, root: str) -> Element:
        """The root element, names without their namespaces.

        Raises
        ------
        FormatError: F02 more or deeper than the limit, F03 not XML or another root, F04 a document type or an entity.
        """
        tree = _Xml(self).parsed()
        if tree.tag != root:
            self.refuse("F03", f"holds <{tree.tag[:40]}>, not <{root}>", "check that it has the format that you named")
        return tree

    def refuse_entities(self) -> None:
        """Let XML pass that another reader may parse: within the limits, and with nothing to expand.

        Raises
        ------
        FormatError: F02, F03 and F04 as `xml`.
        """
        _Xml(self).parsed()

    def json(self) -> Any:
        """Return the value of the JSON; NaN and infinities are refused.

        Raises
        ------
        FormatError: F02 nested deeper than the limit, F03 not JSON, F06 not text.
        """
        try:
            return json.loads(self.text(), parse_constant=_no_number)
        except RecursionError:
            self.refuse("F02", "is nested too deeplyly", "export a single tape")
        except ValueError as error:
            self.refuse("F03", f"is not JSON ({error})", DAMAGED)

    def members(self) -> dict[str, Source]:
        """The files of a ZIP archive by their path, unpacked in memory.

        Raises
        ------
        FormatError: F03 not a ZIP archive, or damaged; F02 too many members; F05 a path that leads out of the archive,
            a link, an encrypted member, or more bytes than the limit, declared or not.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
                if len(infos) > MEMBERS:
                    self.refuse("F02", f"holds more than {MEMBERS} files", "export a single tape")
                self._check(infos)
                # However much there is behind a header, no more is unpacked than it says.
                return {info.filename: Source(info.filename, archive.read(info)) for info in infos}
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError) as error:
            self.refuse("F03", f"is not a valid ZIP archive ({error})", DAMAGED)

    def office_members(self, part: str, kind: str, remedy: str) -> dict[str, Source]:
        """The members of an Office document, whose main ``part`` is "word/document.xml" or the like.

        Raises
        ------
        FormatError: F02 to F05 as `members`; F03 it has no such part; F04 its XML declares entities.
        """
        members = self.members()
        if part not in members:
            self.refuse("F03", f"is not {kind}", remedy)
        for name, member in members.items():
            if name.endswith((".xml", ".rels")):
                member.refuse_entities()
        return members

    def _check(self, infos: list[zipfile.ZipInfo]) -> None:
        names = [info.filename for info in infos]
        if len(set(names)) < len(names):
            self.refuse("F05", "has two files with the same name", "remove one of them from the archive")
        for info in infos:
            parts = PurePosixPath(info.filename.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0]:
                self.refuse(
                    "F05",
                    f"holds the path {info.filename[:60]!r}, which leads out of the archive",
                    "remove it from the archive",
                )
            if stat.S_ISLNK(info.external_attr >> 16) or info.flag_bits & 1:
                value = f"holds a link or an encrypted file, {info.filename[:60]!r}"
                self.refuse("F05", value, "create the archive without a password and without links")
            if info.file_size > RATIO * max(1, info.compress_size):
                value = f"holds {info.filename[:60]!r}, which unpacks to over {RATIO} times its size"
                self.refuse("F05", value, "remove it from the archive")
        if sum(info.file_size for info in infos) > LIMIT:
            self.refuse("F05", f"unpacks to more than {LIMIT >> 20} MB", "export a single tape")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


class _Xml:
    """One parse: expat builds the tree, and stops at a document type, an entity, too many or too deep elements."""

    def __init__(self, source: Source) -> None:
        self.source, self.builder = source, TreeBuilder()
        self.depth = self.number = 0
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.builder.data
        self.parser.StartDoctypeDeclHandler = self._refused
        self.parser.EntityDeclHandler = self._refused

    def parsed(self) -> Element:
        try:
            self.parser.Parse(self.source.data, True)
            return self.builder.close()
        except (expat.ExpatError, ValueError, LookupError) as error:
            self.source.refuse("F03", f"is not valid XML ({error})", DAMAGED)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.number += 1
        if self.depth > DEPTH or self.number > ELEMENTS:
            value = f"has over {ELEMENTS} elements, or more than {DEPTH} nested levels"
            self.source.refuse("F02", value, "export a single tape")
        self.builder.start(_bare(name), {_bare(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(_bare(name))

    def _refused(self, *_: object) -> None:
        self.source.refuse("F04", "declares a document type or entities", "save it without a DOCTYPE")


def _bare(name: str) -> str:
    return name.rpartition("}")[2]
