"""CACTI codebooks: the ``userConfiguration.xml`` with the codes, buttons and global ratings of CACTI.

The CASAA Application for Coding Treatment Interactions is free software (Glynn, Hallgren, Houck and Moyers, PLoS ONE
2012, 7(7), e39740). Its second edition reads::

    <userConfiguration>
      <codes><code name="CQ0" value="11"/> ... </codes>            several blocks are fine
      <globals><global name="EMPATHY" label="Empathy" value="0" minRating="1" maxRating="5"/> ... </globals>
      <codeControls panel="left" label="Therapist"><row><button code="CQ0"/> ... </row></codeControls>
      <codeControls panel="right" label="Client"> ... </codeControls>
    </userConfiguration>

A code is in use where a button carries it, and belongs to the speaker whom the panel's label begins with; further
panels, of a parent for example, stand on the client's side. What CACTI
does not know, a codebook of ours needs: letters are CACTI's names, keys are given out anew, families and pre-tags
follow the names of MISC and MITI (a code of neither is a family of its own), every utterance counts. Written, a
codebook loses its version, label, letters, keys, families, pre-tags and counting: CACTI has no place for them.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import get_args
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pipeline.coding.codebook import Code, Codebook, CodedRole
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.speaker_roles import role_of
from pipeline.measures.session import miti

_PLAIN_KEYS = string.ascii_lowercase + string.digits + string.ascii_uppercase + "+-.,;:=*/%&!?#<>()[]{}@$^_~"
_KEYS = _PLAIN_KEYS + "".join(letter for number in range(0xC0, 0x180) if (letter := chr(number)).isalpha())
"""Keys in the order in which they are given out; the accented letters at the end are for books of over 90 codes, whose
rarest codes are clicked, or typed where the keyboard has the letter."""
_FIRST_VALUE = 11
"""CACTI stores a code as a number; the published books begin with this one."""

_BUTTONS_A_ROW = 4
"""They fit side by side in CACTI's window; chosen here."""

# Names in MISC 2.5 and MITI 4.2; a trailing valence (+, -, 0, +/-) does not change what a code of the interviewer is.
_INTERVIEWER: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"OQ", "question", ("question_open",)),
    (r"CQ", "question", ("question_closed",)),
    (r"Q", "question", ("question_open", "question_closed")),
    (r"SR", "reflection", ("reflection_simple",)),
    (r"CR", "reflection", ("reflection_complex",)),
    (r"R", "reflection", ("reflection_simple", "reflection_complex")),
    (r"GI", "information", ("information",)),
    (r"AF", "affirmation", ()),
    (r"ADP|EC|RCP|SU|SEEK|EMPHASIZE", "mi_adherent", ()),
    (r"ADW|CO|CONFRONT|DI|RCW|WA|PERSUADE", "mi_non_adherent", ()),
    (r"FI|FA|ST|NC|OTHER", "other", ("other",)),
)
_CLIENT: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (r"(?:C|R|D|A|N|TS|O|REM)\+(?:_.*)?|CT|CHANGE TALK", "client_talk", ("change",)),
    (r"(?:C|R|D|A|N|TS|O|REM)-(?:_.*)?|ST|SUSTAIN TALK", "client_talk", ("sustain",)),
    (r"FN|NC|NEUTRAL|ASK", "client_talk", ("neutral",)),
)


@dataclass(frozen=True)
class Rating:
    """A global rating that CACTI asks for at the end; bounds and default where the file gives them."""

    name: str
    label: str
    low: int | None
    high: int | None
    default: int | None


@dataclass(frozen=True)
class Configuration:
    """All that a userConfiguration.xml holds."""

    codebook: Codebook
    ratings: tuple[Rating, ...]


def read(source: Source) -> Configuration:
    """The codebook, called as the file is, and the global ratings.

    Raises
    ------
    FormatError: F02 to F04 as `Source.xml`, F03 no codes, F07 a code without a number, a button without a code, a panel
        of neither speaker, or more codes than there are keys.
    """
    root = source.xml("userConfiguration")
    known = {_attribute(source, code, "name"): _number(source, code, "value") for code in _all(root, "code")}
    used: dict[str, CodedRole] = {}
    for panel in root.iter("codeControls"):
        role = _role(source, panel)
        for button in _all(panel, "button"):
            name = _attribute(source, button, "code")
            if name not in known:
                source.refuse("F07", f"has a button for {name[:40]!r}, which is not one of its codes", "add the code")
            if "|" in name or not name.isprintable():
                source.refuse("F07", f"has the code {name[:40]!r}", "leave out '|' and control characters")
            if name in used:
                source.refuse("F07", f"has two buttons for {name[:40]!r}", "keep one")
            used[name] = role
    if not used:
        source.refuse("F03", "has no buttons with codes", "give the userConfiguration.xml that CACTI uses")
    if len(used) > len(_KEYS):
        source.refuse("F07", f"has {len(used)} codes, more than {len(_KEYS)}", "remove those that nobody uses")
    name = source.stem
    ratings = tuple(_rating(source, rating) for rating in _all(root, "global"))
    book = Codebook(name, "1.0", f"{name}, from CACTI", "utterance", _codes(used), _globals(ratings))
    return Configuration(book, ratings)


