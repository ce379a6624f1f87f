"""The documents and the program are held to each other, both ways."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tokenize import COMMENT, TokenInfo, generate_tokens

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from pipeline import __version__, errors, settings
from pipeline.cli.main import app
from pipeline.coding.codebook import Codebook
from pipeline.formats import code_table, registry, tape_tables, tidy_table
from pipeline.measures.drift.drift import DRIFT_COLUMNS, POINT_COLUMNS
from pipeline.measures.reliability.agreement import AGREEMENT_COLUMNS, SESSION_ICC_COLUMNS
from pipeline.measures.reliability.automation_bias import AUTOMATION_BIAS_COLUMNS
from pipeline.measures.reliability.confusions import CONFUSION_COLUMNS
from pipeline.measures.reliability.sampling import SAMPLE_COLUMNS
from pipeline.measures.session.context import CONTEXT_COLUMNS
from pipeline.review.coding import downloads, shortcuts
from tests.source_trees import nodes_of
from tests.test_process import FILES

ROOT = Path(__file__).parents[1]
LONGEST = 150
"""Lines of the README: whoever comes to it reads it to its end."""

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(page for top in ROOT.glob("[a-z]*/") for page in top.rglob("*.md"))])
    if "node_modules" not in path.parts
}
"""Every document by its path."""

README = PAGES["README.md"]
DEFAULT = (ROOT / "configs" / "default.toml").read_text(encoding="utf-8")
APP = typer.main.get_group(app)

SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCE = re.compile(r"^```\w*\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
PLACE = re.compile(r"(?:pipeline|tests|configs|models|notebooks)/[\w./-]*\w")


def verbs(group: TyperGroup, before: str = "") -> dict[str, TyperCommand | TyperGroup]:
    """Every command by its whole name, those within a group of commands included: ``"person add"``."""
    named: dict[str, TyperCommand | TyperGroup] = {}
    for name, command in group.commands.items():
        assert isinstance(command, TyperCommand | TyperGroup)
        named[before + name] = command
        if isinstance(command, TyperGroup):
            named |= verbs(command, f"{before}{name} ")
    return named


VERBS = verbs(APP)
OPTIONS = {option for command in VERBS.values() for parameter in command.params for option in parameter.opts}


def code(text: str) -> Iterator[str]:
    """Yield what a document has in backquotes, and the lines of its blocks, joined where continued, uncommented."""
    yield from SPAN.findall(FENCE.sub("", text))
    for block in FENCE.findall(text):
        yield from (line.partition("  #")[0].strip() for line in block.replace("\\\n", " ").splitlines())


def command_lines(text: str) -> Iterator[list[str]]:
    """The words after ``tape-review`` of every command that a document names."""
    for line in code(text):
        words = line.split()
        words = words[1:] if words and re.fullmatch(r"TAPE_REVIEW_\S+", words[0]) else words
        if len(words) > 1 and words[0] in {"tape-review", ".venv/bin/tape-review"} and words[1] != "COMMAND":
            yield words[1:]


def anchors(text: str) -> set[str]:
    """The names of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    assert heading in text, heading
    return text.partition(f"{heading}\n")[2].partition("\n#")[0]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= LONGEST
    assert len(section(README, "## Contributing").splitlines()) <= 36


def test_the_readme_leads_to_every_other_one_by_links() -> None:
    linked, waiting = {"README.md"}, ["README.md"]
    while waiting:
        page = waiting.pop()
        for target in LINK.findall(PAGES[page]):
            path = str((ROOT / page).parent.joinpath(target.partition("#")[0]).resolve().relative_to(ROOT))
            if path in PAGES and path not in linked:
                linked.add(path)
                waiting.append(path)
    assert {page for page in PAGES if page.endswith("README.md")} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in LINK.findall(PAGES[page]):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        whole = (ROOT / page).parent / path if path else ROOT / page
        assert whole.exists(), target
        if anchor:
            assert anchor in anchors(whole.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES)
