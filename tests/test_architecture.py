"""The rooms of the pipeline and the arrows between them, read from the imports.

::

    cli -> review -> tapes -> stages, run -> report -> speech, coding -> formats, audio -> measures, timeline

Every module stands on a floor; it imports its own floor and those below. The pure rooms import nothing that reads,
writes or loads a model, and heavy packages load only with the engines that need them.
"""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.errors import CODES, TapeReviewError
from tests.source_trees import nodes_of, source_of, tree_of

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pipeline"
LONGEST = 400

PURE = frozenset(
    {"errors", "run.progress", "timeline", "lexicon", "languages", "measures"}
    | {"coding.codebook", "coding.crosswalk", "coding.segmentation", "coding.volleys"}
)
"""Rooms and modules that neither read, write nor load a model."""

FLOORS: tuple[frozenset[str], ...] = (
    PURE | {"pipeline"},
    frozenset({"settings", "model_catalog", "files"}),
    frozenset({"formats", "audio"}),
    frozenset({"speech", "coding"}),
    frozenset({"report"}),
    frozenset({"stages", "run"}),
    frozenset({"tapes"}),
    frozenset({"review"}),
    frozenset({"cli"}),
)
"""Rooms from the ground up; a module that is named itself stands where it is named."""

APART = (("speech", "coding"), ("formats", "audio"))
"""Rooms on one floor that do not know each other."""

NEVER = (
    ("coding.inference", "coding.training"),
    ("coding.tagger", "coding.training"),
    ("report", "audio"),
    ("report", "speech"),
    ("measures.session", "measures.drift"),
    ("measures.reliability", "measures.drift"),
    ("tapes.db", "tapes.jobs"),
    ("tapes.vault", "tapes.jobs"),
    ("tapes.consent", "tapes.intake"),
    ("review.auth", "review.coding"),
)
"""A room or module, and what it never imports though no floor forbids it: what runs does not need what trains it, who
shows results not what computes them, keeping not what is done with what is kept."""

BOTH_WAYS = {
    ("review.coach", "review.practice"): "charts begin with calibration passes; both name families of codes alike",
    ("review.coding", "review.consensus"): "a consensus is a pass; measures and summary of a tape show the consensus",
    ("tapes.backup", "tapes.retention"): "destruction reaches into backups; a restore applies what was destroyed since",
    ("tapes.db", "tapes.vault"): "the database's file is published like the vault's; an item of the vault has a row",
    ("tapes.intake", "tapes.jobs"): "a tape that comes in has a job; the last step of a job brings its results in",
    ("tapes.jobs", "tapes.retention"): "the worker destroys what is due; destruction ends the jobs of its tape",
}
"""Folders whose modules import each other, without a circle of modules, and why they may."""

GROUND = frozenset({"measures", "timeline", "lexicon", "languages", "errors", "run.progress"})
"""What the measures may know of ours."""

HARMLESS = frozenset(
    {"__future__", "bisect", "collections", "dataclasses", "enum", "functools", "itertools", "math", "operator", "re"}
    | {"statistics", "tomllib", "types", "typing", "numpy", "pandas", "scipy"}
)
"""What a pure module may import besides pure modules."""

HEAVY = frozenset(
    {"torch", "torchaudio", "pyannote", "faster_whisper", "ctranslate2", "spacy", "onnxruntime", "lightning"}
)
"""Packages that take seconds to load."""

PICKLERS = frozenset({"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"})

ENGINES = frozenset({"speech.diarization.campplus", "speech.diarization.pyannote_pipeline", "coding.training.network"})
"""Modules that are heavy themselves, because they define networks; all others import them where they use them."""


@dataclass(frozen=True)
class Import:
    """One imported name, as ``package.module.name``, and whether it comes at once with the module that names it."""

    name: str
    line: int
    at_once: bool


def modules() -> dict[str, Path]:
    """Every module by its name within the package: ``"coding.volleys"``; the package itself is ``"pipeline"``."""
    paths = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "pipeline"] = path
    return paths


MODULES = modules()