def write(configuration: Configuration) -> bytes:
    """A userConfiguration.xml with a panel for each speaker; values count from 11, as CACTI's own do.

    Raises
    ------
    FormatError: F08 a name holds control characters.
    """
    root = Element("userConfiguration")
    codes = configuration.codebook.codes
    block = SubElement(root, "codes")
    for value, code in enumerate(codes, _FIRST_VALUE):
        SubElement(block, "code", name=printable(code.name, "a code's name"), value=str(value))
    for side, label, role in (("left", "Therapist", "interviewer"), ("right", "Client", "client")):
        panel = SubElement(root, "codeControls", panel=side, label=label)
        names = [code.name for code in codes if code.role == role]
        for first in range(0, len(names), _BUTTONS_A_ROW):
            row = SubElement(panel, "row")
            for name in names[first : first + _BUTTONS_A_ROW]:
                SubElement(row, "button", code=name)
    block = SubElement(root, "globals")
    for value, rating in enumerate(configuration.ratings):
        bounds = {"minRating": rating.low, "maxRating": rating.high, "defaultRating": rating.default}
        given = {key: str(bound) for key, bound in bounds.items() if bound is not None}
        text = {"name": rating.name, "label": rating.label}
        SubElement(block, "global", {key: printable(part, "a rating") for key, part in text.items()}, value=str(value))
        block[-1].attrib.update(given)
    for number, rating in enumerate(configuration.ratings):
        panel = SubElement(root, "globalControls", panel="left" if number % 2 == 0 else "right")
        SubElement(panel, "slider", {"global": rating.name})
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _all(root: Element, name: str) -> list[Element]:
    """CACTI takes these names in any case."""
    return [element for element in root.iter() if element.tag.lower() == name]


def _attribute(source: Source, element: Element, name: str) -> str:
    value = element.get(name, "").strip()
    if not value:
        source.refuse("F07", f"has a <{element.tag}> without {name}", "add it")
    return value


def _number(source: Source, element: Element, name: str) -> int:
    value = _attribute(source, element, name)
    if not re.fullmatch(r"-?\d{1,9}", value):
        source.refuse("F07", f"has the {name} {value[:20]!r}", "write a whole number")
    return int(value)


def _role(source: Source, panel: Element) -> CodedRole:
    """Whose panel it is: the interviewer's, or the side of the client, where a parent or a partner may sit, too."""
    label = _attribute(source, panel, "label")
    role = role_of(re.split(r"[\s:]", label, maxsplit=1)[0]) or role_of(label)
    if role is None:
        source.refuse("F07", f"has a panel for {label[:40]!r}", "start its label with Therapist or Client")
    return "interviewer" if role == "interviewer" else "client"


def _rating(source: Source, element: Element) -> Rating:
    low, high, default = (
        None if element.get(name) is None else _number(source, element, name)
        for name in ("minRating", "maxRating", "defaultRating")
    )
    if low is not None and high is not None and high < low:
        source.refuse("F07", f"has a rating from {low} to {high}", "put the lower bound first")
    name = _attribute(source, element, "name")
    return Rating(name, element.get("label", "").strip() or name, low, high, default)


def _globals(ratings: tuple[Rating, ...]) -> tuple[str, ...]:
    """Those of MITI 4.2's ratings that the file has, told by name or label, on MITI's scale."""
    scale = {(low, high) for low in (None, miti.LOWEST) for high in (None, miti.HIGHEST)}
    names = {
        "_".join(re.findall("[a-z]+", text.lower()))
        for rating in ratings
        if (rating.low, rating.high) in scale
        for text in (rating.name, rating.label)
    }
    return tuple(name for name in miti.GLOBAL_RATINGS if name in names)


def _codes(used: dict[str, CodedRole]) -> tuple[Code, ...]:
    free = dict.fromkeys(_KEYS)
    codes_read = []
    for name, role in used.items():
        family, pretags = meaning(name, role)
        wanted = next((letter for letter in name.lower() if letter in free), next(iter(free)))
        del free[wanted]
        codes_read.append(Code(name, name, name, wanted, role, family, pretags))
    return tuple(codes_read)


def speaker_of(name: str) -> CodedRole | None:
    """Whose code it is by its name in MISC and MITI; None where both have one of that name, or neither."""
    known = [role for role in get_args(CodedRole) if meaning(name, role) != (name, ())]
    return known[0] if len(known) == 1 else None


def meaning(name: str, role: CodedRole) -> tuple[str, tuple[str, ...]]:
    """Family and pre-tags of a code as MISC and MITI name it; a name of neither is a family of its own."""
    known = name.upper()
    if role == "interviewer":
        known = re.sub(r"(?:\+/-|[+\-0])(?:_.*)?$", "", known)
    for pattern, family, pretags in _INTERVIEWER if role == "interviewer" else _CLIENT:
        if re.fullmatch(pattern, known):
            return family, pretags
    return name, ()