def test_every_path_and_module_that_is_named_exists(page: str) -> None:
    for line in code(PAGES[page]):
        assert [path for path in PLACE.findall(line.partition("::")[0]) if not (ROOT / path).exists()] == []
        for module in re.findall(r"python -m ([\w.]+)", line):
            assert find_spec(module), module


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists_and_takes_its_options(page: str) -> None:
    for words in command_lines(PAGES[page]):
        if words[0].startswith("--"):
            assert words[0] in {"--help", "--version"}, words
            continue
        grouped = isinstance(VERBS.get(words[0]), TyperGroup) and words[1:]
        name = " ".join(words[:2]) if grouped else words[0]
        assert name in VERBS, words
        known = {option for parameter in VERBS[name].params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, words


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith(("README", "pipeline", "configs"))])
def test_every_option_that_is_named_alone_exists(page: str) -> None:
    named = {line.split()[0] for line in code(PAGES[page]) if line.startswith("--")} - {"--help"}
    assert named <= OPTIONS


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_is_named_exists(page: str) -> None:
    for line in code(PAGES[page]):
        named = re.fullmatch(r"([a-z_]+)\.([a-z_]+)", line)
        if named and named[1] in settings.Settings.model_fields and line not in FILES:
            assert named[2] in settings.Settings.model_fields[named[1]].annotation.model_fields, line  # type: ignore[union-attr]


@pytest.mark.parametrize("page", PAGES)
def test_every_error_code_that_is_named_exists(page: str) -> None:
    assert set(re.findall(r"\bTR-([A-Z]\d\d)\b", PAGES[page])) <= set(errors.CODES)


def test_every_command_is_listed_and_no_other() -> None:
    listed = re.findall(r"^\| `tape-review ([a-z-]+)` \|", PAGES["pipeline/cli/README.md"], flags=re.MULTILINE)
    assert sorted(listed) == sorted(APP.commands)


def test_commands_are_listed_below_the_headings_of_help() -> None:
    for name, command in APP.commands.items():
        below = section(PAGES["pipeline/cli/README.md"], f"## {getattr(command, 'rich_help_panel', None)}")
        assert f"| `tape-review {name}` |" in below


def test_every_error_code_is_listed_with_its_meaning() -> None:
    listed = re.findall(r"^\| `TR-([A-Z]\d\d)` \| (.+) \|$", PAGES["pipeline/cli/README.md"], flags=re.MULTILINE)
    rows = [f"| `TR-{code}` | {meaning} |" for code, meaning in errors.CODES.items()]
    assert [f"| `TR-{code}` | {meaning} |" for code, meaning in listed] == rows  # copy the missing rows from here


def test_readme_lists_every_result_and_no_other() -> None:
    listed = re.findall(r"^\| `([a-z_]+\.[a-z]+)` \|", README, flags=re.MULTILINE)
    assert sorted(listed) == FILES


@pytest.mark.parametrize("file_format", registry.FORMATS, ids=lambda file_format: file_format.name)
def test_every_format_says_what_it_cannot_hold(file_format: registry.Format) -> None:
    assert re.search(r"Cannot hold: ", sys.modules[file_format.read.__module__].__doc__ or "")


@pytest.mark.parametrize(
    ("page", "row", "columns"),
    [
        ("pipeline/formats/README.md", "utterances.csv", (*tape_tables.UTTERANCE_COLUMNS, tape_tables.ZERO)),
        ("pipeline/formats/README.md", "words.csv", (*tape_tables.WORD_COLUMNS, tape_tables.ZERO)),
        ("pipeline/formats/README.md", "vocalizations.csv", (*tape_tables.VOCALIZATION_COLUMNS, tape_tables.ZERO)),
        ("pipeline/measures/README.md", "agreement", AGREEMENT_COLUMNS),
        ("pipeline/measures/README.md", "agreement --table sessions", SESSION_ICC_COLUMNS),
        ("pipeline/measures/README.md", "agreement --table confusions", CONFUSION_COLUMNS),
        ("pipeline/measures/README.md", "drift", DRIFT_COLUMNS),
        ("pipeline/measures/README.md", "drift --table points", POINT_COLUMNS),
        ("pipeline/measures/README.md", "drift --table automation_bias", AUTOMATION_BIAS_COLUMNS),
        ("pipeline/measures/README.md", "sample", (*SAMPLE_COLUMNS, tape_tables.ZERO)),
    ],
)
def test_every_column_of_a_table_is_listed_and_no_other(page: str, row: str, columns: tuple[str, ...]) -> None:
    match = re.search(rf"^\| `{re.escape(row)}` \| (.+) \|$", PAGES[page], flags=re.MULTILINE)
    assert match, row
    ends = ("_low", "_high")
    assert {*SPAN.findall(match[1])} - {*ends} == {column for column in columns if not column.endswith(ends)}


