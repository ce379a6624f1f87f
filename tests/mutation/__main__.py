"""``python -m tests.mutation [MODULE ...]``: the share of random small changes that the tests notice.

`targets.toml` says which tests exercise a module, `equivalents.toml` which changes were judged to change nothing that
anybody could see, and why. Each mutant is tried in a copy of the tree, in a process of its own; two run side by side.
Ends with 1 where a score lies under the target's floor.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, sample

ROOT = Path(__file__).resolve().parents[2]
FLOOR = 95
SLOWEST = 10
"""How many times as long as the unchanged module a mutant may take; then it counts as noticed (an endless loop)."""


@dataclass(frozen=True)
class Target:
    """A module, by its path, and the test files that exercise it."""

    name: str
    module: str
    tests: tuple[str, ...]
    equivalents: frozenset[str]


def targets() -> dict[str, Target]:
    """All targets by name."""
    folder = Path(__file__).parent
    listed = tomllib.loads((folder / "targets.toml").read_text(encoding="utf-8"))
    judged = tomllib.loads((folder / "equivalents.toml").read_text(encoding="utf-8")).get("equivalents", [])
    changes: dict[str, set[str]] = {}
    for entry in judged:
        changes.setdefault(entry["target"], set()).add(entry["change"].strip())
    return {
        name: Target(name, entry["module"], tuple(entry["tests"]), frozenset(changes.get(name, ())))
        for name, entry in listed.items()
    }


def tree(folder: Path) -> Path:
    """A copy of what git tracks and what is new, without what the tests of modules do not read."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, copy = ROOT / name, folder / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            if name.startswith(("models/", "tests/recordings/")):
                copy.symlink_to(source)
            else:
                shutil.copy2(source, copy)
    return folder


def noticed(folder: Path, tests: tuple[str, ...], limit: float | None = None) -> bool:
    """Whether a test turns red, or the tests cannot even be collected, or do not end within the limit (s)."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not engines"]
    paths = f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    settings = {
        "PYTHONPATH": paths,
        "PYTHONDONTWRITEBYTECODE": "1",
        "TAPE_REVIEW_EXAMPLES": "25",
        "TMPDIR": str(folder),
    }
    running = subprocess.Popen(
        [*command, *tests],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return running.wait(limit) != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def survivors(target: Target, number: int, seed: int, jobs: int) -> tuple[int, list[Mutant]]:
    """How many mutants were tried, those judged equivalent left out, and which of them nobody noticed."""
    source = (ROOT / target.module).read_text(encoding="utf-8")
    drawn = [mutant for mutant in sample(source, number, seed) if mutant.change not in target.equivalents]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for job in range(jobs):
            copies.put(tree(Path(folder) / str(job)))
        unchanged = copies.get()
        since = time.monotonic()
        if noticed(unchanged, target.tests):
            raise SystemExit(f"{target.name}: the tests are red without any change; run them first")
        limit = 30 + SLOWEST * (time.monotonic() - since)
        copies.put(unchanged)

        def tried(mutant: Mutant) -> bool:
            copy = copies.get()
            try:
                (copy / target.module).write_text(mutant.code, encoding="utf-8")
                return noticed(copy, target.tests, limit)
            finally:
                (copy / target.module).write_text(source, encoding="utf-8")
                copies.put(copy)

        with ThreadPoolExecutor(jobs) as pool:
            verdicts = list(pool.map(tried, drawn))
    return len(drawn), [mutant for mutant, red in zip(drawn, verdicts, strict=True) if not red]


def main() -> int:
    """Try the targets that are named, or all."""
    known = targets()
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="MODULE", help=f"of {', '.join(known)}; all if none is named")
    parser.add_argument("--number", type=int, default=40, help="mutants a module (default: 40)")
    parser.add_argument("--seed", type=int, default=0, help="of the random draw (default: 0)")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tried side by side (default: 2)")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.targets) - set(known)):
        parser.error(f"{unknown[0]!r} is no target; targets.toml lists {', '.join(known)}")
    low = False
    for name in asked.targets or known:
        number, left = survivors(known[name], asked.number, asked.seed, asked.jobs)
        score = 100 * (number - len(left)) / number
        low |= score < FLOOR
        out = io.StringIO()
        print(f"{name}: {number - len(left)} of {number} noticed, {score:.0f} % (seed {asked.seed})", file=out)
        for mutant in left:
            print(f"  line {mutant.line}, {mutant.operator}", *mutant.change.splitlines(), sep="\n    ", file=out)
        print(out.getvalue(), end="", flush=True)
    return int(low)


if __name__ == "__main__":
    sys.exit(main())