@functools.cache
def imports(path: Path, types: bool = False) -> list[Import]:
    """All imports of a module; those for type checkers only with ``types``."""
    return list(_imports(tree_of(path).body, True, types))


def _imports(nodes: Iterable[ast.AST], at_once: bool, types: bool) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, at_once) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (Import(f"{node.module}.{alias.name}", node.lineno, at_once) for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _imports(node.orelse, at_once, types)
            yield from _imports(node.body if types else [], False, types)
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(ast.iter_child_nodes(node), at_once and not inside, types)


def ours(name: str) -> str | None:
    """The module of ours that an imported name stands for or comes from: ``"coding.volleys"``."""
    package, _, rest = name.partition(".")
    if package != "pipeline":
        return None
    while rest and rest not in MODULES:
        rest = rest.rpartition(".")[0]
    return rest or "pipeline"


def room(module: str) -> str:
    return module.partition(".")[0]


def floor(module: str) -> int:
    named = [number for number, rooms in enumerate(FLOORS) if module in rooms]
    return (named or [number for number, rooms in enumerate(FLOORS) if room(module) in rooms])[0]


def is_pure(module: str) -> bool:
    return module in PURE or room(module) in PURE


def test_the_reading_of_imports_is_right(tmp_path: Path) -> None:
    source = """
from typing import TYPE_CHECKING
import os.path
if TYPE_CHECKING:
    import torch
else:
    import numpy
class Reader:
    import json
    def read(self):
        from pipeline.coding import volleys
"""
    path = tmp_path / "module.py"
    path.write_text(source)
    assert [(each.name, each.at_once) for each in imports(path)] == [
        ("typing.TYPE_CHECKING", True),
        ("os.path", True),
        ("numpy", True),
        ("json", True),
        ("pipeline.coding.volleys", False),
    ]
    assert [
        ours(name)
        for name in ("pipeline.coding.volleys.volleys", "pipeline.coding.volleys", "os", "pipeline.__version__")
    ] == [
        "coding.volleys",
        "coding.volleys",
        None,
        "pipeline",
    ]


def test_every_module_has_a_floor() -> None:
    known = frozenset().union(*FLOORS)
    assert [module for module in MODULES if room(module) not in known] == []


def test_arrows_point_down() -> None:
    wrong = [
        f"{MODULES[module]}:{each.line} imports {other}"
        for module in MODULES
        for each in imports(MODULES[module], types=True)
        if (other := ours(each.name)) and floor(other) > floor(module)
    ]
    assert wrong == []


def within(module: str, folder: str) -> bool:
    return f"{module}.".startswith(f"{folder}.")


@pytest.mark.parametrize(("room_or_module", "other"), NEVER)
def test_some_arrows_are_never_drawn(room_or_module: str, other: str) -> None:
    assert any(within(module, room_or_module) for module in MODULES)
    assert any(within(module, other) for module in MODULES)
    wrong = [
        f"{MODULES[module]}:{each.line} imports {each.name}"
        for module in MODULES
        if within(module, room_or_module)
        for each in imports(MODULES[module], types=True)
        if within(ours(each.name) or "", other)
    ]
    assert wrong == []


def test_folders_that_import_each_other_have_a_reason() -> None:
    folders = {
        (of_module, of_other)
        for module in MODULES
        for each in imports(MODULES[module], types=True)
        if (other := ours(each.name)) and module.count(".") > 1 and other.count(".") > 1
        if (of_module := module.rpartition(".")[0]) != (of_other := other.rpartition(".")[0])
    }
    assert {pair for pair in folders if pair[::-1] in folders and pair[0] < pair[1]} == set(BOTH_WAYS)


@pytest.mark.parametrize(("first", "second"), [*APART, *(pair[::-1] for pair in APART)])
def test_rooms_apart_do_not_know_each_other(first: str, second: str) -> None:
    wrong = [
        f"{MODULES[module]}:{each.line} imports {known}"
        for module in MODULES
        if room(module) == first
        for each in imports(MODULES[module])
        if (known := ours(each.name)) and room(known) == second
    ]
    assert wrong == []


def test_measures_know_nothing_but_the_ground() -> None:
    wrong = [
        f"{MODULES[module]}:{each.line} imports {other}"
        for module in MODULES
        if room(module) == "measures"
        for each in imports(MODULES[module])
        if (other := ours(each.name)) and not {other, room(other)} & GROUND
    ]
    assert wrong == []


PURE_MODULES = {module: path for module, path in MODULES.items() if is_pure(module)}


def test_pure_rooms_import_nothing_that_reads_writes_or_loads() -> None:
    wrong = []
    for path in PURE_MODULES.values():
        for each in imports(path):
            other = ours(each.name)
            if not (is_pure(other) or other == "pipeline" if other else room(each.name) in HARMLESS):
                wrong.append(f"{path}:{each.line} imports {each.name}")
    assert len(PURE_MODULES) > len(PURE)
    assert wrong == []


OPENERS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})
WRITERS = ("read_", "to_csv", "to_parquet", "to_pickle", "to_sql")
"""Openings of the methods that read or write files."""