def test_columns_of_tables_that_have_no_row_of_their_own_are_listed() -> None:
    measures, formats = PAGES["pipeline/measures/README.md"], PAGES["pipeline/formats/README.md"]
    assert {*CONTEXT_COLUMNS, tape_tables.ZERO} <= {*SPAN.findall(section(measures, "## Definitions"))}
    assert {*code_table.COLUMNS} <= {*SPAN.findall(section(measures, "## Do coders agree?"))}
    assert {*downloads.COLUMNS} <= {
        *SPAN.findall(section(PAGES["pipeline/review/README.md"], "## Coding a tape by hand"))
    }
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", section(formats, "## Our own tables"), flags=re.MULTILINE)
    assert listed == [(column.name, column.meaning) for column in tidy_table.COLUMNS]


@pytest.mark.parametrize("command", VERBS)
def test_every_command_and_option_explains_itself(command: str) -> None:
    verb = VERBS[command]
    assert verb.help
    assert [parameter.name for parameter in verb.params if not getattr(parameter, "help", None)] == []


def test_every_key_of_the_coding_page_is_listed_and_no_other() -> None:
    table = section(PAGES["pipeline/review/README.md"], "### Keys")
    listed = dict(re.findall(r"^\| `(.+?)` \| (.+?) \|$", table, flags=re.MULTILINE))
    plain = Codebook("none", "1", "None", "utterance", ())
    assert listed == {binding.shown: binding.label for binding in shortcuts.resolve_bindings(plain)}


def test_every_setting_stands_in_the_default_file_with_a_comment() -> None:
    written = tomllib.loads(DEFAULT)
    for name, field in settings.Settings.model_fields.items():
        for key in field.annotation.model_fields:  # type: ignore[union-attr]
            assert key in written[name], f"{name}.{key}"
            explained = rf"^#.*\n{key} = |^{key} = .*#"
            assert re.search(explained, DEFAULT, flags=re.MULTILINE), f"{name}.{key} has no comment"


def test_every_section_of_the_settings_and_every_profile_is_listed() -> None:
    listed = re.findall(r"^\| `([a-z]+)` \|", PAGES["configs/README.md"], flags=re.MULTILINE)
    assert listed == [*settings.Settings.model_fields, *sorted(settings.profiles(), reverse=True)]


@pytest.mark.parametrize("profile", settings.profiles())
def test_every_profile_loads(profile: str) -> None:
    assert settings.load([profile]).settings


def test_every_error_code_says_what_it_means_and_belongs_to_a_class() -> None:
    letters = {kind.letter for kind in errors.TapeReviewError.__subclasses__()}
    assert {code[0] for code in errors.CODES} <= letters
    assert all(re.fullmatch(r"[A-Z]\d\d", code) and meaning for code, meaning in errors.CODES.items())


def variables(page: str) -> set[str]:
    """The variables of ours that a document has in a table."""
    return set(re.findall(r"^\| `(TAPE_REVIEW_[A-Z_]+)` \|", PAGES[page], flags=re.MULTILINE))


def strings(folder: str) -> set[str]:
    """Every constant of the code below a folder that names a variable of ours, but one that holds a setting."""
    nodes = (node for path in (ROOT / folder).rglob("*.py") for node in nodes_of(path))
    values = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {value for value in values if re.fullmatch(r"TAPE_REVIEW_[A-Z]+(_[A-Z]+)*", value)}


def test_every_variable_that_the_program_reads_is_listed_and_no_other() -> None:
    assert variables("configs/README.md") == strings("pipeline")


def test_every_variable_that_tests_read_is_listed_and_no_other() -> None:
    reads = re.compile(
        r"environ(?:\.get\(|\[)\"(TAPE_REVIEW_[A-Z_]+)\"|^VARIABLE = \"(TAPE_REVIEW_[A-Z_]+)\"", re.MULTILINE
    )
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")]
    named = {name for text in texts for pair in reads.findall(text) for name in pair if name}
    assert named - {"TAPE_REVIEW_GUARD"} == variables("tests/README.md")  # the guard's own, set by the guard


