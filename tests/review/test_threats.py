"""The threat model and the ASVS table name tests that exist, people of every kind, and each requirement once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "pipeline" / "tapes" / "README.md"
ASVS = ROOT / "tests" / "review" / "ASVS.md"

PEOPLE = (
    *("Stranger", "Member of another group", "Coder", "Coordinator", "Coach", "Administrator"),
    *("Thief of the disk, machine off", "Thief of the machine, running", "Thief of a backup"),
    *("Thief of a browser's disk", "Operator of the proxy", "Operator of the machine (root)"),
)

# How many requirements each section of ASVS 5.0.0 has up to level 2; up to level 3 in the chapters 5, 8 and 16.
LAST = """
    1.1:2 1.2:9 1.3:11 1.4:3 1.5:2
    2.1:3 2.2:3 2.3:4 2.4:1
    3.2:2 3.3:4 3.4:6 3.5:5 3.7:2
    4.1:3 4.2:1 4.3:2 4.4:4
    5.1:1 5.2:6 5.3:3 5.4:3
    6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4
    7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2
    8.1:4 8.2:4 8.3:3 8.4:2
    9.1:3 9.2:4
    10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3
    11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1
    12.1:3 12.2:2 12.3:4
    13.1:1 13.2:5 13.3:2 13.4:5
    14.1:2 14.2:4 14.3:3
    15.1:3 15.2:3 15.3:7
    16.1:1 16.2:5 16.3:4 16.4:3 16.5:4
    17.1:1 17.2:4 17.3:2
"""
NUMBERS = [
    f"V{section}.{number + 1}"
    for section, last in (each.split(":") for each in LAST.split())
    for number in range(int(last))
]
STATUSES = {"met", "not met", "does not apply"}

_NAMED = re.compile(r"`([^`]+)`")
_TEST = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")
_FILE = re.compile(r"(?:pipeline|tests|configs|models)/[\w./-]+")


@dataclass(frozen=True)
class Row:
    """Some requirements with one answer."""

    numbers: tuple[str, ...]
    words: str
    status: str
    how: str


def rows() -> list[Row]:
    """The rows of the table that begin with a requirement's number, however that is written."""
    cells = [line.strip().strip("|").split("|") for line in ASVS.read_text("utf-8").splitlines() if line[:1] == "|"]
    split = [[cell.strip() for cell in row] for row in cells if re.match(r"\s*V\s*\d", row[0])]
    assert {len(row) for row in split} == {4}, "a row has a number, words, a status and how"
    return [Row(tuple(numbers.split(", ")), words, status, how) for numbers, words, status, how in split]


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of a test file's functions, also of those in classes."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def wrong(text: str) -> list[str]:
    """What a text names in backquotes as a test or a file, and is none."""
    return [named for named in _NAMED.findall(text) if not _is_there(named)]


def _is_there(named: str) -> bool:
    if "test_" in named:
        match = _TEST.fullmatch(named)
        if match is None:
            return _FILE.fullmatch(named) is not None and (ROOT / named).exists()
        return (ROOT / match[1]).is_file() and match[2] in functions(ROOT / match[1])
    return _FILE.fullmatch(named) is None or (ROOT / named).exists()


@pytest.mark.parametrize("page", [MODEL, ASVS], ids=["threats", "asvs"])
def test_every_test_and_file_that_is_named_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    assert wrong(text) == []
    assert len(_TEST.findall(text)) >= 30


@pytest.mark.parametrize(
    "named",
    [
        "tests/review/test_threats.py::test_that_nobody_wrote",
        "tests/review/test_nowhere.py::test_every_requirement_stands_once",
        "test_every_requirement_stands_once",
        "test_threats.py::test_every_requirement_stands_once",
        "tests/review/test_nowhere.py",
        "pipeline/nowhere.py",
    ],
)
def test_the_test_above_notices_what_is_not_there(named: str) -> None:
    assert wrong(f"shown by `{named}`") == [named]
    assert wrong("`tests/review/test_threats.py::test_every_requirement_stands_once`, `pipeline/errors.py`") == []


def test_the_threat_model_names_everybody_with_what_shows_it() -> None:
    cells = [line.strip("|").split("|") for line in MODEL.read_text("utf-8").splitlines() if line[:4] == "| **"]
    told = {row[0].split("**")[1]: row for row in cells}
    assert tuple(told) == PEOPLE
    assert [who for who, row in told.items() if len(row) != 4 or not all(cell.strip() for cell in row)] == []
    assert [who for who, row in told.items() if not _TEST.search(row[3])] == []


def test_every_requirement_stands_once() -> None:
    named = [number for row in rows() for number in row.numbers]
    assert [number for number in named if not re.fullmatch(r"V\d{1,2}\.\d{1,2}\.\d{1,2}", number)] == []
    assert [number for number, times in Counter(named).items() if times > 1] == []
    assert named == NUMBERS  # none left out, none of another level, in their order
    assert len(named) == 264  # 253 of levels 1 and 2, and 11 of level 3 in V5, V8 and V16


def test_every_row_has_a_status_few_words_and_a_reason() -> None:
    assert {row.status for row in rows()} == STATUSES
    assert [row.numbers for row in rows() if not 1 <= len(row.words.split()) <= 10] == []
    assert [row.numbers for row in rows() if not row.how] == []


def test_what_is_met_is_shown_by_a_test_or_stands_in_the_code() -> None:
    shown = re.compile(r"`(?:tests/[\w/]+\.py::test_\w+|(?:pipeline|configs|models)/[\w./-]+)`")
    assert [row.numbers for row in rows() if row.status == "met" and not shown.search(row.how)] == []


def test_what_is_not_met_stands_first_and_whole() -> None:
    head = ASVS.read_text("utf-8").partition("## V1 ")[0]
    listed = [number for line in re.findall(r"^- (V[^:]+):", head, flags=re.MULTILINE) for number in line.split(", ")]
    assert listed == [number for row in rows() if row.status == "not met" for number in row.numbers]


def test_the_readme_links_the_threat_model() -> None:
    assert "(pipeline/tapes/README.md)" in (ROOT / "README.md").read_text("utf-8")
    assert "(#who-could-harm-a-client-and-what-stops-them)" in MODEL.read_text("utf-8")