def test_pure_rooms_open_and_print_nothing() -> None:
    wrong = []
    for path in PURE_MODULES.values():
        for function in (node.func for node in nodes_of(path) if isinstance(node, ast.Call)):
            if isinstance(function, ast.Name) and function.id in OPENERS:
                wrong.append(f"{path}:{function.lineno} {function.id}")
            elif isinstance(function, ast.Attribute) and function.attr.startswith(WRITERS):
                wrong.append(f"{path}:{function.lineno} {function.attr}")
    assert wrong == []


def test_heavy_packages_and_engines_are_imported_where_they_are_used() -> None:
    wrong = [
        f"{MODULES[module]}:{each.line} imports {each.name}"
        for module in sorted(set(MODULES) - ENGINES)
        for each in imports(MODULES[module])
        if each.at_once and (room(each.name) in HEAVY or ours(each.name) in ENGINES)
    ]
    assert wrong == []


def test_importing_everything_loads_no_heavy_package() -> None:
    names = ["pipeline", *(f"pipeline.{module}" for module in MODULES if module not in ENGINES | {"pipeline"})]
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *names], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert HEAVY & {room(name) for name in done.stdout.split()} == set()


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, or an empty list."""
    done: set[str] = set()

    def visit(module: str, above: list[str]) -> list[str]:
        if module in above:
            return above[above.index(module) :]
        if module in done:
            return []
        for other in sorted(graph.get(module, ())):
            if modules_in_circle := visit(other, [*above, module]):
                return modules_in_circle
        done.add(module)
        return []

    return next((modules_in_circle for module in sorted(graph) if (modules_in_circle := visit(module, []))), [])


def imported(module: str) -> set[str]:
    """Return the modules that a module imports, with the packages that Python runs on the way to them."""
    named = {other for each in imports(MODULES[module]) if (other := ours(each.name)) and other != module}
    packages = {package for other in named for package in packages_of(other) if package in MODULES}
    return named | packages - {module, *packages_of(module)}


def packages_of(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    assert circle({module: imported(module) for module in MODULES}) == []


def test_command_and_page_hand_a_tape_in_through_one_module() -> None:
    records = {"Tape", "TapeTurn"}
    makers = {
        module
        for module, path in MODULES.items()
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in records
    }
    assert makers == {"tapes.intake.submission"}


def test_modules_are_short() -> None:
    lengths = {module: len(source_of(path).splitlines()) for module, path in MODULES.items()}
    assert {module: length for module, length in lengths.items() if length > LONGEST} == {}


ALONE = {
    "audio.av_frames": "tests/audio/test_av_reader.py",
    "audio.extent": "tests/audio/test_recording.py",
    "audio.source_file": "tests/audio/test_recording.py",
    "audio.file_layout": "tests/audio/test_assembly.py",
    "coding.training.tagger_files": "tests/coding/inference/test_checkpoint.py",
    "model_catalog.fetching": "tests/model_catalog/test_wheels.py",
    "model_catalog.hub_download": "tests/model_catalog/test_hub.py",
    "review.context": "one function that returns an attribute; every page is a test of it",
    "cli._shared.desktop_entry": "tests/cli/test_desktop.py",
    "review.mail.letters": "tests/review/mail/test_notices.py",
    "review.middleware.doorway": "tests/review/test_doors.py",
    "review.practice.calibration_tapes": "tests/review/practice/test_routes.py",
    "review.practice.sources": "tests/review/practice/test_routes.py",
    "review.repeating": "tests/review/network/test_server_certificate.py",
    "review.upload.drafts": "tests/review/upload/test_permission.py",
    "review.upload.files_page": "tests/review/upload/test_chunked_uploads.py",
    "review.upload.receiving": "tests/review/upload/test_chunked_uploads.py",
    "review.upload.suggested_parts": "tests/review/upload/test_suggestion_routes.py",
    "review.upload.source_sound": "tests/review/test_byte_ranges.py",
    "run.language_notes": "tests/test_languages.py",
    "run.progress": "one function that does nothing",
    "tapes.db.migrations.env": "tests/tapes/test_migrations.py",
    "tapes.named_roles": "tests/review/test_roles_that_change.py",
    "tapes.db.records.tapes": "tests/tapes/db/test_database.py",
}
"""Modules without a test file of their own name -> the file that has their tests, or why they need none."""


def needs_tests(path: Path) -> bool:
    """Whether a module does anything: one that only declares (records, constants, words) has nothing to test."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, functions) for node in nodes_of(path))


