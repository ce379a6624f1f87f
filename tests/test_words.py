"""The words that users read are plain American English: no phrase of the list below stands in a page or a message."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source_trees import nodes_of

PIPELINE = Path(__file__).parents[1] / "pipeline"

BANNED = {
    r"\b(?:once|twice|often|much|many|lines?|codes?|one|questions?|role|counts?|minutes?) an? "
    r"(?:utterance|volley|session|speaker|person|row|line)\b(?! of)": "per utterance, per volley, per session",
    r"\bthoughts?\b": "utterance",
    r"\b(?:machine|program|file|codebook|chart|server|room|page|transcript|decoder|diarizer|model)s? "
    r"(?:hears?|speaks?|tells?|knows?|says? nothing)\b": "finds, signals, shows, distinguishes, names",
    r"\bthe own\b": "their own",
    r"\banew\b": "again",
    r"\bnone the less\b": "anyway",
    r"\bother way round\b": "other way around",
    r"\bas it must be\b|\bwhat it must be\b": "valid, correct",
    r"\bnobody can tell\b|\bcannot be told without\b": "cannot be coded without",
    r"\b(?:is|are) to be had\b|\bcannot be had\b": "is available",
    r"\bbegin anew\b": "start over",
    r"\b(?:hand|handed|handing) (?:it |them |one of them )?in\b": "submit",
    r"\bseen from here\b|\bknown here\b": "this program cannot check that",
    r"\bFound (?:one|the first)\b": "create",
    r"\bpassed over\b": "skipped",
    r"\bNext thought\b": "Next utterance",
    r"\bThe way with this tape\b": "Next steps",
    r"\bCame in\b": "Submitted",
    r"\bDeal me\b": "Pick a task for me",
    r"\bshare it no more\b": "Stop sharing",
    r"\bclient withdraws the permission\b": "Has the client withdrawn permission?",
    r"\bDestroy it now without\b": "Destroy without a withdrawal",
    r"\bhow much it sways\b": "Do the machine's suggestions influence coders?",
    r"\bwith blanks between\b": "separated by spaces",
    r"\b(?:Load|load) (?:the|this) page again\b": "reload the page",
    r"\bonce more\b": "again",
    r">\s*Keep(?: it| the notes)?\s*<": "Save",
}
"""Pattern -> what to write in its place."""

PAGES = sorted([*PIPELINE.rglob("templates/**/*.html"), *PIPELINE.rglob("templates/**/*.j2")])
SCRIPTS = sorted([*PIPELINE.rglob("frontend/src/*.js"), *PIPELINE.glob("review/static/*.js")])
MODULES = sorted(path for path in PIPELINE.rglob("*.py") if "migrations" not in path.parts)

NOT_READ = {"lexicon.py", "phrases.py", "features.py"}
"""Lists of the words that interviewers and clients say."""


def of_a_page(path: Path) -> Iterator[tuple[int, str]]:
    text = re.sub(r"\{#.*?#\}", lambda comment: "\n" * comment[0].count("\n"), path.read_text("utf-8"), flags=re.DOTALL)
    yield from enumerate(text.split("\n"), start=1)


def of_a_script(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), start=1):
        for literal in re.findall(r"\"[^\"]*\"|`[^`]*`", line):
            if not line.lstrip().startswith(("*", "//", "/*")):
                yield number, literal


def of_a_module(path: Path) -> Iterator[tuple[int, str]]:
    """Its texts, whole: of an f-string with a mark for each value. Docstrings are for developers."""
    nodes = nodes_of(path)
    parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    skipped = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts | skipped:
            yield node.lineno, node.value


READERS = [
    *((path, of_a_page) for path in PAGES),
    *((path, of_a_script) for path in SCRIPTS),
    *((path, of_a_module) for path in MODULES if path.name not in NOT_READ),
]


@functools.cache
def texts() -> list[tuple[Path, int, str]]:
    """Every text with its file and line."""
    return [
        (path, number, text)
        for path, read in READERS
        for number, text in read(path)
        if " " in text.strip() or ">" in text
    ]


def test_there_are_pages_scripts_and_messages() -> None:
    assert min(len(PAGES), len(SCRIPTS), len(MODULES)) > 5


@pytest.mark.parametrize(("pattern", "instead"), BANNED.items())
def test_no_page_and_no_message_has_a_banned_phrase(pattern: str, instead: str) -> None:
    banned = re.compile(pattern)
    hits = [
        f"{path.relative_to(PIPELINE)}:{number}: {text.strip()[:120]}"
        for path, number, text in texts()
        if banned.search(text)
    ]
    assert hits == [], f"write {instead!r}"


@pytest.mark.parametrize(
    "phrase",
    [
        "at most once a volley",
        "counts an utterance, code an utterance",
        "the codebook tells nothing",
        "Next thought",
        "looks at the own work first",
        "'No, the other way round'",
        '<button class="second">Keep</button>',
    ],
)
def test_the_list_finds_what_it_bans(phrase: str) -> None:
    assert any(re.search(pattern, phrase) for pattern in BANNED)