def test_every_variable_of_the_full_run_has_its_value_in_the_table() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(TAPE_REVIEW_[A-Z_]+)` \| (\d+) \| (\d+) \|", PAGES["tests/README.md"], re.MULTILINE)
    given = dict(re.findall(r"(TAPE_REVIEW_[A-Z_]+)=(\d+)", script))
    assert given
    assert {name: full for name, _, full in listed if name in given} == given


def test_every_benchmark_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"^\| `python -m ([\w.]+)` \|", PAGES["tests/README.md"], flags=re.MULTILINE))
    modules = (ROOT / "tests" / "benchmarks").glob("*.py")
    runnable = {path.stem for path in modules if 'if __name__ == "__main__":' in path.read_text("utf-8")}
    assert listed == {f"tests.benchmarks.{name}".removesuffix(".__main__") for name in runnable}


def test_the_readme_names_the_license_and_that_nobody_was_recorded() -> None:
    assert "Apache-2.0" in README
    assert "no client was recorded" in " ".join(README.split())


def test_the_changelog_keeps_its_form() -> None:
    text = PAGES["CHANGELOG.md"]
    assert re.findall(r"^## (\S+)", text, flags=re.MULTILINE)[:2] == ["Unreleased", __version__]
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {*re.findall(r"^### (.+)$", text, flags=re.MULTILINE)} <= kinds
    first = text.partition("## 0.1.0")[2]  # what the program does; fixes of what nobody has installed are no news
    assert len(re.findall(r"^- ", first, flags=re.MULTILINE)) <= 25, "a merge may have brought older lines back"


def holds_a_number(value: ast.expr) -> bool:
    """Whether a value is a number or made of some, such as ``20 << 30`` or ``(0.8, 40)``."""
    match value:
        case ast.Constant():
            return isinstance(value.value, int | float) and not isinstance(value.value, bool)
        case ast.BinOp():
            return holds_a_number(value.left) or holds_a_number(value.right)
        case ast.UnaryOp():
            return holds_a_number(value.operand)
        case ast.Tuple() | ast.List() | ast.Set():
            return any(map(holds_a_number, value.elts))
        case ast.Dict():
            return any(map(holds_a_number, value.values))
    return False


def unexplained_numbers(source: str) -> list[int]:
    """Lines of a module's constants that hold numbers, without a docstring below, a comment beside, or one above the
    unbroken lines of constants among which they stand."""
    lines, body = source.splitlines(), ast.parse(source).body
    if not any(
        isinstance(node, ast.Assign | ast.AnnAssign) and node.value and holds_a_number(node.value) for node in body
    ):
        return []
    commented = {
        token.start[0] for token in generate_tokens(iter(source.splitlines(True)).__next__) if is_reason(token)
    }
    unexplained = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or not holds_a_number(node.value):
            continue
        has_docstring = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        first = node.lineno - 1
        while first > 0 and lines[first - 1] and not lines[first - 1].startswith(("#", '"')):
            first -= 1
        beside = commented & set(range(node.lineno, (node.end_lineno or 0) + 1))
        if not (has_docstring or beside or first in commented):
            unexplained.append(node.lineno)
    return unexplained


def is_reason(token: TokenInfo) -> bool:
    return token.type == COMMENT and not token.string.startswith("# noqa")


def test_every_number_in_the_code_says_where_it_comes_from() -> None:
    """Its unit and its source, the benchmark that moves it, or why it was chosen."""
    example = 'A = 1\n\nB = 1 << 9  # bytes\n\n# Of the table.\nC = 0.5\nD = (1,)\nE = 3\n"""Tapes."""\nF = -1\n'
    assert unexplained_numbers(example) == [1, 10]
    unexplained = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "pipeline").rglob("*.py"))
        if "versions" not in path.parts
        for line in unexplained_numbers(path.read_text(encoding="utf-8"))
    ]
    assert unexplained == []


def test_migrations_follow_one_another() -> None:
    """Two that were written side by side may have one number: the later is numbered again."""
    versions = sorted((ROOT / "pipeline" / "tapes" / "db" / "migrations" / "versions").glob("m*.py"))
    numbers = [
        re.findall(r'^(?:down_)?revision = "(\d+)"$', path.read_text("utf-8"), re.MULTILINE) for path in versions
    ]
    assert [path.name[1:5] for path in versions] == [f"{number:04d}" for number in range(1, len(versions) + 1)]
    assert numbers == [["0001"], *([f"{at:04d}", f"{at - 1:04d}"] for at in range(2, len(versions) + 1))]