def test_file(path: Path) -> Path:
    """Return where the tests of a module lie: ``pipeline/tapes/home.py`` -> ``tests/tapes/test_home.py``."""
    within = path.relative_to(PACKAGE)
    return ROOT / "tests" / within.parent / f"test_{within.name}"


test_file.__test__ = False  # type: ignore[attr-defined]  # a name that pytest collects


def test_every_module_has_a_test_file_of_its_name() -> None:
    doing = {
        module: path
        for module, path in MODULES.items()
        if path.name not in ("__init__.py", "__main__.py") and "versions" not in path.parts and needs_tests(path)
    }
    without = {module for module, path in doing.items() if not test_file(path).exists()}
    assert sorted(without - set(ALONE)) == []
    assert sorted(set(ALONE) - without) == [], "these have a test file by now"
    for module, reason in ALONE.items():
        assert not reason.startswith("tests/") or (ROOT / reason).exists(), module


def named_codes() -> set[str]:
    """Error codes that stand in the code outside of their list; some reach their error through a variable."""
    return {
        node.value
        for module, path in MODULES.items()
        if module not in ("errors", "review.errors")
        for node in nodes_of(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in CODES
    }


def error_calls() -> list[tuple[str, int, ast.expr]]:
    """Module, line and first argument of every call that makes one of our errors."""
    kinds = {kind.__name__ for kind in TapeReviewError.__subclasses__()}
    return [
        (module, node.lineno, node.args[0])
        for module, path in MODULES.items()
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args
    ]


def test_every_error_has_a_listed_code() -> None:
    calls = error_calls()
    assert len(calls) > 10
    wrong = [
        f"{MODULES[module]}:{line} {code.value}"
        for module, line, code in calls
        if isinstance(code, ast.Constant) and code.value not in CODES
    ]
    assert wrong == []


def test_every_listed_code_is_used() -> None:
    assert sorted(set(CODES) - named_codes()) == []


def test_nothing_is_pickled_or_unpickled() -> None:
    wrong = []
    for module, path in MODULES.items():
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                call = ast.unparse(node.func)
                safe = any(
                    keyword.arg == "weights_only" and ast.unparse(keyword.value) == "True" for keyword in node.keywords
                )
                if room(call) in PICKLERS or call.endswith("read_pickle") or (call == "torch.load" and not safe):
                    wrong.append(f"{module}:{node.lineno} {call}")
    assert wrong == []


def test_there_are_no_other_top_level_folders() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.split(
        "\n"
    )
    if not any(tracked):
        pytest.skip("not a git checkout, or nothing is committed yet")
    folders = {Path(name).parts[0] for name in tracked if len(Path(name).parts) > 1}
    assert {name for name in folders if not name.startswith(".")} <= {
        "pipeline",
        "models",
        "configs",
        "notebooks",
        "tests",
    }
